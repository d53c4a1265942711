//! Dashboards: making and changing them, and what their widgets show, exactly.

use dash_shared::timestamps::{format_ms, parse_ms};
use dash_tests::app::START_MS;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const MINUTE_MS: i64 = 60_000;

/// All that widgets show.
const DATA: &str = "__typename ... on StatData { widgetId value previous sparkline } \
                    ... on LineData { widgetId bucketSeconds times series { name values } } \
                    ... on TableData { widgetId columns { field label type } rows { id time cells } recordsPerMinute } \
                    ... on WidgetFailure { widgetId message }";

const DASHBOARD: &str = "dashboard { id name version range { lastSeconds from to } widgets { id kind title pipelineId aggregate \
                         field groupBy columns unit decimals trendMeaning color position { x y w h } } }";

fn widget(kind: &str, pipeline: &str, y: i32, more: Value) -> Value {
    let position = json!({ "x": 0, "y": y, "w": 6, "h": 2 });
    let mut widget =
        json!({ "kind": kind, "title": kind, "pipelineId": pipeline, "position": position });
    for (key, value) in more.as_object().unwrap() {
        widget[key] = value.clone();
    }
    widget
}

fn stat(pipeline: &str, aggregate: &str) -> Value {
    widget(
        "STAT",
        pipeline,
        0,
        json!({ "aggregate": aggregate, "field": "v" }),
    )
}

async fn new_dashboard(client: &Client, widgets: Value) -> Value {
    let created = client
        .done(
            "createDashboard",
            "dashboard { id }",
            json!({ "name": "Shop" }),
        )
        .await;
    let input = json!({ "id": created["dashboard"]["id"], "widgets": widgets });
    client.done("updateDashboard", DASHBOARD, input).await["dashboard"].clone()
}

async fn preview(client: &Client, widget: Value, range: Value) -> Value {
    let query = format!(
        "query ($widget: WidgetInput!, $range: TimeRangeInput!) {{ widgetPreview(widget: $widget, \
         range: $range) {{ {DATA} }} }}"
    );
    let variables = json!({ "widget": widget, "range": range });
    client.data(&query, variables).await["widgetPreview"].clone()
}

/// A time on the day of the tests.
fn at(hours: i64, minutes: i64) -> String {
    format_ms(START_MS - 12 * 60 * MINUTE_MS + (hours * 60 + minutes) * MINUTE_MS)
}

fn between(from: (i64, i64), to: (i64, i64)) -> Value {
    json!({ "from": at(from.0, from.1), "to": at(to.0, to.1) })
}

/// A Dash at noon, somebody there, and a pipeline with orders of the morning.
async fn orders() -> (TestApp, Client, String) {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let source = json!({ "webhook": {} });
    let input = json!({ "name": "Orders", "source": source, "timeField": "at" });
    let (id, url) = ann.new_pipeline(input).await;
    let orders = json!([
        {"at": at(9, 30), "v": 100, "city": "Lyon"},
        {"at": at(9, 59), "v": -4, "city": "Graz"},
        {"at": at(10, 0), "v": 1, "city": "Lyon", "note": "é"},
        {"at": at(10, 20), "v": 2, "city": "Graz"},
        {"at": at(10, 50), "v": 6, "city": "Lyon"},
        {"at": at(10, 49), "v": "six", "city": "Lyon"},
        {"at": at(10, 48), "v": null, "city": null},
        {"at": at(11, 0), "v": 50, "city": "Oslo"},
        {"at": at(11, 58), "v": 7, "city": "Oslo"},
    ]);
    assert_eq!(ann.post(&url, &orders).await.json["stored"], 9);
    (app, ann, id)
}

#[tokio::test]
async fn figures_are_exact_for_the_range_and_the_one_before() {
    let (_app, ann, id) = orders().await;
    let hour = between((10, 0), (11, 0));
    for (aggregate, value, previous) in [
        ("COUNT", json!(5.0), json!(2.0)),
        ("SUM", json!(9.0), json!(96.0)),
        ("AVG", json!(3.0), json!(48.0)),
        ("MIN", json!(1.0), json!(-4.0)),
        ("MAX", json!(6.0), json!(100.0)),
        ("LAST", json!(6.0), json!(-4.0)),
    ] {
        let shown = preview(&ann, stat(&id, aggregate), hour.clone()).await;
        assert_eq!(
            (&shown["value"], &shown["previous"]),
            (&value, &previous),
            "{aggregate}"
        );
    }
    let shown = preview(&ann, stat(&id, "MAX"), hour).await;
    let mut course = vec![Value::Null; 30];
    (course[0], course[10], course[25]) = (json!(1.0), json!(2.0), json!(6.0));
    assert_eq!(shown["sparkline"], json!(course));
}

#[tokio::test]
async fn a_range_up_to_now_moves_with_the_clock() {
    let (app, ann, id) = orders().await;
    let quarter = json!({ "lastSeconds": 900 });
    let shown = preview(&ann, stat(&id, "SUM"), quarter.clone()).await;
    assert_eq!(shown["value"], 7.0);
    assert_eq!(shown["sparkline"].as_array().unwrap().len(), 30);
    app.clock.advance_ms(14 * MINUTE_MS);
    let shown = preview(&ann, stat(&id, "SUM"), quarter.clone()).await;
    assert_eq!(
        (&shown["value"], &shown["previous"]),
        (&json!(0.0), &json!(7.0))
    );
    app.clock.advance_ms(16 * MINUTE_MS);
    let shown = preview(&ann, stat(&id, "AVG"), quarter).await;
    assert_eq!(
        (&shown["value"], &shown["previous"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn lines_have_a_value_for_each_bucket_and_the_largest_group_first() {
    let (_app, ann, id) = orders().await;
    let line = widget(
        "LINE",
        &id,
        0,
        json!({ "aggregate": "SUM", "field": "v", "groupBy": "city" }),
    );
    let shown = preview(&ann, line, between((10, 0), (11, 0))).await;
    assert_eq!(shown["bucketSeconds"], 60);
    let times = shown["times"].as_array().unwrap();
    assert_eq!(times.len(), 60);
    assert_eq!(parse_ms(&times[20]), parse_ms(&json!(at(10, 20))));
    let names: Vec<_> = shown["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["name"].clone())
        .collect();
    assert_eq!(names, [json!("Lyon"), json!("Graz")]);
    let nonzero = |line: usize| -> Vec<(usize, f64)> {
        let values = shown["series"][line]["values"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate();
        values
            .map(|(minute, value)| (minute, value.as_f64().unwrap()))
            .filter(|(_, value)| value.abs() > 0.0)
            .collect()
    };
    assert_eq!(nonzero(0), [(0, 1.0), (50, 6.0)]);
    assert_eq!(nonzero(1), [(20, 2.0)]);
    let more = json!({ "groupBy": "city" });
    let counted = preview(
        &ann,
        widget("LINE", &id, 0, more),
        between((10, 0), (11, 0)),
    )
    .await;
    let names = counted["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["name"].clone());
    let expected = ["Lyon", "(none)", "Graz"].map(|name| json!(name));
    assert_eq!(names.collect::<Vec<_>>(), expected);

    let count = preview(
        &ann,
        widget("LINE", &id, 0, json!({})),
        between((10, 0), (11, 0)),
    )
    .await;
    assert_eq!(count["series"].as_array().unwrap().len(), 1);
    assert_eq!(count["series"][0]["name"], "");
    let values = count["series"][0]["values"].as_array().unwrap();
    let sum: f64 = values.iter().filter_map(Value::as_f64).sum();
    assert_eq!(
        (sum, &values[48], &values[47]),
        (5.0, &json!(1.0), &json!(0.0))
    );
}

#[tokio::test]
async fn lines_up_to_now_end_with_the_bucket_of_now() {
    let (_app, ann, id) = orders().await;
    let line = widget("LINE", &id, 0, json!({}));
    let shown = preview(&ann, line, json!({ "lastSeconds": 3600 })).await;
    let times = shown["times"].as_array().unwrap();
    assert_eq!(parse_ms(times.last().unwrap()), Some(START_MS));
    assert_eq!(parse_ms(&times[0]), Some(START_MS - 59 * MINUTE_MS));
    let values = shown["series"][0]["values"].as_array().unwrap();
    assert_eq!((values.len(), &values[57]), (60, &json!(1.0)));
}

#[tokio::test]
async fn of_many_groups_the_eight_largest_are_lines() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let orders: Vec<_> = (1..=20)
        .map(|n| json!({ "city": format!("c{n}"), "v": n }))
        .collect();
    ann.post(&url, &json!(orders)).await;
    let more = json!({ "aggregate": "SUM", "field": "v", "groupBy": "city" });
    let shown = preview(
        &ann,
        widget("LINE", &id, 0, more),
        json!({ "lastSeconds": 900 }),
    )
    .await;
    let series = shown["series"].as_array().unwrap();
    let names: Vec<_> = series
        .iter()
        .map(|line| line["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["c20", "c19", "c18", "c17", "c16", "c15", "c14", "c13"]
    );
}

#[tokio::test]
async fn a_table_shows_the_newest_records_by_their_own_time() {
    let (_app, ann, id) = orders().await;
    let table = widget(
        "TABLE",
        &id,
        0,
        json!({ "columns": ["city", "v", "nothing"] }),
    );
    let shown = preview(&ann, table, between((10, 0), (11, 0))).await;
    let columns = json!([
        {"field": "city", "label": "city", "type": "TEXT"},
        {"field": "v", "label": "v", "type": "TEXT"},
        {"field": "nothing", "label": "nothing", "type": "TEXT"},
    ]);
    assert_eq!(shown["columns"], columns);
    let rows = shown["rows"].as_array().unwrap();
    let cells: Vec<_> = rows.iter().map(|row| row["cells"].clone()).collect();
    let expected = [
        json!(["Lyon", 6, null]),
        json!(["Lyon", "six", null]),
        json!([null, null, null]),
        json!(["Graz", 2, null]),
        json!(["Lyon", 1, null]),
    ];
    assert_eq!(cells, expected);
    assert_eq!(parse_ms(&rows[0]["time"]), parse_ms(&json!(at(10, 50))));
    assert_eq!(rows[0]["id"], format!("{id}.5"));

    let all = widget("TABLE", &id, 0, json!({}));
    let shown = preview(&ann, all, between((10, 0), (10, 10))).await;
    let fields: Vec<_> = shown["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| (column["field"].clone(), column["type"].clone()))
        .collect();
    let expected = [
        ("at", "TIME"),
        ("v", "NUMBER"),
        ("city", "TEXT"),
        ("note", "TEXT"),
    ];
    assert_eq!(
        fields,
        expected.map(|(field, of)| (json!(field), json!(of)))
    );
    assert_eq!(
        shown["rows"][0]["cells"],
        json!([at(10, 0), 1, "Lyon", "é"])
    );
}

#[tokio::test]
async fn a_table_has_at_most_50_rows_and_counts_what_came_in_during_the_last_minute() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let orders: Vec<_> = (0..120).map(|n| json!({ "n": n })).collect();
    ann.post(&url, &json!(orders)).await;
    app.clock.advance_ms(30_000);
    ann.post(&url, &json!({"n": 120})).await;
    let table = || widget("TABLE", &id, 0, json!({ "columns": ["n"] }));
    let shown = preview(&ann, table(), json!({ "lastSeconds": 900 })).await;
    let rows = shown["rows"].as_array().unwrap();
    assert_eq!(
        (rows.len(), &rows[0]["cells"], &rows[49]["cells"]),
        (50, &json!([120]), &json!([71]))
    );
    assert_eq!(shown["recordsPerMinute"], 121);
    app.clock.advance_ms(30_000);
    let shown = preview(&ann, table(), json!({ "lastSeconds": 900 })).await;
    assert_eq!(shown["recordsPerMinute"], 1);
}

#[tokio::test]
async fn records_that_happened_long_ago_came_in_just_now() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let source = json!({ "webhook": {} });
    let input = json!({ "name": "Old", "source": source, "timeField": "at" });
    let (id, url) = ann.new_pipeline(input).await;
    ann.post(&url, &json!([{"at": "2018-02-07"}, {"at": "2018-02-08"}]))
        .await;
    let table = widget("TABLE", &id, 0, json!({}));
    let shown = preview(&ann, table, json!({ "lastSeconds": 900 })).await;
    assert_eq!(
        (&shown["rows"], &shown["recordsPerMinute"]),
        (&json!([]), &json!(2))
    );
}

#[tokio::test]
async fn a_dashboard_shows_all_its_widgets_in_its_own_range_or_another_one() {
    let (_app, ann, id) = orders().await;
    let table = widget("TABLE", &id, 2, json!({ "columns": ["v"] }));
    let dashboard = new_dashboard(&ann, json!([stat(&id, "COUNT"), table])).await;
    let query = format!(
        "query ($id: ID!, $range: TimeRangeInput) {{ dashboardData(id: $id, range: $range) {{ cursor \
         lastRecordAt dashboard {{ version }} data {{ {DATA} }} }} }}"
    );
    let show = async |range: Value| {
        let variables = json!({ "id": dashboard["id"], "range": range });
        ann.data(&query, variables).await["dashboardData"].clone()
    };
    let shown = show(Value::Null).await;
    assert_eq!(shown["dashboard"]["version"], 2);
    assert_eq!(parse_ms(&shown["lastRecordAt"]), Some(START_MS));
    assert_eq!(shown["data"][0]["value"], 9.0);
    assert_eq!(shown["data"][0]["widgetId"], dashboard["widgets"][0]["id"]);
    assert_eq!(shown["data"][1]["rows"].as_array().unwrap().len(), 9);
    let shown = show(between((9, 0), (10, 0))).await;
    assert_eq!(shown["data"][0]["value"], 2.0);
    assert_eq!(shown["data"][1]["rows"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn ranges_that_make_no_sense_are_refused() {
    let (_app, ann, id) = orders().await;
    let dashboard = new_dashboard(&ann, json!([])).await;
    let query = "query ($widget: WidgetInput!, $range: TimeRangeInput!) { widgetPreview(widget: \
                 $widget, range: $range) { __typename } }";
    for range in [
        json!({}),
        json!({ "lastSeconds": 59 }),
        json!({ "lastSeconds": 0 }),
        json!({ "lastSeconds": -900 }),
        json!({ "lastSeconds": 400 * 86_400 + 1 }),
        json!({ "from": at(10, 0) }),
        json!({ "to": at(10, 0) }),
        json!({ "from": at(10, 0), "to": at(10, 0) }),
        json!({ "from": at(11, 0), "to": at(10, 0) }),
        json!({ "from": at(10, 0), "to": at(11, 0), "lastSeconds": 900 }),
        json!({ "from": "0001-01-01T00:00:00Z", "to": "9999-12-31T00:00:00Z" }),
    ] {
        let variables = json!({ "widget": stat(&id, "SUM"), "range": range });
        assert_eq!(
            ann.error_code(query, variables).await,
            "BAD_USER_INPUT",
            "{range}"
        );
        let input = json!({ "id": dashboard["id"], "range": range });
        let errors = ann.user_errors("updateDashboard", input).await;
        assert_eq!(errors.len(), 1, "{range}");
        assert!(errors[0].starts_with("range "), "{range}: {errors:?}");
    }
}

#[tokio::test]
async fn a_dashboard_begins_empty_or_with_widgets_that_suit_a_pipeline() {
    let (_app, ann, id) = orders().await;
    let created = ann
        .done("createDashboard", DASHBOARD, json!({ "name": " Shop " }))
        .await;
    let dashboard = &created["dashboard"];
    assert_eq!(
        (&dashboard["name"], &dashboard["version"]),
        (&json!("Shop"), &json!(1))
    );
    assert_eq!(dashboard["widgets"], json!([]));
    assert_eq!(
        dashboard["range"],
        json!({ "lastSeconds": 86_400, "from": null, "to": null })
    );

    let input = json!({ "name": "Suggested", "pipelineId": id });
    let created = ann.done("createDashboard", DASHBOARD, input).await;
    let widgets = created["dashboard"]["widgets"].as_array().unwrap();
    let titles: Vec<_> = widgets
        .iter()
        .map(|widget| widget["title"].as_str().unwrap())
        .collect();
    assert_eq!(titles, ["Records", "Records over time", "Latest records"]);
    assert!(
        widgets
            .iter()
            .all(|widget| widget["pipelineId"] == json!(id))
    );
    let again = json!({ "id": created["dashboard"]["id"], "widgets": as_input(widgets) });
    ann.done("updateDashboard", "dashboard { id }", again).await;
}

/// Widgets as they were read, to be saved again.
fn as_input(widgets: &[Value]) -> Value {
    json!(widgets)
}

#[tokio::test]
async fn a_dashboard_keeps_what_was_saved_and_what_was_left_out() {
    let (_app, ann, id) = orders().await;
    let more = json!({
        "aggregate": "SUM", "field": "v", "groupBy": "city", "columns": ["city", "a.b"], "unit": "€",
        "decimals": 2, "trendMeaning": "UP_IS_BAD", "color": 8, "title": " Revenue ",
    });
    let saved = new_dashboard(&ann, json!([widget("LINE", &id, 3, more)])).await;
    let expected = json!({
        "id": saved["widgets"][0]["id"], "kind": "LINE", "title": "Revenue", "pipelineId": id,
        "aggregate": "SUM", "field": "v", "groupBy": "city", "columns": ["city", "a.b"], "unit": "€",
        "decimals": 2, "trendMeaning": "UP_IS_BAD", "color": 8,
        "position": {"x": 0, "y": 3, "w": 6, "h": 2},
    });
    assert_eq!(saved["widgets"], json!([expected]));
    let input = json!({ "id": saved["id"], "name": "Renamed", "range": {"lastSeconds": 900} });
    let changed = ann.done("updateDashboard", DASHBOARD, input).await["dashboard"].clone();
    assert_eq!(changed["version"], 3);
    assert_eq!(changed["name"], "Renamed");
    assert_eq!(changed["range"]["lastSeconds"], 900);
    assert_eq!(changed["widgets"], saved["widgets"]);
}

#[tokio::test]
async fn of_two_who_change_a_dashboard_the_second_one_is_told() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let dashboard = new_dashboard(&ann, json!([])).await;
    let change = |name: &str, version: Value| json!({ "id": dashboard["id"], "name": name, "version": version });
    ann.done("updateDashboard", DASHBOARD, change("First", json!(2)))
        .await;
    let errors = ann
        .user_errors("updateDashboard", change("Second", json!(2)))
        .await;
    assert_eq!(errors, ["version CONFLICT"]);
    let saved = ann
        .done("updateDashboard", DASHBOARD, change("Third", Value::Null))
        .await;
    assert_eq!(
        (&saved["dashboard"]["version"], &saved["dashboard"]["name"]),
        (&json!(4), &json!("Third"))
    );

    let races =
        (0..10).map(|n| ann.user_errors("updateDashboard", change(&n.to_string(), json!(4))));
    let outcomes = futures_util::future::join_all(races).await;
    let won = outcomes.iter().filter(|errors| errors.is_empty()).count();
    assert_eq!(won, 1, "{outcomes:?}");
}

#[tokio::test]
async fn widgets_with_mistakes_are_refused_with_their_place() {
    let (_app, ann, id) = orders().await;
    let dashboard = new_dashboard(&ann, json!([stat(&id, "SUM")])).await;
    let check = async |widgets: Value, expected: &[&str]| {
        let input = json!({ "id": dashboard["id"], "widgets": widgets });
        assert_eq!(
            ann.user_errors("updateDashboard", input).await,
            expected,
            "{widgets}"
        );
    };
    let with = |more: Value| widget("STAT", &id, 0, more);
    let place = |x: i32, y: i32, w: i32, h: i32| {
        with(json!({ "position": {"x": x, "y": y, "w": w, "h": h} }))
    };
    check(
        json!([place(0, 0, 6, 2), place(5, 1, 6, 2)]),
        &["widgets.1.position INVALID"],
    )
    .await;
    for (x, y, w, h) in [
        (-1, 0, 3, 2),
        (10, 0, 3, 2),
        (0, 0, 0, 2),
        (0, 0, 13, 2),
        (0, 199, 3, 2),
        (i32::MAX, i32::MAX, i32::MAX, i32::MAX),
    ] {
        check(json!([place(x, y, w, h)]), &["widgets.0.position INVALID"]).await;
    }
    check(
        json!([with(json!({"aggregate": "SUM"}))]),
        &["widgets.0.field REQUIRED"],
    )
    .await;
    check(
        json!([with(json!({"aggregate": "SUM", "field": "a..b"}))]),
        &["widgets.0.field INVALID"],
    )
    .await;
    check(
        json!([with(json!({"groupBy": "a["}))]),
        &["widgets.0.groupBy INVALID"],
    )
    .await;
    check(json!([with(json!({"columns": ["ok", ""]}))]), &[]).await;
    check(
        json!([with(json!({"columns": vec!["a"; 21]}))]),
        &["widgets.0.columns TOO_LONG"],
    )
    .await;
    check(
        json!([with(json!({"color": 9}))]),
        &["widgets.0.color INVALID"],
    )
    .await;
    check(
        json!([with(json!({"decimals": 7}))]),
        &["widgets.0.decimals INVALID"],
    )
    .await;
    check(
        json!([with(json!({"decimals": -1}))]),
        &["widgets.0.decimals INVALID"],
    )
    .await;
    check(
        json!([with(json!({"unit": "x".repeat(13)}))]),
        &["widgets.0.unit TOO_LONG"],
    )
    .await;
    check(
        json!([with(json!({"title": "x".repeat(101)}))]),
        &["widgets.0.title TOO_LONG"],
    )
    .await;
    check(
        json!([with(json!({"id": "nonsense"}))]),
        &["widgets.0.id INVALID"],
    )
    .await;
    check(
        json!([with(json!({"pipelineId": "nonsense"}))]),
        &["widgets.0.pipelineId INVALID"],
    )
    .await;
    let unknown = "pip_00000000000000000000000000";
    check(
        json!([with(json!({"pipelineId": unknown}))]),
        &["widgets.0.pipelineId INVALID"],
    )
    .await;
    let rows: Vec<_> = (0..41)
        .map(|row| widget("STAT", &id, 2 * row, json!({})))
        .collect();
    check(json!(rows), &["widgets TOO_LONG"]).await;
    let input = json!({ "id": dashboard["id"], "name": " " });
    assert_eq!(
        ann.user_errors("updateDashboard", input).await,
        ["name REQUIRED"]
    );
    assert_eq!(
        ann.user_errors("createDashboard", json!({ "name": "" }))
            .await,
        ["name REQUIRED"]
    );
}

#[tokio::test]
async fn a_widget_outlives_its_pipeline_and_says_so() {
    let (_app, ann, id) = orders().await;
    let (other, _) = ann.new_webhook("Other").await;
    let second = widget("STAT", &other, 2, json!({}));
    let dashboard = new_dashboard(&ann, json!([stat(&id, "SUM"), second])).await;
    ann.done("deletePipeline", "deletedId", json!({ "id": id }))
        .await;
    let query = format!("query ($id: ID!) {{ dashboardData(id: $id) {{ data {{ {DATA} }} }} }}");
    let shown = ann.data(&query, json!({ "id": dashboard["id"] })).await;
    let data = &shown["dashboardData"]["data"];
    assert_eq!(data[0]["__typename"], "WidgetFailure");
    assert_eq!(data[0]["widgetId"], dashboard["widgets"][0]["id"]);
    let message = data[0]["message"].as_str().unwrap();
    assert!(message.contains("was deleted"), "{message}");
    assert_eq!(
        (&data[1]["__typename"], &data[1]["value"]),
        (&json!("StatData"), &json!(0.0))
    );
    // The dashboard can be saved again with it, but no other widget can have it.
    let input = json!({ "id": dashboard["id"], "widgets": dashboard["widgets"] });
    ann.done("updateDashboard", DASHBOARD, input).await;
    let other = new_dashboard(&ann, json!([])).await;
    let input = json!({ "id": other["id"], "widgets": [stat(&id, "SUM")] });
    let errors = ann.user_errors("updateDashboard", input).await;
    assert_eq!(errors, ["widgets.0.pipelineId INVALID"]);
}

#[tokio::test]
async fn a_deleted_dashboard_is_gone_and_its_pipelines_stay() {
    let (_app, ann, id) = orders().await;
    let dashboard = new_dashboard(&ann, json!([stat(&id, "SUM")])).await;
    let deleted = ann
        .done(
            "deleteDashboard",
            "deletedId",
            json!({ "id": dashboard["id"] }),
        )
        .await;
    assert_eq!(deleted["deletedId"], dashboard["id"]);
    let query = "query ($id: ID!) { dashboard(id: $id) { id } }";
    assert_eq!(
        ann.error_code(query, json!({ "id": dashboard["id"] }))
            .await,
        "NOT_FOUND"
    );
    let query =
        "mutation ($input: DeleteDashboardInput!) { deleteDashboard(input: $input) { deletedId } }";
    let code = ann
        .error_code(query, json!({ "input": { "id": dashboard["id"] } }))
        .await;
    assert_eq!(code, "NOT_FOUND");
    assert_eq!(ann.pipeline(&id).await["recordCount"], 9.0);
}
