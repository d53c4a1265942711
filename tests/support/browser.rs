//! Chromium, driven through WebDriver: a driver and a profile of its own for each test.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::components::SelectElement;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities};

use crate::environment;

/// How long the page may take to show something before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A browser window.
#[derive(Debug)]
pub struct Browser {
    /// The window.
    pub driver: WebDriver,
    process: Child,
    _profile: TempDir,
}

impl Browser {
    /// Opens a window of 1440 by 900 at a page.
    pub async fn open(url: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let profile = TempDir::new().expect("a temporary folder can be made");
        let port = free_port();
        let process = Command::new(environment::chromedriver())
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut capabilities = DesiredCapabilities::chrome();
        capabilities
            .set_binary(&environment::chromium().to_string_lossy())
            .unwrap();
        for argument in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--force-color-profile=srgb",
            "--window-size=1440,900",
            &format!("--user-data-dir={}", profile.path().display()),
        ] {
            capabilities.add_arg(argument).unwrap();
        }
        // Everything that the page writes to its console.
        capabilities
            .set("goog:loggingPrefs", json!({ "browser": "ALL" }))
            .unwrap();
        let driver = connect(port, capabilities).await;
        let browser = Self {
            driver,
            process,
            _profile: profile,
        };
        browser.resize(1440, 900).await;
        browser.driver.goto(url).await.expect("the page loads");
        browser
    }

    /// Gives the page another size.
    pub async fn resize(&self, width: u32, height: u32) {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 }),
        )
        .await;
    }

    /// Waits for the first element that a CSS selector finds.
    pub async fn find(&self, css: &str) -> WebElement {
        let found = self
            .driver
            .query(By::Css(css))
            .wait(PATIENCE, Duration::from_millis(50));
        match found.first().await {
            Ok(element) => element,
            Err(error) => {
                self.screenshot("not-found").await;
                panic!("nothing matches {css}: {error}")
            }
        }
    }

    /// Waits for the element with this test id and clicks it.
    pub async fn click(&self, test_id: &str) {
        let element = self.find(&format!("[data-testid='{test_id}']")).await;
        self.press(&element).await;
    }

    /// Clicks an element, brought into view.
    pub async fn press(&self, element: &WebElement) {
        element
            .scroll_into_view()
            .await
            .expect("an element can be scrolled to");
        element
            .wait_until()
            .clickable()
            .await
            .expect("an element becomes clickable");
        element.click().await.expect("an element can be clicked");
    }

    /// Types into the field with this test id, in place of what is there.
    pub async fn fill(&self, test_id: &str, text: &str) {
        let css = format!("input[data-testid='{test_id}'], [data-testid='{test_id}'] input");
        let field = self.find(&css).await;
        field.clear().await.expect("a field can be cleared");
        field
            .send_keys(text)
            .await
            .expect("a field can be typed into");
    }

    /// Chooses from the list with this test id what begins with these words.
    pub async fn choose(&self, test_id: &str, words: &str) {
        let css = format!("select[data-testid='{test_id}']");
        let list = SelectElement::new(&self.find(&css).await).await;
        let condition = format!("starts-with(text(), '{words}')");
        let chosen = list
            .expect("it is a list")
            .select_by_xpath_condition(&condition)
            .await;
        chosen.expect("the list has such a choice");
    }

    /// Waits until the page shows a text.
    pub async fn sees(&self, text: &str) {
        self.sees_in("body", text).await;
    }

    /// Waits until the elements that a selector finds show a text.
    pub async fn sees_in(&self, css: &str, text: &str) {
        let wanted = text.to_owned();
        self.wait_for(&format!("“{text}” in {css}"), css, move |shown| {
            shown.contains(&wanted)
        })
        .await;
    }

    /// Waits until the visible text of what a selector finds is as wanted; returns it.
    pub async fn wait_for(
        &self,
        what: &str,
        css: &str,
        is_wanted: impl Fn(&str) -> bool,
    ) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.text_of(css).await;
            if is_wanted(&shown) {
                return shown;
            }
            if Instant::now() > deadline {
                self.screenshot("not-seen").await;
                panic!("the page does not show {what}; it shows:\n{shown}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The visible text of all elements that a selector finds.
    pub async fn text_of(&self, css: &str) -> String {
        let script = "return [...document.querySelectorAll(arguments[0])].map(e => \
                      e.innerText).join('\\n')";
        let shown = self
            .driver
            .execute(script, vec![json!(css)])
            .await
            .expect("a script runs");
        shown.json().as_str().unwrap_or_default().to_owned()
    }

    /// Runs JavaScript in the page and returns what it returns.
    pub async fn script(&self, script: &str) -> Value {
        let found = self
            .driver
            .execute(script, Vec::new())
            .await
            .expect("a script runs");
        found.json().clone()
    }

    /// The path and query of the page.
    pub async fn path(&self) -> String {
        let path = self
            .script("return location.pathname + location.search")
            .await;
        path.as_str().unwrap_or_default().to_owned()
    }

    /// Keeps a picture of the page under this name, among the artefacts of the tests.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        let folder = environment::artifacts();
        std::fs::create_dir_all(&folder).expect("a folder for pictures can be made");
        let path = folder.join(format!("{name}.png"));
        self.driver
            .screenshot(&path)
            .await
            .expect("a picture can be taken");
        path
    }

    /// Keeps pictures of the page in both themes, on a tablet and on a phone, and fails when it is
    /// wider than they are.
    pub async fn survey(&self, name: &str) {
        for theme in ["dark", "light"] {
            self.script(&format!(
                "document.documentElement.dataset.theme = '{theme}'"
            ))
            .await;
            // Colours change in a moment, charts with their next frame.
            tokio::time::sleep(Duration::from_millis(400)).await;
            self.screenshot(&format!("{name}-{theme}")).await;
        }
        for (device, width, height) in [("tablet", 1_024, 768), ("phone", 390, 844)] {
            self.resize(width, height).await;
            tokio::time::sleep(Duration::from_millis(400)).await;
            self.screenshot(&format!("{name}-{device}")).await;
            let wider = self
                .script("return document.documentElement.scrollWidth - innerWidth")
                .await;
            assert!(
                wider.as_i64() <= Some(0),
                "{name} is wider than a {device} by {wider}"
            );
        }
        self.resize(1_440, 900).await;
    }

    /// What the page wrote to its console as an error or a warning, since it was last asked.
    pub async fn console_problems(&self) -> Vec<String> {
        let url = format!(
            "{}session/{}/se/log",
            self.driver.handle().server_url(),
            self.driver.handle().session_id()
        );
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client
            .post(url)
            .json(&json!({ "type": "browser" }))
            .send()
            .await;
        let answer: Value = answer
            .expect("the driver answers")
            .json()
            .await
            .expect("it is JSON");
        let entries = answer["value"].as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")))
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Fails when the page wrote an error or a warning to its console.
    pub async fn has_a_clean_console(&self) {
        assert_eq!(self.console_problems().await, Vec::<String>::new());
    }

    /// Sends a command of the `DevTools` protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.driver
            .cdp()
            .send_raw(command, parameters)
            .await
            .expect("DevTools answers")
    }

    /// An empty folder, where files that are saved from now on are put.
    pub async fn downloads(&self) -> TempDir {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let parameters = json!({ "behavior": "allow", "downloadPath": folder.path() });
        self.devtools("Browser.setDownloadBehavior", parameters)
            .await;
        folder
    }

    /// The text of the file with this ending that is saved into a folder, once it is there.
    pub async fn downloaded(folder: &TempDir, ending: &str) -> String {
        for _ in 0..200 {
            let entries = std::fs::read_dir(folder.path()).expect("the folder is there");
            let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
            // A file has its name when it is whole.
            if let Some(path) = paths.find(|path| path.to_string_lossy().ends_with(ending)) {
                return std::fs::read_to_string(path).expect("it is text");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no file *{ending} was saved");
    }

    /// Closes the window.
    pub async fn close(mut self) {
        let _ = self.driver.clone().quit().await;
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener
        .local_addr()
        .expect("a listener has an address")
        .port()
}

async fn connect(port: u16, capabilities: ChromeCapabilities) -> WebDriver {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities.clone()).await {
            Ok(driver) => return driver,
            Err(error) if Instant::now() > deadline => panic!("Chromium does not start: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
