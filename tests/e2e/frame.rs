//! What surrounds the pages: logging in and out, the theme, the palette, phones, and pages that are
//! not there.

use dash_tests::browser::Browser;

use crate::newcomer;

#[tokio::test]
async fn every_page_shows_in_both_themes_and_on_a_phone() {
    let (app, browser) = newcomer().await;
    for (name, path) in [
        ("home", "/"),
        ("dashboards-empty", "/dashboards"),
        ("pipelines-empty", "/pipelines"),
        ("new-pipeline", "/pipelines/new"),
        ("settings", "/settings"),
        ("styleguide", "/styleguide"),
        ("not-found-page", "/nowhere"),
    ] {
        browser
            .driver
            .goto(format!("{}{path}", app.url))
            .await
            .unwrap();
        browser
            .wait_for("a title", "h1", |shown| !shown.trim().is_empty())
            .await;
        browser.survey(name).await;
        browser.has_a_clean_console().await;
    }
    browser.close().await;
}

#[tokio::test]
async fn whoever_is_not_logged_in_is_asked_to_and_comes_back() {
    let (app, first) = newcomer().await;
    first.close().await;
    let browser = Browser::open(&format!("{}/pipelines", app.url)).await;
    browser.fill("email", "ann@corp.test").await;
    browser.fill("password", "wrong password").await;
    browser.click("submit").await;
    browser
        .sees("The e-mail address or the password is wrong.")
        .await;
    browser.fill("password", "correct horse battery").await;
    browser.click("submit").await;
    browser.find("[data-testid=no-pipelines]").await;
    assert_eq!(browser.path().await, "/pipelines");
    browser.close().await;
}
