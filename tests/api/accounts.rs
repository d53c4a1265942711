//! Signing up, logging in and out, sessions, the trial.

use dash_shared::timestamps::parse_ms;
use dash_tests::app::START_MS;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 3_600_000;
const PASSWORD: &str = "correct horse battery";
const VIEWER: &str = "{ viewer { user { id name email } team { id name } organization { id name plan \
                      trialEndsAt limits { pipelines dashboards pointsPerMonth retentionDays \
                      shortestPollingIntervalSeconds } } role } }";

async fn viewer(client: &Client) -> Value {
    client.data(VIEWER, json!({})).await["viewer"].clone()
}

fn log_in(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

#[tokio::test]
async fn who_signs_up_owns_an_organization_on_trial() {
    let app = TestApp::start().await;
    let ann = app.anonymous();
    assert_eq!(viewer(&ann).await, Value::Null);
    ann.sign_up("Ann Lee", " Ann@Corp.Test ", PASSWORD).await;
    let found = viewer(&ann).await;
    assert_eq!(found["user"]["name"], "Ann Lee");
    assert_eq!(found["user"]["email"], "ann@corp.test");
    assert_eq!(found["role"], "OWNER");
    assert_eq!(found["organization"]["name"], "Ann's team");
    assert_eq!(found["team"]["name"], "Ann's team");
    assert_eq!(found["organization"]["plan"], "PRO");
    let ends = parse_ms(&found["organization"]["trialEndsAt"]);
    assert_eq!(ends, Some(START_MS + 14 * DAY_MS));
    for (object, prefix) in [
        ("user", "usr_"),
        ("team", "team_"),
        ("organization", "org_"),
    ] {
        let id = found[object]["id"].as_str().unwrap();
        assert!(
            id.starts_with(prefix) && id.len() == prefix.len() + 26,
            "{id}"
        );
    }
}

#[tokio::test]
async fn the_organization_may_be_named() {
    let app = TestApp::start().await;
    let ann = app.anonymous();
    let mut input = log_in("ann@corp.test", PASSWORD);
    input["name"] = json!("Ann");
    input["organizationName"] = json!("  Corp & Sons ");
    ann.done("signUp", "viewer { team { name } }", input).await;
    assert_eq!(viewer(&ann).await["organization"]["name"], "Corp & Sons");
}

#[tokio::test]
async fn a_session_lasts_from_logging_in_to_logging_out() {
    let app = TestApp::start().await;
    app.owner("ann").await;
    let ann = app.anonymous();
    let payload = ann
        .done(
            "logIn",
            "viewer { user { email } }",
            log_in("ANN@corp.test", PASSWORD),
        )
        .await;
    assert_eq!(payload["viewer"]["user"]["email"], "ann@corp.test");
    let before = ann.at(&app.url);
    assert_eq!(viewer(&ann).await["user"]["email"], "ann@corp.test");
    let logged_out = ann
        .data("mutation { logOut { userErrors { code } } }", json!({}))
        .await;
    assert_eq!(logged_out["logOut"]["userErrors"], json!([]));
    assert_eq!(ann.cookie(), None, "the browser is told to forget");
    assert_eq!(viewer(&ann).await, Value::Null);
    assert_eq!(
        viewer(&before).await,
        Value::Null,
        "the session is over, not only the cookie"
    );
    ann.data("mutation { logOut { userErrors { code } } }", json!({}))
        .await;
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites() {
    let app = TestApp::start().await;
    let ann = app.anonymous();
    let query = "mutation ($input: SignUpInput!) { signUp(input: $input) { userErrors { code } } }";
    let mut input = log_in("ann@corp.test", PASSWORD);
    input["name"] = json!("Ann");
    let answer = ann.send(query, json!({ "input": input })).await;
    let cookie = answer.header("set-cookie");
    let (value, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(
        attributes,
        "Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"
    );
    let token = value.strip_prefix("dash_session=").unwrap();
    assert_eq!(token.len(), 43);
    assert!(!answer.text.contains(token));
    let stored = app.everything_stored().await;
    let is_stored = stored
        .windows(token.len())
        .any(|bytes| bytes == token.as_bytes());
    assert!(!is_stored, "only its hash is stored");
}

#[tokio::test]
async fn the_password_is_stored_as_a_slow_hash_only() {
    let app = TestApp::start().await;
    app.owner("ann").await;
    let stored = app.everything_stored().await;
    let has = |text: &str| {
        stored
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes())
    };
    assert!(has("$argon2id$"));
    assert!(!has(PASSWORD));
}

#[tokio::test]
async fn an_email_address_has_one_account() {
    let app = TestApp::start().await;
    app.owner("ann").await;
    let bob = app.anonymous();
    let input = json!({ "name": "Bob", "email": "Ann@Corp.test", "password": PASSWORD });
    assert_eq!(bob.user_errors("signUp", input).await, ["email TAKEN"]);
    assert_eq!(bob.cookie(), None);
}

#[tokio::test]
async fn of_two_who_race_for_an_address_one_gets_it() {
    let app = TestApp::start().await;
    let clients: Vec<_> = (0..6).map(|_| app.anonymous()).collect();
    let races = clients.iter().map(|client| {
        let input = json!({ "name": "Ann", "email": "ann@corp.test", "password": PASSWORD });
        client.user_errors("signUp", input)
    });
    let outcomes = futures_util::future::join_all(races).await;
    let won = outcomes.iter().filter(|errors| errors.is_empty()).count();
    let lost = outcomes
        .iter()
        .filter(|errors| **errors == ["email TAKEN"])
        .count();
    assert_eq!((won, lost), (1, 5));
}

#[tokio::test]
async fn every_mistake_of_a_sign_up_is_told_with_its_field() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let check = async |name: &str, email: &str, password: &str, expected: &[&str]| {
        let input = json!({ "name": name, "email": email, "password": password });
        assert_eq!(client.user_errors("signUp", input).await, expected);
    };
    check(
        "",
        "",
        "",
        &["email REQUIRED", "password REQUIRED", "name REQUIRED"],
    )
    .await;
    check(
        " ",
        "ann",
        "short",
        &["email INVALID", "password TOO_SHORT", "name REQUIRED"],
    )
    .await;
    let long = "x".repeat(300);
    check(
        &long,
        &format!("{long}@a.b"),
        &long,
        &["email INVALID", "password TOO_LONG", "name TOO_LONG"],
    )
    .await;
    check("Ann", "ann@corp.test", "password123", &["password INVALID"]).await;
    check(
        "Ann",
        "ann@corp.test",
        "Ann@Corp.test",
        &["password INVALID"],
    )
    .await;
    check("A\u{0}nn", "ann@corp.test", PASSWORD, &["name INVALID"]).await;
    let mut input = json!({ "name": "Ann", "email": "ann@corp.test", "password": PASSWORD });
    input["organizationName"] = json!("x".repeat(101));
    assert_eq!(
        client.user_errors("signUp", input).await,
        ["organizationName TOO_LONG"]
    );
    assert_eq!(client.cookie(), None);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let app = TestApp::start().await;
    app.owner("ann").await;
    let client = app.anonymous();
    let wrong = client
        .mutate(
            "logIn",
            "viewer { role }",
            log_in("ann@corp.test", "wrong password"),
        )
        .await;
    let unknown = client
        .mutate(
            "logIn",
            "viewer { role }",
            log_in("bob@corp.test", PASSWORD),
        )
        .await;
    assert_eq!(wrong, unknown);
    assert_eq!(wrong["viewer"], Value::Null);
    assert_eq!(wrong["userErrors"][0]["code"], "WRONG_CREDENTIALS");
    assert_eq!(wrong["userErrors"][0]["field"], Value::Null);
    assert_eq!(client.cookie(), None);
}

#[tokio::test]
async fn guessing_is_slowed_down_for_one_address_and_ends_with_the_window() {
    let app = TestApp::start().await;
    app.owner("ann").await;
    app.owner("bob").await;
    let client = app.anonymous();
    for _ in 0..10 {
        let wrong = log_in("ann@corp.test", "wrong password");
        assert_eq!(
            client.user_errors("logIn", wrong).await,
            [" WRONG_CREDENTIALS"]
        );
    }
    let right = || log_in("ann@corp.test", PASSWORD);
    assert_eq!(
        client.user_errors("logIn", right()).await,
        [" LIMIT_REACHED"]
    );
    client
        .done(
            "logIn",
            "viewer { role }",
            log_in("bob@corp.test", PASSWORD),
        )
        .await;
    app.clock.advance_ms(15 * 60_000 - 1);
    assert_eq!(
        client.user_errors("logIn", right()).await,
        [" LIMIT_REACHED"]
    );
    app.clock.advance_ms(1);
    client.done("logIn", "viewer { role }", right()).await;
}

#[tokio::test]
async fn guessing_at_many_addresses_is_slowed_down_for_the_guesser() {
    let app = TestApp::start().await;
    app.owner("ann").await;
    let client = app.anonymous();
    for n in 0..30 {
        let wrong = log_in(&format!("nobody{n}@corp.test"), "wrong password");
        assert_eq!(
            client.user_errors("logIn", wrong).await,
            [" WRONG_CREDENTIALS"]
        );
    }
    let right = log_in("ann@corp.test", PASSWORD);
    assert_eq!(client.user_errors("logIn", right).await, [" LIMIT_REACHED"]);
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_for_30_days() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    app.clock.advance_ms(29 * DAY_MS);
    assert_ne!(viewer(&ann).await, Value::Null, "using it prolongs it");
    app.clock.advance_ms(30 * DAY_MS - 1);
    assert_ne!(viewer(&ann).await, Value::Null);
    app.clock.advance_ms(30 * DAY_MS);
    assert_eq!(viewer(&ann).await, Value::Null);
    let code = ann
        .error_code("{ pipelines { totalCount } }", json!({}))
        .await;
    assert_eq!(code, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_cookie_that_is_no_session_is_nobody() {
    let app = TestApp::start().await;
    let invented = format!("dash_session={}", "A".repeat(43));
    for cookie in [
        invented.as_str(),
        "dash_session=",
        "dash_session=x; other=1",
    ] {
        let request = app.anonymous();
        let request = request
            .http()
            .post(format!("{}/graphql", app.url))
            .header("cookie", cookie)
            .json(&json!({ "query": VIEWER }));
        let found: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(found, json!({"data": {"viewer": null}}), "{cookie}");
    }
}

#[tokio::test]
async fn after_14_days_the_trial_becomes_the_free_plan() {
    let app = TestApp::start().await;
    let ann = app.anonymous();
    ann.sign_up("Ann", "ann@corp.test", PASSWORD).await;
    let limits = viewer(&ann).await["organization"]["limits"].clone();
    assert_eq!(
        limits,
        json!({
            "pipelines": 25, "dashboards": 15, "pointsPerMonth": 1_000_000, "retentionDays": 30,
            "shortestPollingIntervalSeconds": 60,
        })
    );
    app.clock.advance_ms(14 * DAY_MS - 1);
    assert_eq!(viewer(&ann).await["organization"]["plan"], "PRO");
    app.clock.advance_ms(1);
    let organization = viewer(&ann).await["organization"].clone();
    assert_eq!(organization["plan"], "FREE");
    assert_eq!(
        organization["limits"]["shortestPollingIntervalSeconds"],
        900
    );
    let polling = json!({ "url": "https://api.example.com", "intervalSeconds": 60 });
    let input = json!({ "name": "Often", "source": { "httpPolling": polling } });
    let errors = ann.user_errors("createPipeline", input).await;
    assert_eq!(errors, ["source.httpPolling.intervalSeconds PLAN_REQUIRED"]);
}
