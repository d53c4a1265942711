//! People and what they may see: sign-up, log-in, sessions, organizations, teams, roles.
//!
//! Only this domain can turn a session into a [`TenantScope`], and every query of another domain
//! begins with one. It knows nothing about cookies on the wire beyond their text, and nothing
//! about GraphQL.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use dash_shared::accounts::{Role, check_email, check_new_password, check_person_name};
use dash_shared::ids::{OrganizationId, TeamId, UserId};
use dash_shared::plans::Plan;
use dash_shared::{Invalid, check_name};
use sea_orm::DbErr;
use tokio::sync::broadcast;

use crate::clock::Clock;
use crate::config::PasswordParams;
use crate::db::Db;

mod entities;
mod organizations;
mod passwords;
mod scope;
mod sessions;
mod throttle;
mod viewers;

pub use scope::{Forbidden, TenantScope};
pub use sessions::{SESSION_COOKIE, SessionToken};
pub use viewers::{Organization, Team, User, Viewer};

use passwords::Passwords;
use throttle::Throttle;

const MINUTE_MS: i64 = 60_000;

/// Failed log-ins that are let through for one e-mail address in [`LOG_IN_WINDOW_MS`].
const LOG_INS_PER_EMAIL: u32 = 10;
/// Failed log-ins that are let through from one network address in [`LOG_IN_WINDOW_MS`]: more,
/// because a whole office may share it.
const LOG_INS_PER_IP: u32 = 30;
const LOG_IN_WINDOW_MS: i64 = 15 * MINUTE_MS;
/// Sign-ups that are let through from one network address in [`SIGN_UP_WINDOW_MS`].
const SIGN_UPS_PER_IP: u32 = 60;
const SIGN_UP_WINDOW_MS: i64 = 60 * MINUTE_MS;
/// How many log-outs a listener may lag behind.
const ENDED_CAPACITY: usize = 64;

/// What a person gives to get an account.
#[derive(Clone)]
pub struct SignUp {
    /// The address to log in with.
    pub email: String,
    /// A new password.
    pub password: String,
    /// The person's name.
    pub name: String,
    /// The organization's name; without one it is named after the person.
    pub organization_name: Option<String>,
}

/// Where a request comes from.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// What the browser calls itself, cut to a sensible length.
    pub user_agent: String,
    /// The address of the other end, or of the client that a trusted proxy names.
    pub ip: IpAddr,
}

/// Why something about an account could not be done.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The input has mistakes that the person can fix.
    #[error("the input has {} mistakes", .0.len())]
    Invalid(Vec<Invalid>),
    /// The e-mail address has an account already.
    #[error("the e-mail address has an account already")]
    EmailTaken,
    /// No such account, or not its password: which of the two is not told.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// Too many tries.
    #[error("too many tries; again in {retry_after_seconds} s")]
    Throttled {
        /// When the next try is let through.
        retry_after_seconds: u32,
    },
    /// No user or organization of that name.
    #[error("there is no user or organization \"{0}\"")]
    Unknown(String),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// Something that never happens while Dash is in order.
    #[error("{0}")]
    Internal(&'static str),
}

/// The accounts of this installation. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Accounts {
    db: Db,
    clock: Clock,
    passwords: Passwords,
    log_ins_by_email: Arc<Throttle>,
    log_ins_by_ip: Arc<Throttle>,
    sign_ups_by_ip: Arc<Throttle>,
    ended: broadcast::Sender<SessionToken>,
}

impl Accounts {
    /// The accounts in `db`, with password hashes that cost `params`.
    pub fn new(db: Db, clock: Clock, params: PasswordParams) -> Self {
        let throttle = |limit, window_ms| Arc::new(Throttle::new(limit, window_ms));
        Self {
            db,
            clock,
            passwords: Passwords::new(params),
            log_ins_by_email: throttle(LOG_INS_PER_EMAIL, LOG_IN_WINDOW_MS),
            log_ins_by_ip: throttle(LOG_INS_PER_IP, LOG_IN_WINDOW_MS),
            sign_ups_by_ip: throttle(SIGN_UPS_PER_IP, SIGN_UP_WINDOW_MS),
            ended: broadcast::Sender::new(ENDED_CAPACITY),
        }
    }

    /// Creates a user who owns a new organization with one team and a trial, and logs in.
    pub async fn sign_up(
        &self,
        input: SignUp,
        client: &ClientInfo,
    ) -> Result<(Viewer, SessionToken), AccountsError> {
        let checked = check_sign_up(input)?;
        let now_ms = self.clock.now_ms();
        take(&self.sign_ups_by_ip, &throttle::ip_key(client.ip), now_ms)?;
        if viewers::find_user_by_email(self.db.orm(), &checked.email)
            .await?
            .is_some()
        {
            return Err(AccountsError::EmailTaken);
        }
        let password_hash = self.passwords.hash(checked.password).await?;

        let transaction = self.db.begin_write().await?;
        let user = organizations::NewOwner {
            email: checked.email,
            name: checked.name,
            password_hash,
            organization_name: checked.organization_name,
        };
        let user_id = organizations::create(&*transaction, user, now_ms).await?;
        let token = SessionToken::new();
        sessions::create(&*transaction, user_id, &token, client, now_ms).await?;
        let viewer = viewers::get(&*transaction, user_id, now_ms).await?;
        transaction.commit().await?;
        Ok((viewer, token))
    }

    /// Logs in with a password. An unknown address costs the same work, and gives the same
    /// error, as a wrong password.
    pub async fn log_in(
        &self,
        email: &str,
        password: &str,
        client: &ClientInfo,
    ) -> Result<(Viewer, SessionToken), AccountsError> {
        let email = check_email(email).map_err(|invalid| AccountsError::Invalid(vec![invalid]))?;
        let now_ms = self.clock.now_ms();
        let ip = throttle::ip_key(client.ip);
        take(&self.log_ins_by_ip, &ip, now_ms)?;
        take(&self.log_ins_by_email, &email, now_ms)?;

        let user = viewers::find_user_by_email(self.db.orm(), &email).await?;
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        if !self.passwords.verify(password.to_owned(), hash).await? {
            return Err(AccountsError::WrongCredentials);
        }
        let user = user.ok_or(AccountsError::WrongCredentials)?;
        self.log_ins_by_email.forget(&email);
        self.log_ins_by_ip.give_back(&ip);

        let user_id = UserId::from_uuid(user.id);
        let token = SessionToken::new();
        let transaction = self.db.begin_write().await?;
        sessions::delete_expired(&*transaction, user_id, now_ms).await?;
        sessions::create(&*transaction, user_id, &token, client, now_ms).await?;
        let viewer = viewers::get(&*transaction, user_id, now_ms).await?;
        transaction.commit().await?;
        Ok((viewer, token))
    }

    /// Ends the session; ending one that has ended already is fine.
    pub async fn log_out(&self, token: &SessionToken) -> Result<(), AccountsError> {
        let transaction = self.db.begin_write().await?;
        sessions::delete(&*transaction, token).await?;
        transaction.commit().await?;
        // Nobody may be listening.
        let _ = self.ended.send(token.clone());
        Ok(())
    }

    /// Listens from now on; ends when somebody logs out of this session in this process.
    pub fn log_out_of(&self, token: SessionToken) -> impl Future<Output = ()> + Send + use<> {
        let mut ended = self.ended.subscribe();
        async move {
            loop {
                match ended.recv().await {
                    Ok(other) if other == token => return,
                    // A log-out that was missed is seen when the session is checked next.
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        }
    }

    /// Who has this session, if it is a living one. Using it prolongs it.
    pub async fn authenticate(
        &self,
        token: &SessionToken,
    ) -> Result<Option<Viewer>, AccountsError> {
        let now_ms = self.clock.now_ms();
        let Some(session) = sessions::find(self.db.orm(), token, now_ms).await? else {
            return Ok(None);
        };
        if session.is_worth_touching(now_ms) {
            let transaction = self.db.begin_write().await?;
            sessions::touch(&*transaction, &session, now_ms).await?;
            transaction.commit().await?;
        }
        viewers::find(self.db.orm(), session.user_id, now_ms).await
    }

    /// The teams of an organization.
    pub async fn teams_of(&self, id: OrganizationId) -> Result<Vec<TeamId>, AccountsError> {
        Ok(organizations::teams_of(self.db.orm(), id).await?)
    }

    /// For the operator: puts an organization on a plan and ends its trial. `whose` is its id
    /// or the e-mail address of one of its users.
    pub async fn set_plan(&self, whose: &str, plan: Plan) -> Result<Organization, AccountsError> {
        let unknown = || AccountsError::Unknown(whose.to_owned());
        let now_ms = self.clock.now_ms();
        let id: OrganizationId = if whose.contains('@') {
            let email = whose.trim().to_lowercase();
            let user = viewers::find_user_by_email(self.db.orm(), &email).await?;
            let user_id = UserId::from_uuid(user.ok_or_else(unknown)?.id);
            viewers::get(self.db.orm(), user_id, now_ms)
                .await?
                .organization
                .id
        } else {
            whose.trim().parse().map_err(|_| unknown())?
        };
        let transaction = self.db.begin_write().await?;
        let changed = organizations::set_plan(&*transaction, id, plan, now_ms).await?;
        transaction.commit().await?;
        changed.ok_or_else(unknown)
    }
}

impl ClientInfo {
    /// The longest kept text of a browser, in characters.
    const MAX_USER_AGENT_CHARS: usize = 300;

    /// Where a request comes from.
    pub fn new(user_agent: &str, ip: IpAddr) -> Self {
        let user_agent = user_agent
            .chars()
            .take(Self::MAX_USER_AGENT_CHARS)
            .collect();
        Self { user_agent, ip }
    }
}

impl fmt::Debug for SignUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignUp")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// A sign-up without mistakes.
struct CheckedSignUp {
    email: String,
    password: String,
    name: String,
    organization_name: Option<String>,
}

/// All mistakes at once, or the input in the form it is stored in.
fn check_sign_up(input: SignUp) -> Result<CheckedSignUp, AccountsError> {
    let email = check_email(&input.email);
    let password = check_new_password(&input.password, &input.email);
    let name = check_person_name(&input.name);
    let organization_name = input
        .organization_name
        .filter(|name| !name.trim().is_empty())
        .map(|name| check_name("organizationName", "organization", &name))
        .transpose();
    match (email, password, name, organization_name) {
        (Ok(email), Ok(()), Ok(name), Ok(organization_name)) => Ok(CheckedSignUp {
            email,
            password: input.password,
            name,
            organization_name,
        }),
        (email, password, name, organization_name) => {
            let mistakes = [
                email.err(),
                password.err(),
                name.err(),
                organization_name.err(),
            ];
            Err(AccountsError::Invalid(
                mistakes.into_iter().flatten().collect(),
            ))
        }
    }
}

fn take(throttle: &Throttle, key: &str, now_ms: i64) -> Result<(), AccountsError> {
    throttle
        .take(key, now_ms)
        .map_err(|retry_after_seconds| AccountsError::Throttled {
            retry_after_seconds,
        })
}

/// The role stored under `word`.
fn stored_role(word: &str) -> Result<Role, AccountsError> {
    Role::parse(word).ok_or(AccountsError::Internal("a stored role is not a role"))
}

/// The plan that holds now for each of these teams: for work that nobody asked for and that has no
/// scope. A team that does not exist is left out.
pub async fn plans_of(
    db: &Db,
    teams: &BTreeSet<TeamId>,
    now_ms: i64,
) -> Result<BTreeMap<TeamId, Plan>, DbErr> {
    organizations::plans_of(db.orm(), teams, now_ms).await
}

/// The names of these users, for what a team did: who asks has got the ids of what is the team's.
pub async fn names_of(
    db: &Db,
    users: &BTreeSet<UserId>,
) -> Result<BTreeMap<UserId, String>, DbErr> {
    organizations::names_of(db.orm(), users).await
}

/// The plan stored under `word`.
fn stored_plan(word: &str) -> Result<Plan, AccountsError> {
    Plan::parse(word).ok_or(AccountsError::Internal("a stored plan is not a plan"))
}

#[cfg(test)]
mod tests;
