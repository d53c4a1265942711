//! Operations about who is using the app: sign-up, log-in, log-out and the viewer.

use super::{DateTime, UserError, schema};

/// A plan an organization can be on.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
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

impl PlanCode {
    /// The same plan in the shared table of plans.
    pub const fn shared(self) -> dash_shared::plans::Plan {
        use dash_shared::plans::Plan;
        match self {
            Self::Free => Plan::Free,
            Self::Pro => Plan::Pro,
            Self::Business => Plan::Business,
            Self::Enterprise => Plan::Enterprise,
        }
    }
}

/// What a person may do in a team.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything, including billing.
    Owner,
    /// Everything but billing.
    Admin,
    /// Creates and changes pipelines and dashboards.
    Editor,
    /// Looks only.
    Viewer,
}

/// A person.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct User {
    /// Its global id.
    pub id: cynic::Id,
    /// What it logs in with.
    pub email: String,
    /// What it is called.
    pub name: String,
}

/// The billing account.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Organization {
    /// Its global id.
    pub id: cynic::Id,
    /// What it is called.
    pub name: String,
    /// The plan that is in force, during the trial the trial's.
    pub plan: PlanCode,
    /// When the trial ends; none once it is over or was bought.
    pub trial_ends_at: Option<DateTime>,
    /// What the plan allows.
    pub limits: PlanLimits,
}

/// What a plan allows; none is unlimited.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct PlanLimits {
    /// Pipelines in the organization.
    pub pipelines: Option<i32>,
    /// Dashboards in the organization.
    pub dashboards: Option<i32>,
    /// Stored records per month.
    pub points_per_month: Option<i32>,
    /// How long records are kept.
    pub retention_days: Option<i32>,
    /// The shortest time between two polls.
    pub shortest_polling_interval_seconds: i32,
}

/// People working together.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Team {
    /// Its global id.
    pub id: cynic::Id,
    /// What it is called.
    pub name: String,
}

/// Who is logged in, and where.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Viewer {
    /// The person.
    pub user: User,
    /// The organization of the team.
    pub organization: Organization,
    /// The team that is being worked in.
    pub team: Team,
    /// What the person may do there.
    pub role: Role,
}

/// Asks who is logged in.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
pub struct ViewerQuery {
    /// Nobody when there is no session.
    pub viewer: Option<Viewer>,
}

/// The input of a sign-up.
#[derive(cynic::InputObject, Debug)]
pub struct SignUpInput {
    /// What to log in with.
    pub email: String,
    /// In clear, over the connection's encryption.
    pub password: String,
    /// What the person is called.
    pub name: String,
    /// The organization's name; made from the person's when absent.
    pub organization_name: Option<String>,
}

/// Variables of [`SignUp`].
#[derive(cynic::QueryVariables, Debug)]
pub struct SignUpVariables {
    /// The whole form.
    pub input: SignUpInput,
}

/// Creates an account and logs it in.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SignUpVariables")]
pub struct SignUp {
    /// The new viewer, or what to fix.
    #[arguments(input: $input)]
    pub sign_up: SignUpPayload,
}

/// The answer to [`SignUp`].
#[derive(cynic::QueryFragment, Debug)]
pub struct SignUpPayload {
    /// Who is logged in now.
    pub viewer: Option<Viewer>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// The input of a log-in.
#[derive(cynic::InputObject, Debug)]
pub struct LogInInput {
    /// The address that was signed up with.
    pub email: String,
    /// In clear, over the connection's encryption.
    pub password: String,
}

/// Variables of [`LogIn`].
#[derive(cynic::QueryVariables, Debug)]
pub struct LogInVariables {
    /// The whole form.
    pub input: LogInInput,
}

/// Starts a session.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "LogInVariables")]
pub struct LogIn {
    /// The viewer, or what to fix.
    #[arguments(input: $input)]
    pub log_in: LogInPayload,
}

/// The answer to [`LogIn`].
#[derive(cynic::QueryFragment, Debug)]
pub struct LogInPayload {
    /// Who is logged in now.
    pub viewer: Option<Viewer>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Ends the session.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation")]
pub struct LogOut {
    /// The answer.
    pub log_out: LogOutPayload,
}

/// The answer to [`LogOut`].
#[derive(cynic::QueryFragment, Debug)]
pub struct LogOutPayload {
    /// Always empty in practice.
    pub user_errors: Vec<UserError>,
}

/// What an organization used.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Organization")]
pub struct UsedByOrganization {
    /// Records stored since the month began.
    pub data_points_this_month: f64,
    /// The bytes that its records take.
    pub stored_bytes: f64,
}

/// The organization of the one who asks.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Viewer")]
pub struct UsageOfViewer {
    /// It.
    pub organization: UsedByOrganization,
}

/// Asks for what was used this month.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
pub struct UsageQuery {
    /// Who asks; none when nobody is logged in.
    pub viewer: Option<UsageOfViewer>,
}
