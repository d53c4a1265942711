//! Many who look at the same: what they see is worked out and encoded once, nobody holds up anybody,
//! and sharing shows nobody what is not theirs.

use std::collections::BTreeMap;
use std::time::Duration;

use dash_tests::live::Live;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

use super::live::{DASHBOARD, RECORDS, Screen, new_dashboard, widget};

/// Somebody who looks at a dashboard.
struct Watcher {
    live: Live,
    subscription: String,
    screen: Screen,
    messages: usize,
}

impl Watcher {
    /// Begins to look; returns when all widgets show something.
    async fn start(client: &Client, dashboard: &Value) -> Self {
        let mut live = Live::connect(client).await;
        let variables = json!({ "id": dashboard["id"] });
        let mut watcher = Self {
            subscription: live.subscribe(DASHBOARD, variables).await,
            live,
            screen: Screen::default(),
            messages: 0,
        };
        let widgets = dashboard["widgets"].as_array().unwrap().len();
        watcher
            .until(|screen| screen.widgets.len() == widgets)
            .await;
        watcher
    }

    /// Takes messages until the screen is as it should be.
    async fn until(&mut self, is_there: impl Fn(&Screen) -> bool) {
        while !is_there(&self.screen) {
            let message = self.live.next(&self.subscription).await;
            self.screen.show(&message);
            self.messages += 1;
        }
    }

    /// Takes messages until the figure of the only stat widget is this.
    async fn until_figure(&mut self, figure: f64) {
        self.until(|screen| {
            let mut widgets = screen.widgets.values();
            widgets.any(|widget| widget["value"] == figure)
        })
        .await;
    }
}

/// A dashboard with a figure and a table of a new webhook; returns it with the webhook's URL.
async fn shop(client: &Client) -> (Value, String) {
    let (orders, url) = client.new_webhook("Orders").await;
    let widgets = json!([
        widget("STAT", &orders, 0, json!({})),
        widget("TABLE", &orders, 2, json!({}))
    ]);
    (new_dashboard(client, widgets).await, url)
}

#[tokio::test]
async fn many_see_the_same_and_it_is_encoded_once() {
    const WATCHERS: usize = 20;
    const POSTS: i32 = 6;
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (dashboard, url) = shop(&ann).await;
    let begin = (0..WATCHERS).map(|_| Watcher::start(&ann, &dashboard));
    let mut watchers = futures_util::future::join_all(begin).await;
    let subscriptions = &app.app.subscriptions;
    assert_eq!(subscriptions.executions(), 1);
    let before = subscriptions.encoded();
    for n in 1..=POSTS {
        ann.post(&url, &json!({ "n": n })).await;
        let see = watchers
            .iter_mut()
            .map(|watcher| watcher.until_figure(f64::from(n)));
        futures_util::future::join_all(see).await;
    }
    let rows = |screen: &Screen| {
        let table = screen.widgets.values().find(|data| data["rows"].is_array());
        table.unwrap()["rows"].as_array().unwrap().len()
    };
    for watcher in &mut watchers {
        watcher.until(|screen| rows(screen) == 6).await;
    }
    // Each post changes two widgets, which may come in two messages.
    let encoded = subscriptions.encoded() - before;
    let most = 2 * u64::from(POSTS.unsigned_abs());
    assert!((1..=most).contains(&encoded), "{encoded}");
    assert_eq!(subscriptions.executions(), 1);

    let late = Watcher::start(&ann, &dashboard).await;
    assert_eq!(late.messages, 1, "it comes whole, in one message");
    assert_eq!(late.screen.definition["name"], "Shop");
    for watcher in &watchers {
        assert_eq!(watcher.screen.widgets, late.screen.widgets);
        assert_eq!(watcher.screen.cursor, late.screen.cursor);
    }
    // And it is in step with the others from then on.
    watchers.push(late);
    ann.post(&url, &json!({ "n": 7 })).await;
    let see = watchers.iter_mut().map(|watcher| watcher.until_figure(7.0));
    futures_util::future::join_all(see).await;
}

#[tokio::test]
async fn a_changed_definition_is_told_to_all_who_share() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (dashboard, _) = shop(&ann).await;
    let begin = (0..5).map(|_| Watcher::start(&ann, &dashboard));
    let mut watchers = futures_util::future::join_all(begin).await;
    let input = json!({ "id": dashboard["id"], "name": "Renamed", "widgets": [] });
    ann.done("updateDashboard", "dashboard { id }", input).await;
    for watcher in &mut watchers {
        watcher
            .until(|screen| screen.definition["name"] == "Renamed")
            .await;
        assert_eq!(watcher.screen.definition["widgets"], json!([]));
    }
    ann.done(
        "deleteDashboard",
        "deletedId",
        json!({ "id": dashboard["id"] }),
    )
    .await;
    for watcher in &mut watchers {
        while !watcher.live.next(&watcher.subscription).await.is_null() {}
    }
    assert_eq!(app.app.subscriptions.executions(), 0);
}

#[tokio::test]
async fn everybody_gets_the_shape_that_they_asked_for() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (dashboard, url) = shop(&ann).await;
    let mut live = Live::connect(&ann).await;
    let variables = |more: Value| {
        let mut variables = json!({ "id": dashboard["id"] });
        for (key, value) in more.as_object().unwrap() {
            variables[key] = value.clone();
        }
        variables
    };
    let short = "subscription ($id: ID!) { dashboard(id: $id) { cursor } }";
    let named = "subscription ($id: ID!, $all: Boolean!) { shown: dashboard(id: $id) { data { __typename \
                 ... on StatData @include(if: $all) { value } } } }";
    let short = live.subscribe(short, variables(json!({}))).await;
    let all = live.subscribe(named, variables(json!({"all": true}))).await;
    let some = live
        .subscribe(named, variables(json!({"all": false})))
        .await;
    let whole = live.subscribe(DASHBOARD, variables(json!({}))).await;
    assert_eq!(
        live.next(&short).await,
        json!({"dashboard": {"cursor": "v2"}})
    );
    // What each kind of widget is told to be, by its __typename.
    let kinds = async |live: &mut Live, id: &str| {
        let mut kinds = BTreeMap::new();
        while kinds.len() < 2 {
            let message = live.next(id).await;
            for data in message["shown"]["data"].as_array().unwrap() {
                kinds.insert(
                    data["__typename"].as_str().unwrap().to_owned(),
                    data.clone(),
                );
            }
        }
        kinds
    };
    let stat = json!({"__typename": "StatData"});
    let table = json!({"__typename": "TableData"});
    let told = kinds(&mut live, &all).await;
    assert_eq!(
        told["StatData"],
        json!({"__typename": "StatData", "value": 0.0})
    );
    assert_eq!(told["TableData"], table);
    let told = kinds(&mut live, &some).await;
    assert_eq!((&told["StatData"], &told["TableData"]), (&stat, &table));
    let first = live.next(&whole).await;
    assert_eq!(first["dashboard"]["dashboard"]["name"], "Shop");
    assert_eq!(app.app.subscriptions.executions(), 4);

    ann.post(&url, &json!({ "n": 1 })).await;
    assert_eq!(
        live.next(&short).await,
        json!({"dashboard": {"cursor": "v2"}})
    );
    let told = kinds(&mut live, &all).await;
    assert_eq!(told["StatData"]["value"], 1.0);
    // Two fields at the root are no subscription.
    let two = "subscription ($id: ID!) { a: dashboard(id: $id) { cursor } b: dashboard(id: $id) { cursor } }";
    let two = live.subscribe(two, variables(json!({}))).await;
    let refused = live.next(&two).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    assert!(live.next(&two).await.is_null());
}

#[tokio::test]
async fn a_stranger_with_the_same_document_and_ids_gets_nothing() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (dashboard, url) = shop(&ann).await;
    let mut watcher = Watcher::start(&ann, &dashboard).await;
    let bob = app.owner("bob").await;
    let nobody = app.anonymous();
    for (client, code) in [(&bob, "NOT_FOUND"), (&nobody, "UNAUTHENTICATED")] {
        let mut live = Live::connect(client).await;
        let variables = json!({ "id": dashboard["id"] });
        let subscription = live.subscribe(DASHBOARD, variables).await;
        let refused = live.next(&subscription).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], code);
        assert!(live.next(&subscription).await.is_null(), "it has ended");
    }
    assert_eq!(app.app.subscriptions.executions(), 1);
    ann.post(&url, &json!({ "n": 1 })).await;
    watcher.until_figure(1.0).await;
}

#[tokio::test]
async fn a_log_out_ends_one_of_those_who_share() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (dashboard, url) = shop(&ann).await;
    let elsewhere = app
        .logged_in("ann@corp.test", "correct horse battery")
        .await;
    let leaves = Watcher::start(&elsewhere, &dashboard).await;
    let mut stays = Watcher::start(&ann, &dashboard).await;
    assert_eq!(app.app.subscriptions.executions(), 1);
    elsewhere
        .data("mutation { logOut { userErrors { code } } }", json!({}))
        .await;
    assert_eq!(leaves.live.closed().await, Some(4403));
    ann.post(&url, &json!({ "n": 1 })).await;
    stays.until_figure(1.0).await;
}

#[tokio::test]
async fn what_runs_ends_with_the_last_subscriber() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (dashboard, _) = shop(&ann).await;
    let first = Watcher::start(&ann, &dashboard).await;
    let mut second = Watcher::start(&ann, &dashboard).await;
    let ended = async |live: &mut Live| {
        while app.app.subscriptions.executions() > 0 {
            let query = live.subscribe("{ __typename }", json!({})).await;
            while !live.next(&query).await.is_null() {}
        }
    };
    first.live.cut();
    assert_eq!(app.app.subscriptions.executions(), 1);
    second.live.unsubscribe(&second.subscription).await;
    let patience = Duration::from_secs(20);
    let ended = tokio::time::timeout(patience, ended(&mut second.live)).await;
    assert!(ended.is_ok(), "something runs on");
    let again = Watcher::start(&ann, &dashboard).await;
    assert_eq!(again.messages, 1);
}

#[tokio::test]
async fn a_slow_socket_delays_nobody_and_ends_with_the_newest_state() {
    const POSTS: i64 = 24;
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (orders, url) = ann.new_webhook("Orders").await;
    let table = json!([widget("TABLE", &orders, 0, json!({}))]);
    let dashboard = new_dashboard(&ann, table).await;
    // Many rows of 10 KB: the messages are more than the buffers of both ends hold.
    let padding = "x".repeat(10_000);
    let record = |n: i64| json!({ "n": n, "padding": padding });
    let begin: Vec<_> = (-100..0).map(record).collect();
    ann.post(&url, &json!(begin)).await;
    let newest = |screen: &Screen| {
        let rows = &screen.widgets.values().next()?["rows"];
        rows[0]["cells"][0].as_i64()
    };
    let mut slow = Watcher::start(&ann, &dashboard).await;
    let mut quick = Watcher::start(&ann, &dashboard).await;
    for n in 1..=POSTS {
        ann.post(&url, &record(n)).await;
        quick.until(|screen| newest(screen) == Some(n)).await;
    }
    let mut seen = newest(&slow.screen);
    while seen != Some(POSTS) {
        let message = slow.live.next(&slow.subscription).await;
        slow.screen.show(&message);
        slow.messages += 1;
        let now = newest(&slow.screen);
        assert!(now >= seen, "{now:?} after {seen:?}");
        seen = now;
    }
    assert_eq!(slow.screen.widgets, quick.screen.widgets);
    assert!(
        slow.messages < quick.messages,
        "{} messages reached the slow one, {} the quick one",
        slow.messages,
        quick.messages
    );
}

#[tokio::test]
async fn records_are_encoded_once_for_all_who_follow_them() {
    const FOLLOWERS: usize = 10;
    const POSTS: u64 = 8;
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let follow = async || {
        let mut live = Live::connect(&ann).await;
        let variables = json!({ "id": id, "after": "0" });
        let subscription = live.subscribe(RECORDS, variables).await;
        // The answer shows that the socket has read the message before it.
        let query = live.subscribe("{ __typename }", json!({})).await;
        live.next(&query).await;
        (live, subscription)
    };
    let mut followers = futures_util::future::join_all((0..FOLLOWERS).map(|_| follow())).await;
    let before = app.app.subscriptions.encoded();
    for n in 1..=POSTS {
        ann.post(&url, &json!({ "n": n })).await;
        for (live, subscription) in &mut followers {
            let batch = live.next(subscription).await["pipelineRecords"].clone();
            assert_eq!(batch["cursor"], n.to_string());
            assert_eq!(batch["records"][0]["fields"], json!({ "n": n }));
        }
    }
    let encoded = app.app.subscriptions.encoded() - before;
    assert!((POSTS..3 * POSTS).contains(&encoded), "{encoded}");
}
