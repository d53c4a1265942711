use std::net::Ipv4Addr;
use std::path::PathBuf;

use dash_migrations::{Migrator, MigratorTrait as _};

use super::*;

const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Accounts in a database of their own, at a time that stands still.
struct Bench {
    accounts: Accounts,
    clock: Clock,
    folder: PathBuf,
}

impl Bench {
    async fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("dash-accounts-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder).unwrap();
        let url = format!("sqlite:{}", folder.join("dash.db").display());
        let db = Db::connect(&url, 4).await.unwrap();
        Migrator::up(db.orm(), None).await.unwrap();
        let clock = Clock::manual(1_800_000_000_000);
        let params = PasswordParams {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        };
        Self {
            accounts: Accounts::new(db, clock.clone(), params),
            clock,
            folder,
        }
    }

    async fn sign_up(&self, email: &str) -> Result<(Viewer, SessionToken), AccountsError> {
        let input = SignUp {
            email: email.to_owned(),
            password: "correct horse".to_owned(),
            name: "Ann Lee".to_owned(),
            organization_name: None,
        };
        self.accounts.sign_up(input, &client(1)).await
    }

    async fn log_in(
        &self,
        email: &str,
        password: &str,
        host: u8,
    ) -> Result<(Viewer, SessionToken), AccountsError> {
        self.accounts.log_in(email, password, &client(host)).await
    }

    async fn is_living(&self, token: &SessionToken) -> bool {
        self.accounts.authenticate(token).await.unwrap().is_some()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn client(host: u8) -> ClientInfo {
    ClientInfo::new("test", Ipv4Addr::new(192, 0, 2, host).into())
}

#[tokio::test]
async fn signing_up_makes_an_owner_on_trial() {
    let bench = Bench::new().await;
    let (viewer, token) = bench.sign_up(" Ann@Corp.Test").await.unwrap();
    assert_eq!(viewer.user.email, "ann@corp.test");
    assert_eq!(viewer.organization.name, "Ann's team");
    assert_eq!(
        (viewer.role, viewer.organization.plan),
        (Role::Owner, Plan::Free)
    );
    assert_eq!(viewer.scope().plan(), Plan::Pro);

    let again = bench.accounts.authenticate(&token).await.unwrap().unwrap();
    assert_eq!(again.team.id, viewer.team.id);
    bench.clock.advance_ms(14 * DAY_MS);
    let later = bench.accounts.authenticate(&token).await.unwrap().unwrap();
    assert_eq!(later.scope().plan(), Plan::Free);
}

#[tokio::test]
async fn an_address_signs_up_once() {
    let bench = Bench::new().await;
    bench.sign_up("ann@corp.test").await.unwrap();
    let again = bench.sign_up("ANN@corp.test").await;
    assert!(matches!(again, Err(AccountsError::EmailTaken)), "{again:?}");

    // Two at once: the second is told by the database, not by the look before.
    let (one, two) = tokio::join!(
        bench.sign_up("bob@corp.test"),
        bench.sign_up("bob@corp.test")
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
}

#[tokio::test]
async fn all_mistakes_of_a_sign_up_are_told_at_once() {
    let bench = Bench::new().await;
    let input = SignUp {
        email: "ann".to_owned(),
        password: "short".to_owned(),
        name: " ".to_owned(),
        organization_name: Some("x".repeat(101)),
    };
    let Err(AccountsError::Invalid(mistakes)) = bench.accounts.sign_up(input, &client(1)).await
    else {
        panic!("it is invalid");
    };
    let fields: Vec<_> = mistakes
        .iter()
        .map(|mistake| mistake.field.join("."))
        .collect();
    assert_eq!(fields, ["email", "password", "name", "organizationName"]);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let bench = Bench::new().await;
    bench.sign_up("ann@corp.test").await.unwrap();
    assert!(
        bench
            .log_in("Ann@corp.test", "correct horse", 1)
            .await
            .is_ok()
    );
    let wrong = bench
        .log_in("ann@corp.test", "correct horsf", 1)
        .await
        .unwrap_err();
    let unknown = bench
        .log_in("eve@corp.test", "correct horse", 1)
        .await
        .unwrap_err();
    assert_eq!(wrong.to_string(), unknown.to_string());
}

#[tokio::test]
async fn guessing_is_slowed_down_per_address_and_per_place() {
    let bench = Bench::new().await;
    bench.sign_up("ann@corp.test").await.unwrap();
    for host in 0..10 {
        let guess = bench.log_in("ann@corp.test", "wrong", host).await;
        assert!(matches!(guess, Err(AccountsError::WrongCredentials)));
    }
    let right = bench.log_in("ann@corp.test", "correct horse", 11).await;
    assert!(matches!(
        right,
        Err(AccountsError::Throttled {
            retry_after_seconds: 900
        })
    ));

    for n in 0..30 {
        let guess = bench.log_in(&format!("u{n}@corp.test"), "wrong", 77).await;
        assert!(matches!(guess, Err(AccountsError::WrongCredentials)));
    }
    let next = bench.log_in("v@corp.test", "wrong", 77).await;
    assert!(matches!(next, Err(AccountsError::Throttled { .. })));

    bench.clock.advance_ms(15 * MINUTE_MS);
    assert!(
        bench
            .log_in("ann@corp.test", "correct horse", 77)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_session_lives_while_it_is_used_and_ends_when_it_is_ended() {
    let bench = Bench::new().await;
    let (_, token) = bench.sign_up("ann@corp.test").await.unwrap();
    for _ in 0..3 {
        bench.clock.advance_ms(29 * DAY_MS);
        assert!(bench.is_living(&token).await);
    }
    bench.clock.advance_ms(30 * DAY_MS);
    assert!(!bench.is_living(&token).await);

    let (_, one) = bench
        .log_in("ann@corp.test", "correct horse", 1)
        .await
        .unwrap();
    let (_, two) = bench
        .log_in("ann@corp.test", "correct horse", 1)
        .await
        .unwrap();
    bench.accounts.log_out(&one).await.unwrap();
    bench.accounts.log_out(&one).await.unwrap();
    assert!(!bench.is_living(&one).await && bench.is_living(&two).await);
}

#[tokio::test]
async fn the_operators_plan_holds_at_once() {
    let bench = Bench::new().await;
    let (viewer, token) = bench.sign_up("ann@corp.test").await.unwrap();
    bench
        .accounts
        .set_plan("Ann@corp.test", Plan::Free)
        .await
        .unwrap();
    let scope = bench
        .accounts
        .authenticate(&token)
        .await
        .unwrap()
        .unwrap()
        .scope();
    assert_eq!(scope.plan(), Plan::Free);

    let id = viewer.organization.id.to_string();
    let changed = bench.accounts.set_plan(&id, Plan::Business).await.unwrap();
    assert_eq!(changed.plan, Plan::Business);
    for whose in ["eve@corp.test", "org_x", &OrganizationId::new().to_string()] {
        let unknown = bench.accounts.set_plan(whose, Plan::Pro).await;
        assert!(matches!(unknown, Err(AccountsError::Unknown(_))), "{whose}");
    }
}
