//! Sessions of logged-in browsers: an opaque random token in a cookie, its hash in the database.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dash_shared::ids::{SessionId, UserId};
use rand::Rng;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use sha2::{Digest, Sha256};

use super::entities::sessions::{ActiveModel, Column, Entity};
use super::{ClientInfo, MINUTE_MS};

/// The name of the session cookie.
pub const SESSION_COOKIE: &str = "dash_session";

/// A session ends when it was not used for this long.
const SESSION_MS: i64 = 30 * 24 * 60 * MINUTE_MS;
/// The use of a session is written down at most this often.
const TOUCH_EVERY_MS: i64 = 5 * MINUTE_MS;
/// Random bytes in a token.
const TOKEN_BYTES: usize = 32;

/// The secret that a browser shows to be logged in.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

impl SessionToken {
    pub(super) fn new() -> Self {
        let mut bytes = [0u8; TOKEN_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The token in the value of a `Cookie` header, if it could be one.
    pub fn from_cookies(header: &str) -> Option<Self> {
        header.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            let bytes = (name == SESSION_COOKIE).then(|| URL_SAFE_NO_PAD.decode(value).ok())??;
            (bytes.len() == TOKEN_BYTES).then(|| Self(value.to_owned()))
        })
    }

    /// The value of the `Set-Cookie` header that gives the token to the browser. `is_https`
    /// keeps it off unencrypted connections.
    pub fn set_cookie(&self, is_https: bool) -> String {
        cookie(&self.0, SESSION_MS / 1_000, is_https)
    }

    /// The value of the `Set-Cookie` header that takes the token from the browser.
    pub fn clear_cookie(is_https: bool) -> String {
        cookie("", 0, is_https)
    }

    /// The token is random through and through: its hash needs neither salt nor stretching.
    fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(hidden)")
    }
}

fn cookie(value: &str, max_age_seconds: i64, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    format!(
        "{SESSION_COOKIE}={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Lax{secure}"
    )
}

/// A living session.
pub(super) struct Session {
    id: SessionId,
    pub(super) user_id: UserId,
    last_seen_at_ms: i64,
}

impl Session {
    pub(super) const fn is_worth_touching(&self, now_ms: i64) -> bool {
        now_ms - self.last_seen_at_ms >= TOUCH_EVERY_MS
    }
}

pub(super) async fn create(
    db: &impl ConnectionTrait,
    user_id: UserId,
    token: &SessionToken,
    client: &ClientInfo,
    now_ms: i64,
) -> Result<(), DbErr> {
    let session = ActiveModel {
        id: Set(SessionId::new().uuid()),
        token_hash: Set(token.hash()),
        user_id: Set(user_id.uuid()),
        user_agent: Set(client.user_agent.clone()),
        ip: Set(client.ip.to_canonical().to_string()),
        created_at_ms: Set(now_ms),
        last_seen_at_ms: Set(now_ms),
        expires_at_ms: Set(now_ms + SESSION_MS),
    };
    Entity::insert(session).exec_without_returning(db).await?;
    Ok(())
}

pub(super) async fn find(
    db: &impl ConnectionTrait,
    token: &SessionToken,
    now_ms: i64,
) -> Result<Option<Session>, DbErr> {
    let row = Entity::find()
        .filter(Column::TokenHash.eq(token.hash()))
        .filter(Column::ExpiresAtMs.gt(now_ms))
        .one(db)
        .await?;
    Ok(row.map(|row| Session {
        id: SessionId::from_uuid(row.id),
        user_id: UserId::from_uuid(row.user_id),
        last_seen_at_ms: row.last_seen_at_ms,
    }))
}

/// Writes down that the session is in use, and prolongs it.
pub(super) async fn touch(
    db: &impl ConnectionTrait,
    session: &Session,
    now_ms: i64,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::LastSeenAtMs, now_ms.into())
        .col_expr(Column::ExpiresAtMs, (now_ms + SESSION_MS).into())
        .filter(Column::Id.eq(session.id.uuid()))
        .exec(db)
        .await?;
    Ok(())
}

pub(super) async fn delete(db: &impl ConnectionTrait, token: &SessionToken) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::TokenHash.eq(token.hash()))
        .exec(db)
        .await?;
    Ok(())
}

pub(super) async fn delete_expired(
    db: &impl ConnectionTrait,
    user_id: UserId,
    now_ms: i64,
) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user_id.uuid()))
        .filter(Column::ExpiresAtMs.lte(now_ms))
        .exec(db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_comes_back_in_the_cookie_header() {
        let token = SessionToken::new();
        let set = token.set_cookie(true);
        let (pair, attributes) = set.split_once("; ").unwrap();
        assert_eq!(
            attributes,
            "Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure"
        );
        let header = format!("theme=dark; {pair};x=y");
        assert_eq!(SessionToken::from_cookies(&header), Some(token.clone()));
        assert!(!token.set_cookie(false).contains("Secure"));
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        let long = "A".repeat(44);
        for header in [
            "",
            "dash_session",
            "dash_session=",
            "dash_session=abc",
            "dash_session=é",
            &format!("dash_session={long}"),
            &format!("other={}", SessionToken::new().0),
        ] {
            assert_eq!(SessionToken::from_cookies(header), None, "{header}");
        }
    }

    #[test]
    fn clearing_sets_an_empty_cookie_that_is_over() {
        assert_eq!(
            SessionToken::clear_cookie(false),
            "dash_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }
}
