//! Organizations, teams, users, memberships, and the sessions of logged-in browsers.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob_uniq, pk_uuid, text, text_uniq, uuid,
};

use crate::{IN_ONE_TRANSACTION, belongs_to, index, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        IN_ONE_TRANSACTION
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                table("organizations")
                    .col(pk_uuid("id"))
                    .col(text("name"))
                    .col(text("plan"))
                    .col(big_integer_null("trial_ends_at_ms"))
                    .col(big_integer("created_at_ms"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                table("teams")
                    .col(pk_uuid("id"))
                    .col(uuid("organization_id"))
                    .col(text("name"))
                    .col(big_integer("created_at_ms"))
                    .foreign_key(&mut belongs_to("organization_id", "organizations"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index("teams", &["organization_id"]))
            .await?;
        manager
            .create_table(
                table("users")
                    .col(pk_uuid("id"))
                    .col(text_uniq("email"))
                    .col(text("name"))
                    .col(text("password_hash"))
                    .col(big_integer("created_at_ms"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                table("memberships")
                    .col(pk_uuid("id"))
                    .col(uuid("team_id"))
                    .col(uuid("user_id"))
                    .col(text("role"))
                    .col(big_integer("created_at_ms"))
                    .foreign_key(&mut belongs_to("team_id", "teams"))
                    .foreign_key(&mut belongs_to("user_id", "users"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                index("memberships", &["team_id", "user_id"])
                    .unique()
                    .take(),
            )
            .await?;
        manager
            .create_index(index("memberships", &["user_id"]))
            .await?;
        manager
            .create_table(
                table("sessions")
                    .col(pk_uuid("id"))
                    .col(blob_uniq("token_hash"))
                    .col(uuid("user_id"))
                    .col(text("user_agent"))
                    .col(text("ip"))
                    .col(big_integer("created_at_ms"))
                    .col(big_integer("last_seen_at_ms"))
                    .col(big_integer("expires_at_ms"))
                    .foreign_key(&mut belongs_to("user_id", "users"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index("sessions", &["user_id"]))
            .await?;
        manager
            .create_index(index("sessions", &["expires_at_ms"]))
            .await
    }
}
