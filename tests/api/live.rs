//! Following over a websocket: first everything, then what changes, and after a lost connection
//! neither gap nor duplicate.

use std::collections::BTreeMap;
use std::time::Duration;

use dash_tests::live::Live;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

pub const DASHBOARD: &str = "subscription ($id: ID!, $after: String, $range: TimeRangeInput) { \
                         dashboard(id: $id, after: $after, range: $range) { cursor lastRecordAt \
                         dashboard { name version widgets { id } } data { __typename \
                         ... on StatData { widgetId value previous sparkline } \
                         ... on LineData { widgetId bucketSeconds times series { name values } } \
                         ... on TableData { widgetId columns { field type } rows { id cells } recordsPerMinute } \
                         ... on WidgetFailure { widgetId message } } } }";

pub const RECORDS: &str = "subscription ($id: ID!, $after: String) { pipelineRecords(pipelineId: $id, \
                       after: $after) { cursor records { cursor fields } } }";

const RUNS: &str = "subscription ($id: ID!) { pipelineRuns(pipelineId: $id) { id trigger state received \
                    stored failed } }";

pub fn widget(kind: &str, pipeline: &str, y: i32, more: Value) -> Value {
    let position = json!({ "x": 0, "y": y, "w": 6, "h": 2 });
    let mut widget =
        json!({ "kind": kind, "title": kind, "pipelineId": pipeline, "position": position });
    for (key, value) in more.as_object().unwrap() {
        widget[key] = value.clone();
    }
    widget
}

pub async fn new_dashboard(client: &Client, widgets: Value) -> Value {
    let created = client
        .done(
            "createDashboard",
            "dashboard { id }",
            json!({ "name": "Shop" }),
        )
        .await;
    let input = json!({ "id": created["dashboard"]["id"], "widgets": widgets });
    let selection = "dashboard { id version widgets { id } }";
    client.done("updateDashboard", selection, input).await["dashboard"].clone()
}

/// What a reader of a dashboard sees: the newest state of each widget.
#[derive(Default)]
pub struct Screen {
    pub definition: Value,
    pub cursor: Value,
    pub widgets: BTreeMap<String, Value>,
}

impl Screen {
    pub fn show(&mut self, message: &Value) {
        let update = &message["dashboard"];
        assert!(update.is_object(), "{message}");
        if !update["dashboard"].is_null() {
            self.definition = update["dashboard"].clone();
        }
        self.cursor = update["cursor"].clone();
        for data in update["data"].as_array().unwrap() {
            let id = data["widgetId"].as_str().unwrap().to_owned();
            self.widgets.insert(id, data.clone());
        }
    }

    /// Takes messages until as many widgets as this show something.
    pub async fn fill(&mut self, live: &mut Live, id: &str, widgets: usize) {
        while self.widgets.len() < widgets {
            let message = live.next(id).await;
            self.show(&message);
        }
    }
}

#[tokio::test]
async fn a_dashboard_comes_whole_and_then_only_what_a_record_changes() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (orders, orders_url) = ann.new_webhook("Orders").await;
    let (visits, visits_url) = ann.new_webhook("Visits").await;
    ann.post(&orders_url, &json!([{"n": 1}, {"n": 2}])).await;
    let widgets = json!([
        widget("STAT", &orders, 0, json!({})),
        widget("STAT", &visits, 2, json!({}))
    ]);
    let dashboard = new_dashboard(&ann, widgets).await;
    let [of_orders, of_visits] = [0, 1].map(|n| dashboard["widgets"][n]["id"].as_str().unwrap());

    let mut live = Live::connect(&ann).await;
    let id = live
        .subscribe(DASHBOARD, json!({ "id": dashboard["id"] }))
        .await;
    let first = live.next(&id).await;
    assert_eq!(first["dashboard"]["dashboard"]["name"], "Shop");
    let mut screen = Screen::default();
    screen.show(&first);
    screen.fill(&mut live, &id, 2).await;
    assert_eq!(screen.widgets[of_orders]["value"], 2.0);
    assert_eq!(screen.widgets[of_visits]["value"], 0.0);

    for n in 1..=3 {
        ann.post(&visits_url, &json!({ "n": n })).await;
        let update = live.next(&id).await["dashboard"].clone();
        assert_eq!(
            update["dashboard"],
            Value::Null,
            "the definition is not repeated"
        );
        let [data] = &update["data"].as_array().unwrap()[..] else {
            panic!("one widget changed: {update}")
        };
        assert_eq!(data["widgetId"], of_visits);
        assert_eq!(data["value"], f64::from(n));
    }
    assert!(live.is_silent(&id, Duration::from_millis(300)).await);
}

#[tokio::test]
async fn what_is_shown_live_is_what_is_counted_anew() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (orders, url) = ann.new_webhook("Orders").await;
    let (kinds, field) = (["COUNT", "SUM", "AVG", "MIN", "MAX", "LAST"], "v");
    let mut widgets: Vec<_> = (0..)
        .zip(kinds)
        .map(|(y, kind)| {
            widget(
                "STAT",
                &orders,
                2 * y,
                json!({ "aggregate": kind, "field": field }),
            )
        })
        .collect();
    let by_city = json!({ "aggregate": "SUM", "field": field, "groupBy": "city" });
    widgets.push(widget("LINE", &orders, 20, by_city));
    widgets.push(widget("TABLE", &orders, 30, json!({})));
    let count = widgets.len();
    let dashboard = new_dashboard(&ann, json!(widgets)).await;
    let mut live = Live::connect(&ann).await;
    let id = live
        .subscribe(DASHBOARD, json!({ "id": dashboard["id"] }))
        .await;
    let mut screen = Screen::default();
    screen.fill(&mut live, &id, count).await;
    for n in 0..40_i64 {
        let orders: Vec<_> = (0..n % 7)
            .map(|m| json!({ "v": (n * 31 + m * 17) % 23 - 7, "city": format!("c{}", (n + m) % 11) }))
            .collect();
        ann.post(&url, &json!(orders)).await;
    }
    let query = DASHBOARD.replacen("subscription", "query", 1);
    let query = query
        .replace("$after: String, ", "")
        .replace("after: $after, ", "");
    let query = query.replace("dashboard(id: $id", "dashboardData(id: $id");
    let other = app.beside().await;
    let elsewhere = ann.at(&other.url);
    let fresh = elsewhere
        .data(&query, json!({ "id": dashboard["id"] }))
        .await;
    let mut counted = Screen::default();
    counted.show(&json!({ "dashboard": fresh["dashboardData"] }));
    // Each message brings the screen nearer to it; the test fails when none comes any more.
    while screen.widgets != counted.widgets {
        let message = live.next(&id).await;
        screen.show(&message);
    }
}

#[tokio::test]
async fn a_changed_definition_reaches_those_who_look() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (orders, url) = ann.new_webhook("Orders").await;
    ann.post(&url, &json!({"n": 1})).await;
    let dashboard = new_dashboard(&ann, json!([])).await;
    let mut live = Live::connect(&ann).await;
    let id = live
        .subscribe(DASHBOARD, json!({ "id": dashboard["id"] }))
        .await;
    let first = live.next(&id).await["dashboard"].clone();
    assert_eq!(
        (&first["dashboard"]["version"], &first["data"]),
        (&json!(2), &json!([]))
    );
    let input = json!({ "id": dashboard["id"], "name": "Renamed", "widgets": [widget("STAT", &orders, 0, json!({}))] });
    ann.done("updateDashboard", "dashboard { id }", input).await;
    let second = live.next(&id).await;
    assert_eq!(second["dashboard"]["dashboard"]["name"], "Renamed");
    assert_eq!(second["dashboard"]["dashboard"]["version"], 3);
    let mut screen = Screen::default();
    screen.show(&second);
    screen.fill(&mut live, &id, 1).await;
    assert_eq!(screen.widgets.values().next().unwrap()["value"], 1.0);
}

#[tokio::test]
async fn who_comes_back_with_a_cursor_is_not_told_the_definition_again() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (orders, url) = ann.new_webhook("Orders").await;
    let dashboard = new_dashboard(&ann, json!([widget("STAT", &orders, 0, json!({}))])).await;
    let mut screen = Screen::default();
    let mut live = Live::connect(&ann).await;
    let id = live
        .subscribe(DASHBOARD, json!({ "id": dashboard["id"] }))
        .await;
    screen.fill(&mut live, &id, 1).await;
    live.cut();

    ann.post(&url, &json!({"n": 1})).await;
    let mut live = Live::connect(&ann).await;
    let variables = json!({ "id": dashboard["id"], "after": screen.cursor });
    let id = live.subscribe(DASHBOARD, variables.clone()).await;
    let back = live.next(&id).await["dashboard"].clone();
    assert_eq!(back["dashboard"], Value::Null);
    assert_eq!(back["data"][0]["value"], 1.0, "what was missed is there");
    live.cut();

    ann.done(
        "updateDashboard",
        "dashboard { id }",
        json!({ "id": dashboard["id"], "name": "New" }),
    )
    .await;
    let mut live = Live::connect(&ann).await;
    let id = live.subscribe(DASHBOARD, variables).await;
    let back = live.next(&id).await["dashboard"].clone();
    assert_eq!(back["dashboard"]["name"], "New");
}

#[tokio::test]
async fn a_deleted_dashboard_ends_for_those_who_look() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (orders, _) = ann.new_webhook("Orders").await;
    let dashboard = new_dashboard(&ann, json!([widget("STAT", &orders, 0, json!({}))])).await;
    let mut live = Live::connect(&ann).await;
    let id = live
        .subscribe(DASHBOARD, json!({ "id": dashboard["id"] }))
        .await;
    Screen::default().fill(&mut live, &id, 1).await;
    ann.done(
        "deleteDashboard",
        "deletedId",
        json!({ "id": dashboard["id"] }),
    )
    .await;
    while !live.next(&id).await.is_null() {}
}

#[tokio::test]
async fn a_deleted_pipeline_ends_for_those_who_follow_it_and_is_told_to_those_who_look() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (orders, url) = ann.new_webhook("Orders").await;
    let dashboard = new_dashboard(&ann, json!([widget("STAT", &orders, 0, json!({}))])).await;
    let mut live = Live::connect(&ann).await;
    let board = live
        .subscribe(DASHBOARD, json!({ "id": dashboard["id"] }))
        .await;
    let records = live.subscribe(RECORDS, json!({ "id": orders })).await;
    let runs = live.subscribe(RUNS, json!({ "id": orders })).await;
    let mut screen = Screen::default();
    screen.fill(&mut live, &board, 1).await;
    listening(&mut live, &runs, &ann, &url).await;
    while live.is_silent(&records, Duration::from_millis(50)).await {
        ann.post(&url, &json!({"n": 1})).await;
    }
    ann.done("deletePipeline", "deletedId", json!({ "id": orders }))
        .await;
    while !live.next(&records).await.is_null() {}
    while !live.next(&runs).await.is_null() {}
    while screen.widgets.values().next().unwrap()["__typename"] != "WidgetFailure" {
        screen.show(&live.next(&board).await);
    }
}

#[tokio::test]
async fn a_connection_ends_when_its_session_is_logged_out() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let elsewhere = app
        .logged_in("ann@corp.test", "correct horse battery")
        .await;
    let (live, mut other) = (Live::connect(&ann).await, Live::connect(&elsewhere).await);
    ann.data("mutation { logOut { userErrors { code } } }", json!({}))
        .await;
    assert_eq!(live.closed().await, Some(4403));
    let still = other
        .subscribe("{ viewer { user { name } } }", json!({}))
        .await;
    assert!(other.next(&still).await["viewer"].is_object());
}

#[tokio::test]
async fn a_dashboard_can_be_followed_in_another_range() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let source = json!({ "webhook": {} });
    let input = json!({ "name": "Orders", "source": source, "timeField": "at" });
    let (orders, url) = ann.new_pipeline(input).await;
    let dashboard = new_dashboard(&ann, json!([widget("STAT", &orders, 0, json!({}))])).await;
    let range = json!({ "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z" });
    let mut live = Live::connect(&ann).await;
    let id = live
        .subscribe(DASHBOARD, json!({ "id": dashboard["id"], "range": range }))
        .await;
    Screen::default().fill(&mut live, &id, 1).await;
    let days = json!([{"at": "2026-01-01T12:00:00Z"}, {"at": "2026-01-02T12:00:00Z"}]);
    ann.post(&url, &days).await;
    let update = live.next(&id).await["dashboard"].clone();
    assert_eq!(update["data"][0]["value"], 1.0);
    let bad = json!({ "id": dashboard["id"], "range": {"lastSeconds": 1} });
    let id = live.subscribe(DASHBOARD, bad).await;
    let refused = live.next(&id).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

/// Posts empty lists until a subscription that begins now listens; returns its first message.
async fn listening(live: &mut Live, id: &str, client: &Client, url: &str) -> Value {
    loop {
        client.post(url, &json!([])).await;
        if let Ok(message) = tokio::time::timeout(Duration::from_millis(50), live.next(id)).await {
            return message;
        }
    }
}

#[tokio::test]
async fn records_are_followed_from_a_cursor() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    ann.post(&url, &json!([{"n": 1}, {"n": 2}, {"n": 3}])).await;
    let mut live = Live::connect(&ann).await;
    let from_2 = live
        .subscribe(RECORDS, json!({ "id": id, "after": "2" }))
        .await;
    let batch = live.next(&from_2).await["pipelineRecords"].clone();
    let third = json!({ "cursor": "3", "records": [{ "cursor": "3", "fields": {"n": 3} }] });
    assert_eq!(batch, third);
    ann.post(&url, &json!([{"n": 4}, {"n": 5}])).await;
    let batch = live.next(&from_2).await["pipelineRecords"].clone();
    let both = json!([{"cursor": "4", "fields": {"n": 4}}, {"cursor": "5", "fields": {"n": 5}}]);
    assert_eq!(batch, json!({ "cursor": "5", "records": both }));
    let bad = live
        .subscribe(RECORDS, json!({ "id": id, "after": "nonsense" }))
        .await;
    let refused = live.next(&bad).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn records_are_followed_from_now_on_without_a_cursor_or_with_one_of_the_future() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    ann.post(&url, &json!([{"n": 0}, {"n": 0}, {"n": 0}])).await;
    for after in [Value::Null, json!("99")] {
        let mut live = Live::connect(&ann).await;
        let from_now = live
            .subscribe(RECORDS, json!({ "id": id, "after": after }))
            .await;
        // It listens when the first record comes; those before it are not told.
        let mut posted = 0;
        let first = loop {
            posted += 1;
            ann.post(&url, &json!({ "n": posted })).await;
            let wait = Duration::from_millis(50);
            if let Ok(batch) = tokio::time::timeout(wait, live.next(&from_now)).await {
                break batch;
            }
        };
        let n = |batch: &Value| batch["pipelineRecords"]["records"][0]["fields"]["n"].as_i64();
        let mut newest = n(&first).unwrap();
        assert!(newest >= 1, "a record from before: {first}");
        while newest < posted {
            let batch = live.next(&from_now).await;
            assert_eq!(n(&batch), Some(newest + 1));
            newest += 1;
        }
    }
}

#[tokio::test]
async fn runs_are_followed_with_their_failures() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let mut live = Live::connect(&ann).await;
    let runs = live.subscribe(RUNS, json!({ "id": id })).await;
    let first = listening(&mut live, &runs, &ann, &url).await["pipelineRuns"].clone();
    assert_eq!(
        (&first["trigger"], &first["state"]),
        (&json!("WEBHOOK"), &json!("SUCCEEDED"))
    );
    for (body, state, stored, failed) in [
        (json!([{"n": 1}, 2]), "PARTIAL", 1, 1),
        (json!([3]), "FAILED", 0, 1),
        (json!({"n": 2}), "SUCCEEDED", 1, 0),
    ] {
        ann.post(&url, &body).await;
        let run = loop {
            let run = live.next(&runs).await["pipelineRuns"].clone();
            // Those from before it was known to listen.
            if run["received"] != 0 {
                break run;
            }
        };
        assert_eq!(run["state"], state, "{body}");
        assert_eq!(
            (&run["stored"], &run["failed"]),
            (&json!(stored), &json!(failed))
        );
        let query = "query ($id: ID!) { node(id: $id) { id } }";
        let found = ann.data(query, json!({ "id": run["id"] })).await;
        assert_eq!(found["node"]["id"], run["id"]);
    }
}

/// A number below `limit`, by chance.
fn chance(limit: u128) -> u128 {
    (uuid::Uuid::now_v7().as_u128() & 0xffff_ffff) % limit
}

#[tokio::test]
async fn a_connection_that_is_cut_again_and_again_misses_and_repeats_nothing() {
    const RECORDS_IN_ALL: usize = 600;
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let post = async {
        let mut sent = 0;
        while sent < RECORDS_IN_ALL {
            let some = usize::try_from(1 + chance(5))
                .unwrap()
                .min(RECORDS_IN_ALL - sent);
            let records: Vec<_> = (sent..sent + some).map(|n| json!({ "n": n })).collect();
            assert_eq!(ann.post(&url, &json!(records)).await.status, 200);
            sent += some;
        }
    };
    let follow = async {
        let mut cursor = "0".to_owned();
        let mut seen = Vec::new();
        let mut cuts = 0;
        while seen.len() < RECORDS_IN_ALL {
            let mut live = Live::connect(&ann).await;
            let variables = json!({ "id": id, "after": cursor });
            let subscription = live.subscribe(RECORDS, variables).await;
            for _ in 0..chance(6) {
                if seen.len() >= RECORDS_IN_ALL {
                    break;
                }
                let batch = live.next(&subscription).await["pipelineRecords"].clone();
                for record in batch["records"].as_array().unwrap() {
                    let seq: usize = record["cursor"].as_str().unwrap().parse().unwrap();
                    seen.push((seq, record["fields"]["n"].as_u64().unwrap()));
                }
                cursor = batch["cursor"].as_str().unwrap().to_owned();
            }
            live.cut();
            cuts += 1;
        }
        (seen, cuts)
    };
    let ((), (seen, cuts)) = tokio::join!(post, follow);
    let expected: Vec<_> = (1..=RECORDS_IN_ALL).zip(0..).collect();
    assert_eq!(seen, expected, "after {cuts} cuts");
    assert!(cuts > 1);
}

#[tokio::test]
async fn many_subscriptions_share_a_socket_and_end_one_by_one() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let mut live = Live::connect(&ann).await;
    let mut followed = Vec::new();
    for n in 0..10 {
        let (id, url) = ann.new_webhook(&format!("Feed {n}")).await;
        let subscription = live
            .subscribe(RECORDS, json!({ "id": id, "after": "0" }))
            .await;
        followed.push((subscription, url));
    }
    for (n, (_, url)) in followed.iter().enumerate() {
        ann.post(url, &json!({ "n": n })).await;
    }
    for (n, (subscription, _)) in followed.iter().enumerate().rev() {
        let batch = live.next(subscription).await["pipelineRecords"].clone();
        assert_eq!(batch["records"][0]["fields"]["n"], n);
    }
    let (first, url) = &followed[0];
    live.unsubscribe(first).await;
    // The answer shows that the socket has read the message before it.
    let query = live.subscribe("{ __typename }", json!({})).await;
    assert_eq!(live.next(&query).await["__typename"], "Query");
    assert!(live.next(&query).await.is_null());
    ann.post(url, &json!({"n": "unseen"})).await;
    assert!(live.is_silent(first, Duration::from_millis(200)).await);
    ann.post(&followed[1].1, &json!({"n": "seen"})).await;
    let batch = live.next(&followed[1].0).await["pipelineRecords"].clone();
    assert_eq!(batch["records"][0]["fields"]["n"], "seen");
}

#[tokio::test]
async fn a_slow_reader_holds_up_nobody_and_misses_nothing() {
    // More than the buffers of both ends hold, in few requests.
    const POSTS: usize = 24;
    const RECORDS_EACH: usize = 10;
    const ALL: usize = POSTS * RECORDS_EACH;
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let variables = || json!({ "id": id, "after": "0" });
    let mut slow = Live::connect(&ann).await;
    let of_slow = slow.subscribe(RECORDS, variables()).await;
    let mut quick = Live::connect(&ann).await;
    let of_quick = quick.subscribe(RECORDS, variables()).await;
    let read = async |live: &mut Live, id: &str| {
        let mut seen = Vec::new();
        while seen.len() < ALL {
            let batch = live.next(id).await["pipelineRecords"].clone();
            let records = batch["records"].as_array().unwrap().iter();
            seen.extend(records.map(|record| record["fields"]["n"].as_u64().unwrap()));
        }
        seen
    };
    let padding = "x".repeat(50_000);
    let record = |n: usize| json!({ "n": n, "padding": padding });
    let post = async {
        for first in (0..ALL).step_by(RECORDS_EACH) {
            let records: Vec<_> = (first..first + RECORDS_EACH).map(record).collect();
            assert_eq!(ann.post(&url, &json!(records)).await.status, 200);
        }
    };
    let expected: Vec<u64> = (0..).take(ALL).collect();
    let ((), seen) = tokio::join!(post, read(&mut quick, &of_quick));
    assert_eq!(seen, expected);
    assert_eq!(read(&mut slow, &of_slow).await, expected);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_connect_with_a_session() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    for origin in ["https://evil.test", "null", "http://127.0.0.1:1"] {
        let refused = Live::connect_from(&ann, origin).await;
        assert_eq!(refused.err(), Some(403), "{origin}");
    }
    assert!(Live::connect_from(&ann, &app.url).await.is_ok());
}
