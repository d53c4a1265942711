//! Users, teams and organizations: signing up, logging in, and who one is.

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Datelike as _, Utc};
use dash_shared::plans::Plan;

use super::errors::{UserError, payload, top_level};
use super::{date_time, float, services};
use crate::accounts::{self, AccountsError, ClientInfo, SessionToken, Viewer};

/// A plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum PlanCode {
    /// Starter.
    Free,
    /// Professional.
    Pro,
    /// Team.
    Business,
    /// Custom.
    Enterprise,
}

impl From<Plan> for PlanCode {
    fn from(plan: Plan) -> Self {
        match plan {
            Plan::Free => Self::Free,
            Plan::Pro => Self::Pro,
            Plan::Business => Self::Business,
            Plan::Enterprise => Self::Enterprise,
        }
    }
}

/// What a user may do in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Role {
    /// Everything, billing included.
    Owner,
    /// Everything but billing.
    Admin,
    /// Creates and changes pipelines and dashboards.
    Editor,
    /// Sees everything, changes nothing.
    Viewer,
}

impl From<dash_shared::accounts::Role> for Role {
    fn from(role: dash_shared::accounts::Role) -> Self {
        match role {
            dash_shared::accounts::Role::Owner => Self::Owner,
            dash_shared::accounts::Role::Admin => Self::Admin,
            dash_shared::accounts::Role::Editor => Self::Editor,
            dash_shared::accounts::Role::Viewer => Self::Viewer,
        }
    }
}

/// A person.
#[derive(Debug)]
pub struct User(pub(super) accounts::User);

/// A person.
#[Object]
impl User {
    /// The id.
    pub(super) async fn id(&self) -> async_graphql::ID {
        self.0.id.to_string().into()
    }

    /// The e-mail address that the user logs in with.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }
}

/// The billing account: owns the plan, the limits and the usage.
#[derive(Debug)]
pub struct Organization {
    pub(super) organization: accounts::Organization,
    pub(super) plan: Plan,
}

/// The billing account: owns the plan, the limits and the usage.
#[Object]
impl Organization {
    /// The id.
    pub(super) async fn id(&self) -> async_graphql::ID {
        self.organization.id.to_string().into()
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.organization.name
    }

    /// The plan that is in force; during the trial it is Pro.
    async fn plan(&self) -> PlanCode {
        self.plan.into()
    }

    /// When the trial ends or ended.
    async fn trial_ends_at(&self) -> Option<DateTime<Utc>> {
        self.organization.trial_ends_at_ms.map(date_time)
    }

    /// Records that its teams stored since the month began (UTC), deleted ones included: one record
    /// is one data point.
    async fn data_points_this_month(&self, ctx: &Context<'_>) -> async_graphql::Result<f64> {
        let services = services(ctx)?;
        let teams = services.accounts.teams_of(self.organization.id).await;
        let teams = teams.map_err(|error| top_level(ctx, error))?;
        let now = date_time(services.clock.now_ms());
        let month = now
            .date_naive()
            .with_day(1)
            .and_then(|day| day.and_hms_opt(0, 0, 0))
            .map_or(0, |start| start.and_utc().timestamp_millis());
        let used = services.store.usage(&teams, month, i64::MAX).await;
        Ok(float(used.map_err(|error| top_level(ctx, error))?.points))
    }

    /// How many bytes the records of its teams take now.
    async fn stored_bytes(&self, ctx: &Context<'_>) -> async_graphql::Result<f64> {
        let services = services(ctx)?;
        let teams = services.accounts.teams_of(self.organization.id).await;
        let teams = teams.map_err(|error| top_level(ctx, error))?;
        let bytes = services.store.stored_bytes(&teams).await;
        Ok(float(bytes.map_err(|error| top_level(ctx, error))?))
    }

    /// What the plan allows.
    async fn limits(&self) -> PlanLimits {
        let limits = self.plan.limits();
        let int = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        PlanLimits {
            pipelines: limits.pipelines.map(int),
            dashboards: limits.dashboards.map(int),
            points_per_month: limits.points_per_month.map(int),
            retention_days: limits.retention_days.map(int),
            shortest_polling_interval_seconds: int(limits.shortest_polling_interval_seconds),
        }
    }
}

/// What a plan allows. What is null is unlimited.
#[derive(Debug, SimpleObject)]
pub struct PlanLimits {
    /// Pipelines in the organization.
    pipelines: Option<i32>,
    /// Dashboards in the organization.
    dashboards: Option<i32>,
    /// Stored records per month.
    points_per_month: Option<i32>,
    /// How many days records are kept.
    retention_days: Option<i32>,
    /// The shortest time between two polls of one pipeline, in seconds.
    shortest_polling_interval_seconds: i32,
}

/// People working together inside an organization.
#[derive(Debug)]
pub struct Team(pub(super) accounts::Team);

/// People working together inside an organization.
#[Object]
impl Team {
    /// The id.
    pub(super) async fn id(&self) -> async_graphql::ID {
        self.0.id.to_string().into()
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }
}

/// Whoever asks: the user, and the team they are in.
#[derive(Debug)]
pub struct ViewerObject(pub(super) Viewer);

/// Whoever asks: the user, and the team they are in.
#[Object(name = "Viewer")]
impl ViewerObject {
    /// The user.
    async fn user(&self) -> User {
        User(self.0.user.clone())
    }

    /// The organization of the team.
    async fn organization(&self, ctx: &Context<'_>) -> async_graphql::Result<Organization> {
        organization(ctx, &self.0)
    }

    /// The team that everything else in the API is about.
    async fn team(&self) -> Team {
        Team(self.0.team.clone())
    }

    /// What the user may do in the team.
    async fn role(&self) -> Role {
        self.0.role.into()
    }
}

pub(super) fn organization(
    ctx: &Context<'_>,
    viewer: &Viewer,
) -> async_graphql::Result<Organization> {
    let now_ms = services(ctx)?.clock.now_ms();
    Ok(Organization {
        organization: viewer.organization.clone(),
        plan: viewer.organization.effective_plan(now_ms),
    })
}

/// What a new account needs.
#[derive(Debug, InputObject)]
pub struct SignUpInput {
    /// The e-mail address to log in with.
    email: String,
    /// At least 10 characters; length is the only rule.
    password: String,
    /// The person's name.
    name: String,
    /// The organization's name; made from the person's without one.
    organization_name: Option<String>,
}

/// The result of `signUp`.
#[derive(Debug, SimpleObject)]
pub struct SignUpPayload {
    /// The new account, logged in by a cookie.
    viewer: Option<ViewerObject>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// What logging in needs.
#[derive(Debug, InputObject)]
pub struct LogInInput {
    /// The e-mail address.
    email: String,
    /// The password.
    password: String,
}

/// The result of `logIn`.
#[derive(Debug, SimpleObject)]
pub struct LogInPayload {
    /// The account, logged in by a cookie.
    viewer: Option<ViewerObject>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The result of `logOut`.
#[derive(Debug, SimpleObject)]
pub struct LogOutPayload {
    /// What to fix.
    user_errors: Vec<UserError>,
}

#[derive(Debug, Default)]
pub struct AccountsQuery;

#[Object]
impl AccountsQuery {
    /// Whoever asks; null when nobody is logged in.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<ViewerObject> {
        ctx.data_opt::<Viewer>().cloned().map(ViewerObject)
    }
}

#[derive(Debug, Default)]
pub struct AccountsMutation;

#[Object]
impl AccountsMutation {
    /// Makes an account with an organization and a team, starts the trial, and logs in.
    async fn sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: SignUpInput,
    ) -> async_graphql::Result<SignUpPayload> {
        let sign_up = accounts::SignUp {
            email: input.email,
            password: input.password,
            name: input.name,
            organization_name: input.organization_name,
        };
        let client = ctx.data::<ClientInfo>()?;
        let result = services(ctx)?.accounts.sign_up(sign_up, client).await;
        let (viewer, user_errors) = begin_session(ctx, result)?;
        Ok(SignUpPayload {
            viewer,
            user_errors,
        })
    }

    /// Logs in: sets a session cookie.
    async fn log_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: LogInInput,
    ) -> async_graphql::Result<LogInPayload> {
        let client = ctx.data::<ClientInfo>()?;
        let accounts = &services(ctx)?.accounts;
        let result = accounts.log_in(&input.email, &input.password, client).await;
        let (viewer, user_errors) = begin_session(ctx, result)?;
        Ok(LogInPayload {
            viewer,
            user_errors,
        })
    }

    /// Logs out: the session ends everywhere it is used, open subscriptions included.
    async fn log_out(&self, ctx: &Context<'_>) -> async_graphql::Result<LogOutPayload> {
        let services = services(ctx)?;
        let mut user_errors = Vec::new();
        if let Some(token) = ctx.data_opt::<SessionToken>() {
            (_, user_errors) = payload(ctx, services.accounts.log_out(token).await)?;
        }
        ctx.append_http_header(
            "set-cookie",
            SessionToken::clear_cookie(services.is_https()),
        );
        Ok(LogOutPayload { user_errors })
    }
}

fn begin_session(
    ctx: &Context<'_>,
    result: Result<(Viewer, SessionToken), AccountsError>,
) -> async_graphql::Result<(Option<ViewerObject>, Vec<UserError>)> {
    let is_https = services(ctx)?.is_https();
    let (begun, user_errors) = payload(ctx, result)?;
    let viewer = begun.map(|(viewer, token)| {
        ctx.append_http_header("set-cookie", token.set_cookie(is_https));
        ViewerObject(viewer)
    });
    Ok((viewer, user_errors))
}
