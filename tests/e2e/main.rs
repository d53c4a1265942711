//! Dash in a real browser: the built client, served by the real server, in headless Chromium. Each
//! test asserts on what the page shows, keeps pictures as artefacts, and ends with a clean console.

mod doors;
mod editing;
mod engine;
mod explore;
mod frame;
mod intake;
mod later;
mod transforms;

use dash_tests::TestApp;
use dash_tests::browser::Browser;

/// A Dash with the client and running workers, and a browser where somebody has just signed up.
async fn newcomer() -> (TestApp, Browser) {
    let app = TestApp::builder()
        .web()
        .real_clock()
        .workers()
        .start()
        .await;
    let browser = Browser::open(&format!("{}/signup", app.url)).await;
    browser.fill("name", "Ann Miller").await;
    browser.fill("email", "ann@corp.test").await;
    browser.fill("password", "correct horse battery").await;
    browser.click("submit").await;
    browser.find("[data-testid=start-demo]").await;
    (app, browser)
}
