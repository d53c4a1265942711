//! Who is logged in: the user, the team they work in, its organization, and their role.

use dash_shared::accounts::Role;
use dash_shared::ids::{OrganizationId, TeamId, UserId};
use dash_shared::plans::Plan;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType, QueryFilter,
    QueryOrder, QuerySelect, RelationTrait,
};
use uuid::Uuid;

use super::entities::{memberships, organizations, teams, users};
use super::{AccountsError, TenantScope, stored_plan, stored_role};

/// A person.
#[derive(Clone, Debug)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The address to log in with, in lower case.
    pub email: String,
    /// The person's name.
    pub name: String,
}

/// A billing account.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// The plan it is on, a trial aside. See [`Self::effective_plan`].
    pub plan: Plan,
    /// When its trial ends or ended.
    pub trial_ends_at_ms: Option<i64>,
    /// When it was created.
    pub created_at_ms: i64,
}

/// People working together.
#[derive(Clone, Debug)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
}

/// Who is logged in, and where.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The person.
    pub user: User,
    /// The billing account of the team.
    pub organization: Organization,
    /// The team the person works in.
    pub team: Team,
    /// The person's role in the team.
    pub role: Role,
    scope: TenantScope,
}

impl Viewer {
    /// What this person may touch.
    pub fn scope(&self) -> TenantScope {
        self.scope.clone()
    }
}

impl Organization {
    /// The plan whose limits hold now: Pro while a trial of it runs.
    pub fn effective_plan(&self, now_ms: i64) -> Plan {
        self.plan.during(self.trial_ends_at_ms, now_ms)
    }

    pub(super) fn from_row(row: organizations::Model) -> Result<Self, AccountsError> {
        Ok(Self {
            id: OrganizationId::from_uuid(row.id),
            name: row.name,
            plan: stored_plan(&row.plan)?,
            trial_ends_at_ms: row.trial_ends_at_ms,
            created_at_ms: row.created_at_ms,
        })
    }
}

#[derive(FromQueryResult)]
struct Row {
    user_id: Uuid,
    email: String,
    user_name: String,
    role: String,
    team_id: Uuid,
    team_name: String,
    organization_id: Uuid,
    organization_name: String,
    plan: String,
    trial_ends_at_ms: Option<i64>,
    organization_created_at_ms: i64,
}

/// The user in the team they joined first.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    user_id: UserId,
    now_ms: i64,
) -> Result<Option<Viewer>, AccountsError> {
    let row = memberships::Entity::find()
        .select_only()
        .column_as(users::Column::Id, "user_id")
        .column_as(users::Column::Email, "email")
        .column_as(users::Column::Name, "user_name")
        .column_as(memberships::Column::Role, "role")
        .column_as(teams::Column::Id, "team_id")
        .column_as(teams::Column::Name, "team_name")
        .column_as(organizations::Column::Id, "organization_id")
        .column_as(organizations::Column::Name, "organization_name")
        .column_as(organizations::Column::Plan, "plan")
        .column_as(organizations::Column::TrialEndsAtMs, "trial_ends_at_ms")
        .column_as(
            organizations::Column::CreatedAtMs,
            "organization_created_at_ms",
        )
        .join(JoinType::InnerJoin, memberships::Relation::User.def())
        .join(JoinType::InnerJoin, memberships::Relation::Team.def())
        .join(JoinType::InnerJoin, teams::Relation::Organization.def())
        .filter(memberships::Column::UserId.eq(user_id.uuid()))
        .order_by_asc(memberships::Column::CreatedAtMs)
        .order_by_asc(memberships::Column::Id)
        .limit(1)
        .into_model::<Row>()
        .one(db)
        .await?;
    row.map(|row| viewer(row, now_ms)).transpose()
}

/// [`find`] for a user who is known to be in a team.
pub(super) async fn get(
    db: &impl ConnectionTrait,
    user_id: UserId,
    now_ms: i64,
) -> Result<Viewer, AccountsError> {
    find(db, user_id, now_ms)
        .await?
        .ok_or(AccountsError::Internal("a user is in no team"))
}

pub(super) async fn find_user_by_email(
    db: &impl ConnectionTrait,
    email: &str,
) -> Result<Option<users::Model>, DbErr> {
    users::Entity::find()
        .filter(users::Column::Email.eq(email))
        .one(db)
        .await
}

fn viewer(row: Row, now_ms: i64) -> Result<Viewer, AccountsError> {
    let user = User {
        id: UserId::from_uuid(row.user_id),
        email: row.email,
        name: row.user_name,
    };
    let organization = Organization {
        id: OrganizationId::from_uuid(row.organization_id),
        name: row.organization_name,
        plan: stored_plan(&row.plan)?,
        trial_ends_at_ms: row.trial_ends_at_ms,
        created_at_ms: row.organization_created_at_ms,
    };
    let team = Team {
        id: TeamId::from_uuid(row.team_id),
        name: row.team_name,
    };
    let role = stored_role(&row.role)?;
    let plan = organization.effective_plan(now_ms);
    let scope = TenantScope::for_member(organization.id, team.id, user.id, role, plan);
    Ok(Viewer {
        user,
        organization,
        team,
        role,
        scope,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_lifts_free_to_pro_and_nothing_else() {
        let check = |plan, trial_ends_at_ms, now_ms, effective| {
            let organization = Organization {
                id: OrganizationId::new(),
                name: String::new(),
                plan,
                trial_ends_at_ms,
                created_at_ms: 0,
            };
            assert_eq!(organization.effective_plan(now_ms), effective);
        };
        check(Plan::Free, Some(10), 9, Plan::Pro);
        check(Plan::Free, Some(10), 10, Plan::Free);
        check(Plan::Free, None, 9, Plan::Free);
        check(Plan::Business, Some(10), 9, Plan::Business);
    }
}
