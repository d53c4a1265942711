//! Creating an organization with its owner, and changing its plan.

use std::collections::{BTreeMap, BTreeSet};

use dash_shared::accounts::Role;
use dash_shared::ids::{MembershipId, OrganizationId, TeamId, UserId};
use dash_shared::plans::{Plan, TRIAL_DAYS};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QuerySelect,
    RelationTrait,
};
use uuid::Uuid;

use super::entities::{memberships, organizations, teams, users};
use super::{AccountsError, MINUTE_MS, Organization};
use crate::db::is_unique_violation;

/// The trial, in milliseconds.
const TRIAL_MS: i64 = TRIAL_DAYS as i64 * 24 * 60 * MINUTE_MS;

/// Somebody who signs up, checked.
pub(super) struct NewOwner {
    pub(super) email: String,
    pub(super) name: String,
    pub(super) password_hash: String,
    pub(super) organization_name: Option<String>,
}

/// Creates the user, an organization on trial, its first team, and the membership as its owner.
pub(super) async fn create(
    db: &impl ConnectionTrait,
    owner: NewOwner,
    now_ms: i64,
) -> Result<UserId, AccountsError> {
    let (user_id, organization_id, team_id) = (UserId::new(), OrganizationId::new(), TeamId::new());
    let organization_name = owner
        .organization_name
        .unwrap_or_else(|| name_after_person(&owner.name));

    let user = users::ActiveModel {
        id: Set(user_id.uuid()),
        email: Set(owner.email),
        name: Set(owner.name),
        password_hash: Set(owner.password_hash),
        created_at_ms: Set(now_ms),
    };
    let inserted = users::Entity::insert(user).exec_without_returning(db).await;
    inserted.map_err(|error| {
        if is_unique_violation(&error) {
            AccountsError::EmailTaken
        } else {
            error.into()
        }
    })?;
    let organization = organizations::ActiveModel {
        id: Set(organization_id.uuid()),
        name: Set(organization_name.clone()),
        plan: Set(Plan::Free.as_str().to_owned()),
        trial_ends_at_ms: Set(Some(now_ms + TRIAL_MS)),
        created_at_ms: Set(now_ms),
    };
    organizations::Entity::insert(organization)
        .exec_without_returning(db)
        .await?;
    let team = teams::ActiveModel {
        id: Set(team_id.uuid()),
        organization_id: Set(organization_id.uuid()),
        name: Set(organization_name),
        created_at_ms: Set(now_ms),
    };
    teams::Entity::insert(team)
        .exec_without_returning(db)
        .await?;
    let membership = memberships::ActiveModel {
        id: Set(MembershipId::new().uuid()),
        team_id: Set(team_id.uuid()),
        user_id: Set(user_id.uuid()),
        role: Set(Role::Owner.as_str().to_owned()),
        created_at_ms: Set(now_ms),
    };
    memberships::Entity::insert(membership)
        .exec_without_returning(db)
        .await?;
    Ok(user_id)
}

/// "Ann's team", for Ann Lee.
fn name_after_person(name: &str) -> String {
    let first: String = name
        .split_whitespace()
        .next()
        .unwrap_or(name)
        .chars()
        .take(90)
        .collect();
    format!("{first}'s team")
}

/// The teams of an organization.
pub(super) async fn teams_of(
    db: &impl ConnectionTrait,
    id: OrganizationId,
) -> Result<Vec<TeamId>, DbErr> {
    let ids: Vec<Uuid> = teams::Entity::find()
        .select_only()
        .column(teams::Column::Id)
        .filter(teams::Column::OrganizationId.eq(id.uuid()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(ids.into_iter().map(TeamId::from_uuid).collect())
}

/// The plan that holds for each of these teams.
pub(super) async fn plans_of(
    db: &impl ConnectionTrait,
    ids: &BTreeSet<TeamId>,
    now_ms: i64,
) -> Result<BTreeMap<TeamId, Plan>, DbErr> {
    let found: Vec<(Uuid, String, Option<i64>)> = teams::Entity::find()
        .select_only()
        .column(teams::Column::Id)
        .column(organizations::Column::Plan)
        .column(organizations::Column::TrialEndsAtMs)
        .join(JoinType::InnerJoin, teams::Relation::Organization.def())
        .filter(teams::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
        .into_tuple()
        .all(db)
        .await?;
    let plans = found
        .into_iter()
        .filter_map(|(id, word, trial_ends_at_ms)| {
            let plan = Plan::parse(&word)?;
            Some((TeamId::from_uuid(id), plan.during(trial_ends_at_ms, now_ms)))
        });
    Ok(plans.collect())
}

/// The names of these users.
pub(super) async fn names_of(
    db: &impl ConnectionTrait,
    ids: &BTreeSet<UserId>,
) -> Result<BTreeMap<UserId, String>, DbErr> {
    let found: Vec<(Uuid, String)> = users::Entity::find()
        .select_only()
        .column(users::Column::Id)
        .column(users::Column::Name)
        .filter(users::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
        .into_tuple()
        .all(db)
        .await?;
    let names = found.into_iter();
    Ok(names
        .map(|(id, name)| (UserId::from_uuid(id), name))
        .collect())
}

/// Puts the organization on `plan` and ends its trial, so that the plan is what holds.
pub(super) async fn set_plan(
    db: &impl ConnectionTrait,
    id: OrganizationId,
    plan: Plan,
    now_ms: i64,
) -> Result<Option<Organization>, AccountsError> {
    use organizations::{Column, Entity};
    Entity::update_many()
        .col_expr(Column::Plan, plan.as_str().into())
        .filter(Column::Id.eq(id.uuid()))
        .exec(db)
        .await?;
    Entity::update_many()
        .col_expr(Column::TrialEndsAtMs, now_ms.into())
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::TrialEndsAtMs.gt(now_ms))
        .exec(db)
        .await?;
    let row = Entity::find_by_id(id.uuid()).one(db).await?;
    row.map(Organization::from_row).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_without_a_name_is_named_after_its_owner() {
        assert_eq!(name_after_person("Ann Lee"), "Ann's team");
        assert_eq!(name_after_person("Zoë"), "Zoë's team");
    }
}
