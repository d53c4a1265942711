//! What belongs to one tenant does not exist for another one, what needs an account is nobody's
//! without one, and who may only look changes nothing.

use std::collections::BTreeSet;

use dash_tests::live::Live;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

/// What Ann has.
struct Belongings {
    pipeline: String,
    polling: String,
    dashboard: String,
    run: String,
    failure: String,
    test: String,
    sink: String,
    delivery: String,
}

async fn belongings(ann: &Client) -> Belongings {
    let (pipeline, url) = ann.new_webhook("Orders").await;
    assert_eq!(
        ann.post(&url, &json!({"secret": "swordfish"})).await.status,
        200
    );
    let polling = ann.new_polling("Feed", "http://127.0.0.1:9/", "$").await;
    let input = json!({ "name": "Shop", "pipelineId": pipeline });
    let created = ann.done("createDashboard", "dashboard { id }", input).await;
    let query = "query ($id: ID!) { pipeline(id: $id) { lastRun { id } } }";
    let found = ann.data(query, json!({ "id": pipeline })).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    // What is no object fails.
    let failing = json!([{"secret": "swordfish"}, "swordfish"]);
    ann.post(&url, &json!(["swordfish"])).await;
    let query = "query ($id: ID!) { pipeline(id: $id) { failures { nodes { id } } } }";
    let failed = ann.data(query, json!({ "id": pipeline })).await;
    let input = json!({ "pipelineId": pipeline, "name": "One", "input": failing[0] });
    let tested = ann
        .mutate("createTransformTest", "test { id }", input)
        .await;
    let target = json!({ "webhook": { "url": "http://127.0.0.1:9/" } });
    let input = json!({ "pipelineId": pipeline, "name": "Orders on", "target": target });
    let sink = ann.done("createSink", "sink { id }", input).await;
    let input = json!({ "id": sink["sink"]["id"] });
    let sent = ann.done("sendTestToSink", "delivery { id }", input).await;
    Belongings {
        failure: text(&failed["pipeline"]["failures"]["nodes"][0]["id"]),
        test: text(&tested["test"]["id"]),
        sink: text(&sink["sink"]["id"]),
        delivery: text(&sent["delivery"]["id"]),
        dashboard: text(&created["dashboard"]["id"]),
        run: text(&found["pipeline"]["lastRun"]["id"]),
        pipeline,
        polling,
    }
}

fn widget(pipeline: &str) -> Value {
    let position = json!({ "x": 0, "y": 0, "w": 3, "h": 2 });
    json!({ "kind": "STAT", "title": "Orders", "pipelineId": pipeline, "position": position })
}

/// Every operation that names one of Ann's objects, with the name of its field.
fn operations(of: &Belongings) -> Vec<(&'static str, &'static str, Value)> {
    let Belongings {
        pipeline,
        polling,
        dashboard,
        failure,
        test,
        sink,
        delivery,
        ..
    } = of;
    let id = |id: &str| json!({ "id": id });
    let input = |input: Value| json!({ "input": input });
    let source = json!({ "url": "https://api.example.com", "intervalSeconds": 60 });
    vec![
        (
            "pipeline",
            "query ($id: ID!) { pipeline(id: $id) { name lastMinute { stored } versions { nodes { summary } } transformTests { name } failures { nodes { received } } failureGroups { message } openFailureCount failureReplay { done } records { nodes { fields } } runs { nodes { id } } query(input: { measures: [{ aggregate: COUNT }], range: { lastSeconds: 60 } }) { recordCount } findRecords(range: { lastSeconds: 60 }) { nodes { id } } } }",
            id(pipeline),
        ),
        (
            "dashboard",
            "query ($id: ID!) { dashboard(id: $id) { name } }",
            id(dashboard),
        ),
        (
            "dashboardData",
            "query ($id: ID!) { dashboardData(id: $id) { cursor } }",
            id(dashboard),
        ),
        (
            "widgetPreview",
            "query ($widget: WidgetInput!) { widgetPreview(widget: $widget, range: {lastSeconds: 3600}) { __typename } }",
            json!({ "widget": widget(pipeline) }),
        ),
        (
            "updatePipeline",
            "mutation ($input: UpdatePipelineInput!) { updatePipeline(input: $input) { pipeline { name } } }",
            input(json!({ "id": pipeline, "name": "Mine" })),
        ),
        (
            "deletePipeline",
            "mutation ($input: DeletePipelineInput!) { deletePipeline(input: $input) { deletedId } }",
            input(id(pipeline)),
        ),
        (
            "pausePipeline",
            "mutation ($input: PausePipelineInput!) { pausePipeline(input: $input) { pipeline { name } } }",
            input(id(pipeline)),
        ),
        (
            "resumePipeline",
            "mutation ($input: ResumePipelineInput!) { resumePipeline(input: $input) { pipeline { name } } }",
            input(id(pipeline)),
        ),
        (
            "rotateWebhookSecret",
            "mutation ($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) { secret } }",
            input(id(pipeline)),
        ),
        (
            "removePreviousWebhookSecret",
            "mutation ($input: RemovePreviousWebhookSecretInput!) { removePreviousWebhookSecret(input: $input) { pipeline { name } } }",
            input(id(pipeline)),
        ),
        (
            "runPipeline",
            "mutation ($input: RunPipelineInput!) { runPipeline(input: $input) { pipeline { name } } }",
            input(id(polling)),
        ),
        (
            "previewTransform",
            "query ($input: PreviewTransformInput!) { previewTransform(input: $input) { records { received } } }",
            input(json!({ "pipelineId": pipeline, "steps": [] })),
        ),
        (
            "startBackfill",
            "mutation ($input: StartBackfillInput!) { startBackfill(input: $input) { pipeline { name } } }",
            input(json!({ "pipelineId": pipeline })),
        ),
        (
            "cancelBackfill",
            "mutation ($input: CancelBackfillInput!) { cancelBackfill(input: $input) { pipeline { name } } }",
            input(json!({ "pipelineId": pipeline })),
        ),
        (
            "resetPollCursor",
            "mutation ($input: ResetPollCursorInput!) { resetPollCursor(input: $input) { pipeline { name } } }",
            input(id(polling)),
        ),
        (
            "updateRecord",
            "mutation ($input: UpdateRecordInput!) { updateRecord(input: $input) { record { id } } }",
            input(json!({ "id": format!("{pipeline}.1"), "fields": {} })),
        ),
        (
            "deleteRecords",
            "mutation ($input: DeleteRecordsInput!) { deleteRecords(input: $input) { deletedIds } }",
            input(json!({ "ids": [format!("{pipeline}.1")] })),
        ),
        (
            "testSource",
            "mutation ($input: TestSourceInput!) { testSource(input: $input) { result { status } } }",
            input(json!({ "source": source, "pipelineId": polling })),
        ),
        (
            "runTransformTests",
            "query ($input: RunTransformTestsInput!) { runTransformTests(input: $input) { results { passed } } }",
            input(json!({ "pipelineId": pipeline })),
        ),
        (
            "impactPreview",
            "query ($input: ImpactPreviewInput!) { impactPreview(input: $input) { impact { events } } }",
            input(json!({ "pipelineId": pipeline, "steps": [] })),
        ),
        (
            "restorePipelineVersion",
            "mutation ($input: RestorePipelineVersionInput!) { restorePipelineVersion(input: $input) { pipeline { name } } }",
            input(json!({ "pipelineId": pipeline, "version": 1 })),
        ),
        (
            "createTransformTest",
            "mutation ($input: CreateTransformTestInput!) { createTransformTest(input: $input) { test { id } } }",
            input(json!({ "pipelineId": pipeline, "name": "Mine", "input": {} })),
        ),
        (
            "updateTransformTest",
            "mutation ($input: UpdateTransformTestInput!) { updateTransformTest(input: $input) { test { id } } }",
            input(json!({ "id": test, "name": "Mine" })),
        ),
        (
            "deleteTransformTest",
            "mutation ($input: DeleteTransformTestInput!) { deleteTransformTest(input: $input) { deletedId } }",
            input(id(test)),
        ),
        (
            "replayFailures",
            "mutation ($input: ReplayFailuresInput!) { replayFailures(input: $input) { replayedIds } }",
            input(json!({ "pipelineId": pipeline, "ids": [failure] })),
        ),
        (
            "dismissFailures",
            "mutation ($input: DismissFailuresInput!) { dismissFailures(input: $input) { count } }",
            input(json!({ "pipelineId": pipeline, "ids": [failure] })),
        ),
        (
            "reopenFailures",
            "mutation ($input: ReopenFailuresInput!) { reopenFailures(input: $input) { count } }",
            input(json!({ "pipelineId": pipeline, "all": true })),
        ),
        (
            "sink",
            "query ($id: ID!) { sink(id: $id) { name deliveries { nodes { attempts { number } } } } }",
            id(sink),
        ),
        (
            "sinkPreview",
            "query ($input: SinkPreviewInput!) { sinkPreview(input: $input) { request { body } } }",
            input(json!({ "pipelineId": pipeline, "target": { "zapier": {} } })),
        ),
        (
            "createSink",
            "mutation ($input: CreateSinkInput!) { createSink(input: $input) { sink { name } } }",
            input(
                json!({ "pipelineId": pipeline, "name": "Mine", "target": { "webhook": { "url": "https://a.test" } } }),
            ),
        ),
        (
            "updateSink",
            "mutation ($input: UpdateSinkInput!) { updateSink(input: $input) { sink { name } } }",
            input(json!({ "id": sink, "name": "Mine" })),
        ),
        (
            "deleteSink",
            "mutation ($input: DeleteSinkInput!) { deleteSink(input: $input) { deletedId } }",
            input(id(sink)),
        ),
        (
            "enableSink",
            "mutation ($input: EnableSinkInput!) { enableSink(input: $input) { sink { name } } }",
            input(id(sink)),
        ),
        (
            "disableSink",
            "mutation ($input: DisableSinkInput!) { disableSink(input: $input) { sink { name } } }",
            input(id(sink)),
        ),
        (
            "rotateSinkSecret",
            "mutation ($input: RotateSinkSecretInput!) { rotateSinkSecret(input: $input) { signingSecret } }",
            input(id(sink)),
        ),
        (
            "sendTestToSink",
            "mutation ($input: SendTestToSinkInput!) { sendTestToSink(input: $input) { delivery { state } } }",
            input(id(sink)),
        ),
        (
            "replayDelivery",
            "mutation ($input: ReplayDeliveryInput!) { replayDelivery(input: $input) { delivery { state } } }",
            input(id(delivery)),
        ),
        (
            "replayDeliveries",
            "mutation ($input: ReplayDeliveriesInput!) { replayDeliveries(input: $input) { replayed } }",
            input(json!({ "sinkId": sink })),
        ),
        (
            "updateDashboard",
            "mutation ($input: UpdateDashboardInput!) { updateDashboard(input: $input) { dashboard { name } } }",
            input(json!({ "id": dashboard, "name": "Mine" })),
        ),
        (
            "deleteDashboard",
            "mutation ($input: DeleteDashboardInput!) { deleteDashboard(input: $input) { deletedId } }",
            input(id(dashboard)),
        ),
    ]
}

fn subscriptions(of: &Belongings) -> Vec<(&'static str, &'static str, Value)> {
    vec![
        (
            "dashboard",
            "subscription ($id: ID!) { dashboard(id: $id) { cursor } }",
            json!({ "id": of.dashboard }),
        ),
        (
            "pipelineRecords",
            "subscription ($id: ID!) { pipelineRecords(pipelineId: $id, after: \"0\") { cursor } }",
            json!({ "id": of.pipeline }),
        ),
        (
            "pipelineRuns",
            "subscription ($id: ID!) { pipelineRuns(pipelineId: $id) { id } }",
            json!({ "id": of.pipeline }),
        ),
        (
            "sinkDeliveries",
            "subscription ($id: ID!) { sinkDeliveries(sinkId: $id) { id } }",
            json!({ "id": of.sink }),
        ),
    ]
}

/// Operations that are about the caller's own team and name no object of it.
const OF_ONES_OWN: &[(&str, &str)] = &[
    ("pipelines", "{ pipelines { totalCount } }"),
    ("dashboards", "{ dashboards { totalCount } }"),
    (
        "node",
        "{ node(id: \"pip_00000000000000000000000000\") { id } }",
    ),
    (
        "cronTimes",
        "{ cronTimes(expression: \"0 9 * * *\", timeZone: \"UTC\") { times } }",
    ),
    (
        "startDemo",
        "mutation { startDemo { userErrors { code } } }",
    ),
    (
        "createPipeline",
        "mutation { createPipeline(input: {name: \"a\", source: {webhook: {}}}) { userErrors { code } } }",
    ),
    (
        "createDashboard",
        "mutation { createDashboard(input: {name: \"a\"}) { userErrors { code } } }",
    ),
];

/// Operations that anybody may ask for.
const OF_EVERYBODY: &[&str] = &["viewer", "signUp", "logIn", "logOut"];

/// The objects are as they were.
async fn assert_untouched(ann: &Client, of: &Belongings) {
    let pipeline = ann.pipeline(&of.pipeline).await;
    let seen = ["name", "state", "version", "recordCount"].map(|name| pipeline[name].clone());
    assert_eq!(
        seen,
        [json!("Orders"), json!("RUNNING"), json!(1), json!(1.0)]
    );
    let query = "query ($id: ID!) { dashboard(id: $id) { name version } }";
    let found = ann.data(query, json!({ "id": of.dashboard })).await;
    assert_eq!(found["dashboard"], json!({ "name": "Shop", "version": 1 }));
}

#[tokio::test]
async fn another_tenant_finds_nothing_and_changes_nothing() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let of_ann = belongings(&ann).await;
    let eve = app.owner("eve").await;
    for (field, query, variables) in operations(&of_ann) {
        let answer = eve.send(query, variables).await;
        let code = &answer.json["errors"][0]["extensions"]["code"];
        assert_eq!(code, "NOT_FOUND", "{field}: {}", answer.text);
        assert!(!answer.text.contains("swordfish"), "{field}");
    }
    let listed = eve
        .data(
            "{ pipelines { totalCount nodes { id } } dashboards { totalCount nodes { id } } }",
            json!({}),
        )
        .await;
    assert_eq!(listed["pipelines"], json!({ "totalCount": 0, "nodes": [] }));
    assert_eq!(
        listed["dashboards"],
        json!({ "totalCount": 0, "nodes": [] })
    );
    assert_untouched(&ann, &of_ann).await;
}

#[tokio::test]
async fn every_operation_of_the_schema_is_tested_on_strangers() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let of = Belongings {
        pipeline: String::new(),
        polling: String::new(),
        dashboard: String::new(),
        run: String::new(),
        failure: String::new(),
        test: String::new(),
        sink: String::new(),
        delivery: String::new(),
    };
    let root = "{ __schema { queryType { fields { name } } mutationType { fields { name } } \
                subscriptionType { fields { name } } } }";
    let schema = client.data(root, json!({})).await["__schema"].clone();
    let names = |root: &str| -> BTreeSet<String> {
        let fields = schema[root]["fields"].as_array().unwrap().iter();
        fields
            .map(|field| field["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let tested: BTreeSet<String> = operations(&of)
        .into_iter()
        .map(|(field, ..)| field)
        .chain(OF_ONES_OWN.iter().map(|(field, _)| *field))
        .chain(OF_EVERYBODY.iter().copied())
        .map(str::to_owned)
        .collect();
    assert_eq!(&names("queryType") | &names("mutationType"), tested);
    let followed = subscriptions(&of)
        .into_iter()
        .map(|(field, ..)| field.to_owned());
    assert_eq!(names("subscriptionType"), followed.collect());
}

#[tokio::test]
async fn another_tenant_follows_nothing() {
    let app = TestApp::start().await;
    let of_ann = belongings(&app.owner("ann").await).await;
    let eve = app.owner("eve").await;
    let mut live = Live::connect(&eve).await;
    for (field, query, variables) in subscriptions(&of_ann) {
        let id = live.subscribe(query, variables).await;
        let answer = live.next(&id).await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "NOT_FOUND",
            "{field}: {answer}"
        );
    }
}

#[tokio::test]
async fn another_tenants_ids_name_no_node() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let of_ann = belongings(&ann).await;
    let eve = app.owner("eve").await;
    let viewer = "{ viewer { user { id } team { id } organization { id } } }";
    let viewer = ann.data(viewer, json!({})).await["viewer"].clone();
    let own = ["user", "team", "organization"]
        .map(|name| viewer[name]["id"].as_str().unwrap().to_owned());
    let ids = [
        own.as_slice(),
        &[
            of_ann.pipeline,
            of_ann.polling,
            of_ann.dashboard,
            of_ann.run,
            of_ann.sink,
            of_ann.delivery,
        ],
    ]
    .concat();
    let query = "query ($id: ID!) { node(id: $id) { __typename id } }";
    for id in ids {
        let found = ann.data(query, json!({ "id": id })).await;
        assert_eq!(found["node"]["id"], id);
        let found = eve.data(query, json!({ "id": id })).await;
        assert_eq!(found["node"], Value::Null, "{id}");
    }
}

#[tokio::test]
async fn what_failed_in_one_pipeline_is_not_put_into_another() {
    let app = TestApp::start().await;
    let of_ann = belongings(&app.owner("ann").await).await;
    let eve = app.owner("eve").await;
    let (own, _) = eve.new_webhook("Own").await;
    let input = json!({ "pipelineId": own, "ids": [of_ann.failure], "corrected": {"n": 1} });
    let selection = "replayedIds stored failed { id }";
    let replayed = eve.done("replayFailures", selection, input).await;
    assert_eq!(replayed["replayedIds"], json!([]));
    assert_eq!(replayed["stored"], 0);
    for field in ["dismissFailures", "reopenFailures"] {
        let input = json!({ "pipelineId": own, "ids": [of_ann.failure] });
        assert_eq!(eve.done(field, "count", input).await["count"], 0);
    }
    assert!(eve.records(&own).await.is_empty());
}

#[tokio::test]
async fn another_tenants_pipeline_is_on_no_dashboard() {
    let app = TestApp::start().await;
    let of_ann = belongings(&app.owner("ann").await).await;
    let eve = app.owner("eve").await;
    // Whether it exists elsewhere makes no difference.
    let unknown = "pip_00000000000000000000000000".to_owned();
    for pipeline in [of_ann.pipeline, unknown] {
        let input = json!({ "name": "Mine", "pipelineId": pipeline });
        assert_eq!(
            eve.user_errors("createDashboard", input).await,
            ["pipelineId INVALID"]
        );
        let created = eve
            .done(
                "createDashboard",
                "dashboard { id }",
                json!({ "name": "Mine" }),
            )
            .await;
        let id = created["dashboard"]["id"].clone();
        let input = json!({ "id": id, "widgets": [widget(&pipeline)] });
        let errors = eve.user_errors("updateDashboard", input).await;
        assert_eq!(errors, ["widgets.0.pipelineId INVALID"]);
    }
}

#[tokio::test]
async fn a_widget_that_got_another_tenants_pipeline_all_the_same_shows_nothing() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let of_ann = belongings(&ann).await;
    let eve = app.owner("eve").await;
    let (own, _) = eve.new_webhook("Own").await;
    let input = json!({ "name": "Mine", "pipelineId": own });
    let created = eve.done("createDashboard", "dashboard { id }", input).await;
    let id = created["dashboard"]["id"].as_str().unwrap();
    let anns = &of_ann.pipeline;
    let sql = format!("UPDATE dashboards SET widgets = replace(widgets, '{own}', '{anns}')");
    assert_eq!(app.execute(&sql).await, 2);
    let query = "query ($id: ID!) { dashboardData(id: $id) { data { __typename } } }";
    let found = eve.data(query, json!({ "id": id })).await;
    let shown = found["dashboardData"]["data"].as_array().unwrap();
    assert_eq!(shown.len(), 3);
    assert!(
        shown
            .iter()
            .all(|data| data["__typename"] == "WidgetFailure"),
        "{shown:?}"
    );
}

#[tokio::test]
async fn without_an_account_everything_else_is_refused() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let of_ann = belongings(&ann).await;
    let nobody = app.anonymous();
    for (field, query, variables) in operations(&of_ann) {
        let answer = nobody.send(query, variables).await;
        let error = &answer.json["errors"][0];
        assert_eq!(
            error["extensions"]["code"], "UNAUTHENTICATED",
            "{field}: {}",
            answer.text
        );
        assert!(answer.json["data"][field].is_null());
    }
    for (field, query) in OF_ONES_OWN {
        assert_eq!(
            nobody.error_code(query, json!({})).await,
            "UNAUTHENTICATED",
            "{field}"
        );
    }
    let mut live = Live::connect(&nobody).await;
    for (field, query, variables) in subscriptions(&of_ann) {
        let id = live.subscribe(query, variables).await;
        let answer = live.next(&id).await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
            "{field}"
        );
    }
    assert_untouched(&ann, &of_ann).await;
}

#[tokio::test]
async fn who_may_only_look_sees_everything_and_changes_nothing() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let of_ann = belongings(&ann).await;
    assert_eq!(
        app.execute("UPDATE memberships SET role = 'viewer'").await,
        1
    );
    for (field, query, variables) in operations(&of_ann) {
        if query.starts_with("mutation") {
            assert_eq!(
                ann.error_code(query, variables).await,
                "FORBIDDEN",
                "{field}"
            );
        } else {
            ann.data(query, variables).await;
        }
    }
    for (field, query) in OF_ONES_OWN {
        if query.starts_with("mutation") {
            assert_eq!(
                ann.error_code(query, json!({})).await,
                "FORBIDDEN",
                "{field}"
            );
        } else {
            ann.data(query, json!({})).await;
        }
    }
    let counts = "{ pipelines { totalCount } dashboards { totalCount } }";
    let counts = ann.data(counts, json!({})).await;
    assert_eq!(counts["pipelines"]["totalCount"], 2);
    assert_eq!(counts["dashboards"]["totalCount"], 1);
    assert_untouched(&ann, &of_ann).await;
}

#[tokio::test]
async fn an_editor_changes_pipelines_and_dashboards() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    assert_eq!(
        app.execute("UPDATE memberships SET role = 'editor'").await,
        1
    );
    let of_ann = belongings(&ann).await;
    let input = json!({ "id": of_ann.dashboard, "name": "Renamed" });
    ann.done("updateDashboard", "dashboard { name }", input)
        .await;
    ann.done(
        "deletePipeline",
        "deletedId",
        json!({ "id": of_ann.pipeline }),
    )
    .await;
}
