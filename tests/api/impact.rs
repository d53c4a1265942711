//! The impact preview: what a change would have done to the last day, and which widgets it touches.

use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const IMPACT: &str = "query ($input: ImpactPreviewInput!) { impactPreview(input: $input) { impact { \
    events complete unchanged changed newlyDropped newlyStored newlyFailing mended \
    examples { kind received before { records error { message } } after { records error { message } } } \
    fields { path typeBefore typeAfter recordsBefore recordsAfter } \
    widgets { dashboardName title fields } } userErrors { field message code } } }";

async fn impact(client: &Client, id: &str, steps: Value) -> Value {
    let input = json!({ "pipelineId": id, "steps": steps });
    let found = client.data(IMPACT, json!({ "input": input })).await["impactPreview"].clone();
    assert_eq!(found["userErrors"], json!([]));
    found["impact"].clone()
}

fn counts(impact: &Value) -> Vec<i64> {
    [
        "events",
        "unchanged",
        "changed",
        "newlyDropped",
        "newlyStored",
        "newlyFailing",
        "mended",
    ]
    .map(|name| impact[name].as_i64().unwrap())
    .to_vec()
}

#[tokio::test]
async fn a_change_is_tried_on_what_came_in_during_the_last_day() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let steps = json!([{ "kind": "cast", "fields": [{ "field": "total", "type": "number" }] },
                       { "kind": "filter", "formula": "total < 100" }]);
    let input = json!({ "name": "Orders", "source": { "webhook": {} }, "steps": steps });
    let (id, url) = ann.new_pipeline(input).await;
    ann.post(&url, &json!({"total": "50", "old": true})).await;
    app.clock.advance_ms(25 * 3_600_000);
    let sent = json!([
        {"total": "1", "sku": "a"}, {"total": "2", "sku": "b"}, {"total": "200", "sku": "c"},
        {"total": "n/a", "sku": "d"}, {"total": "30", "sku": 7}
    ]);
    ann.post(&url, &sent).await;
    let same = impact(&ann, &id, steps).await;
    assert_eq!(counts(&same), [5, 5, 0, 0, 0, 0, 0]);
    assert_eq!(
        (&same["complete"], &same["fields"]),
        (&json!(true), &json!([]))
    );

    let changed = json!([
        { "kind": "cast", "fields": [{ "field": "total", "type": "number" }], "on_error": "keep" },
        { "kind": "filter", "formula": "total == null or total != 2" },
        { "kind": "calculate", "fields": [{ "field": "sku", "formula": "upper(sku)" }] },
        { "kind": "rename", "fields": [{ "from": "total", "to": "eur" }] },
    ]);
    let found = impact(&ann, &id, changed).await;
    assert_eq!(counts(&found), [5, 0, 1, 1, 1, 1, 1], "{found:#}");
    let example = |kind: &str| {
        let examples = found["examples"].as_array().unwrap().iter();
        let mut of_kind = examples.filter(|example| example["kind"] == kind);
        of_kind.next().unwrap().clone()
    };
    let one = example("CHANGED");
    assert_eq!(one["received"], sent[0]);
    assert_eq!(one["before"]["records"], json!([{"total": 1, "sku": "a"}]));
    assert_eq!(one["after"]["records"], json!([{"sku": "A", "eur": 1}]));
    assert_eq!(example("NEWLY_DROPPED")["received"], sent[1]);
    assert_eq!(example("NEWLY_STORED")["received"], sent[2]);
    assert_eq!(
        example("MENDED")["before"]["error"]["message"],
        "“n/a” is not a number"
    );
    assert_eq!(example("NEWLY_FAILING")["received"], sent[4]);
    assert_eq!(
        found["fields"],
        json!([
            { "path": "total", "typeBefore": "NUMBER", "typeAfter": null, "recordsBefore": 3, "recordsAfter": 0 },
            { "path": "eur", "typeBefore": null, "typeAfter": "NUMBER", "recordsBefore": 0, "recordsAfter": 3 },
        ])
    );
    assert_eq!(ann.records(&id).await.len(), 4, "nothing was stored by it");
}

#[tokio::test]
async fn widgets_that_use_a_field_which_goes_or_changes_are_named() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    ann.post(
        &url,
        &json!([{"total": 5, "c": {"country": "DE"}}, {"total": 6, "c": {"country": "FR"}}]),
    )
    .await;
    let created = ann
        .done(
            "createDashboard",
            "dashboard { id }",
            json!({ "name": "Shop" }),
        )
        .await;
    let at = |x: i32| json!({ "x": x, "y": 0, "w": 3, "h": 2 });
    let widget = |title: &str, x: i32, more: Value| {
        let mut widget =
            json!({ "kind": "STAT", "title": title, "pipelineId": id, "position": at(x) });
        for (key, value) in more.as_object().unwrap() {
            widget[key] = value.clone();
        }
        widget
    };
    let filters = json!([{ "field": "c.country", "comparison": "EQUAL", "value": "DE" }]);
    let widgets = json!([
        widget("Count", 0, json!({})),
        widget(
            "Revenue",
            3,
            json!({ "aggregate": "SUM", "field": "total" })
        ),
        widget("German", 6, json!({ "filters": filters })),
        widget(
            "List",
            9,
            json!({ "kind": "TABLE", "columns": ["c", "total"] })
        ),
    ]);
    let input = json!({ "id": created["dashboard"]["id"], "widgets": widgets });
    ann.done("updateDashboard", "dashboard { id }", input).await;
    let named = async |steps: Value| {
        let found = impact(&ann, &id, steps).await;
        let widgets = found["widgets"].as_array().unwrap().iter();
        let words = widgets.map(|widget| {
            assert_eq!(widget["dashboardName"], "Shop");
            format!("{} {}", widget["title"].as_str().unwrap(), widget["fields"])
        });
        words.collect::<Vec<_>>()
    };
    let drop = |field: &str| json!([{ "kind": "drop", "fields": [field] }]);
    assert_eq!(
        named(drop("total")).await,
        ["Revenue [\"total\"]", "List [\"total\"]"]
    );
    assert_eq!(
        named(drop("c.country")).await,
        ["German [\"c.country\"]", "List [\"c\"]"]
    );
    let text = json!([{ "kind": "calculate", "fields": [{ "field": "total", "formula": "total + ' €'" }] }]);
    assert_eq!(
        named(text).await,
        ["Revenue [\"total\"]", "List [\"total\"]"]
    );
    let more = json!([{ "kind": "set", "fields": [{ "field": "new", "value": 1 }] }]);
    assert!(named(more).await.is_empty());
}

#[tokio::test]
async fn what_is_remembered_begins_anew_on_both_sides() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let steps = json!([{ "kind": "deduplicate", "keys": ["id"] }]);
    let input = json!({ "name": "Once", "source": { "webhook": {} }, "steps": steps });
    let (id, url) = ann.new_pipeline(input).await;
    ann.post(&url, &json!([{"id": 1}, {"id": 2}, {"id": 1}]))
        .await;
    assert_eq!(
        counts(&impact(&ann, &id, steps).await),
        [3, 3, 0, 0, 0, 0, 0]
    );
    let found = impact(&ann, &id, json!([])).await;
    assert_eq!(counts(&found), [3, 2, 0, 0, 1, 0, 0]);
    assert_eq!(found["examples"][0]["received"], json!({"id": 1}));
}

#[tokio::test]
async fn only_the_newest_ten_thousand_events_are_looked_at() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Many").await;
    for part in 0..3 {
        let records: Vec<Value> = (0..4_000)
            .map(|n| json!({ "n": part * 4_000 + n }))
            .collect();
        ann.post(&url, &json!(records)).await;
    }
    let found = impact(
        &ann,
        &id,
        json!([{ "kind": "filter", "formula": "n < 2001" }]),
    )
    .await;
    assert_eq!(counts(&found), [10_000, 1, 0, 9_999, 0, 0, 0]);
    assert_eq!(found["complete"], false);
    assert_eq!(found["examples"].as_array().unwrap().len(), 20);
    let input = json!({ "pipelineId": id, "steps": [{ "kind": "filter", "formula": "n <" }] });
    let wrong = ann.data(IMPACT, json!({ "input": input })).await["impactPreview"].clone();
    assert_eq!(
        wrong["userErrors"][0]["field"],
        json!(["steps", "0", "formula"])
    );
}
