//! A record that breaks is seen, mended and put in again; versions are compared and brought back; a
//! test case holds a change up.

use serde_json::json;

use crate::newcomer;

#[tokio::test]
async fn a_broken_record_is_mended_and_stored() {
    let (app, browser) = newcomer().await;
    let ann = app
        .logged_in("ann@corp.test", "correct horse battery")
        .await;
    let steps = json!([{ "kind": "cast", "fields": [{ "field": "total", "type": "number" }] }]);
    let input = json!({ "name": "Orders", "source": { "webhook": {} }, "steps": steps });
    let (id, url) = ann.new_pipeline(input).await;
    let sent = json!([{"total": "12"}, {"total": "n/a"}, {"total": "?"}]);
    assert_eq!(ann.post(&url, &sent).await.json["failed"], 2);
    let page = format!("{}/pipelines/{id}", app.url);
    browser.driver.goto(format!("{page}/errors")).await.unwrap();
    let groups = "[data-testid=failure-groups]";
    browser.sees_in(groups, "is not a number").await;
    browser.sees_in(groups, "step 1 cast · total").await;
    browser.sees_in(groups, "2 records").await;
    browser.survey("pipeline-failures").await;
    browser
        .press(&browser.find("[data-testid=failure] summary").await)
        .await;
    browser.click("fix").await;
    browser
        .sees_in("[data-testid=fix-problem]", "is not a number")
        .await;
    browser.screenshot("fix-dialog").await;
    // What is wrong is selected: it is typed over.
    let text = browser.find("[data-testid=fix-text]").await;
    text.send_keys("34.5").await.unwrap();
    browser.click("fix-send").await;
    browser.sees("It is stored.").await;
    browser.sees_in(groups, "1 record").await;
    let records = ann.records(&id).await;
    assert_eq!(records[0]["fields"], json!({"total": 34.5}));
    // The other one does not matter; or does it?
    browser
        .press(&browser.find("[data-testid=failure] summary").await)
        .await;
    browser.click("dismiss").await;
    browser.find("[data-testid=no-errors]").await;
    browser
        .press(&browser.find(".toast > button:not(.only-icon)").await)
        .await;
    browser.sees_in(groups, "1 record").await;
    // The steps are mended, and what is left goes in.
    let lenient = json!([{ "kind": "cast", "fields": [{ "field": "total", "type": "number" }], "on_error": "keep" }]);
    let change = json!({ "id": id, "steps": lenient });
    ann.done("updatePipeline", "pipeline { id }", change).await;
    browser.click("replay-all").await;
    browser.find("[data-testid=no-errors]").await;
    assert_eq!(ann.records(&id).await.len(), 3);

    browser
        .driver
        .goto(format!("{page}/versions"))
        .await
        .unwrap();
    browser
        .sees_in("[data-testid=versions]", "steps changed: cast changed")
        .await;
    browser
        .sees_in("[data-testid=versions]", "Ann Miller")
        .await;
    browser.sees_in("[data-testid=comparison]", "changed").await;
    browser.survey("pipeline-versions").await;
    // A test case holds to what the steps do now.
    let case = json!({ "pipelineId": id, "name": "no number", "input": {"total": "n/a"} });
    ann.done("createTransformTest", "test { id }", case).await;
    let change = json!({ "id": id, "steps": steps });
    assert_eq!(
        ann.user_errors("updatePipeline", change).await,
        ["steps TESTS_FAILED"]
    );
    browser.click("restore").await;
    browser.click("confirm-go").await;
    browser.sees("The test case “no number” fails").await;
    browser.has_a_clean_console().await;
    browser.close().await;
}
