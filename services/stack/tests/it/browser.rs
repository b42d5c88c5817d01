//! Drives a headless Chromium through chromedriver.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator, elements::Element};
use futures::FutureExt;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::eventually_within;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::support::{Person, System};

const CHROMEDRIVER: &str = "/usr/bin/chromedriver";
/// The time limit for each action. A browser is faster, even on a busy machine.
pub const BOUND: Duration = Duration::from_secs(60);

/// Starts chromedriver on a free port, and returns the process and its URL. Returns `None` if
/// chromedriver ends at once, because another process has taken the chosen port.
async fn drive() -> Option<(Child, String)> {
    let mut driver = Command::new(CHROMEDRIVER);
    driver.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut driver = driver.spawn().unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            let url = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
            // Somebody must read the pipe. Otherwise chromedriver would block when the pipe is
            // full.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some((driver, url));
        }
    }
    None
}

/// A browser and its chromedriver.
pub struct Browser {
    /// The WebDriver client.
    pub client: Client,
    driver: Child,
    /// The URL of chromedriver.
    url: String,
    http: reqwest::Client,
    _profile: TempDir,
}

impl Browser {
    /// Opens a browser, with or without JavaScript.
    pub async fn open(javascript: bool) -> Self {
        let (driver, url) =
            timeout(BOUND, eventually_within(BOUND, "chromedriver starts", drive)).await.expect("chromedriver says so");
        let profile = tempfile::tempdir().unwrap();
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--no-proxy-server",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let scripts = if javascript { 1 } else { 2 };
        let options =
            json!({ "args": args, "prefs": { "profile.managed_default_content_settings.javascript": scripts } });
        let log = json!({ "browser": "ALL" });
        let capabilities = json!({ "goog:chromeOptions": options, "goog:loggingPrefs": log });
        let Value::Object(capabilities) = capabilities else { unreachable!() };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let connecting = builder.capabilities(capabilities).connect(&url);
        let client = timeout(BOUND, connecting).await.expect("a browser in time").expect("a browser");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { client, driver, url, http, _profile: profile }
    }

    /// Closes the browser. Without this call, its process would go on.
    pub async fn close(mut self) {
        self.client.close().await.unwrap();
        self.driver.kill().await.unwrap();
    }

    /// Returns whether the scripts of a page run.
    pub async fn runs_scripts(&self) -> bool {
        let page = "data:text/html,<h1>off</h1><script>document.querySelector('h1').textContent='on'</script>";
        self.client.goto(page).await.unwrap();
        self.find("h1").await.text().await.unwrap() == "on"
    }

    /// Returns the first element that matches the CSS selector.
    pub async fn find(&self, css: &str) -> Element {
        self.client.find(Locator::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    /// Waits for a page with this heading, and returns the text of the page's `main` element.
    pub async fn text_under(&self, heading: &str) -> String {
        eventually_within(BOUND, &format!("the page says {heading:?}"), async || {
            let found = self.client.find(Locator::Css("h1")).await.ok()?.text().await.ok()?;
            if found == heading { self.main().await } else { None }
        })
        .await
    }

    /// Waits until the page's `main` element contains this text, and returns the whole text of the
    /// element.
    pub async fn text_with(&self, words: &str) -> String {
        eventually_within(BOUND, &format!("the page has {words:?}"), async || {
            self.main().await.filter(|text| text.contains(words))
        })
        .await
    }

    /// Waits for an element, and returns its text.
    pub async fn text_of(&self, css: &str) -> String {
        eventually_within(BOUND, css, async || self.client.find(Locator::Css(css)).await.ok()?.text().await.ok()).await
    }

    /// Returns the text of the page's `main` element. Returns `None` if there is no such element,
    /// as happens while another page is loading.
    async fn main(&self) -> Option<String> {
        self.client.find(Locator::Css("main")).await.ok()?.text().await.ok()
    }

    /// Sends a command of the Chrome DevTools Protocol, and returns its result.
    pub async fn command(&self, name: &str, params: Value) -> Value {
        self.driven("goog/cdp/execute", json!({ "cmd": name, "params": params })).await
    }

    /// Runs a script on the page, and returns the value to which the script resolves.
    pub async fn evaluate(&self, script: &str) -> Value {
        let params = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let answer = self.command("Runtime.evaluate", params).await;
        assert!(answer["exceptionDetails"].is_null(), "{answer}");
        answer["result"]["value"].clone()
    }

    /// Sets the width of the page in pixels, and the preferred colour scheme.
    pub async fn look(&self, width: u32, dark: bool) {
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Returns the errors in the browser's log since the last call. These are errors of scripts, of
    /// the content security policy, and about missing files.
    pub async fn errors(&self) -> Vec<String> {
        let entries = self.driven("se/log", json!({ "type": "browser" })).await;
        let entries = entries.as_array().cloned().unwrap_or_default();
        let errors = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        errors.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    async fn driven(&self, path: &str, body: Value) -> Value {
        let session = self.client.session_id().await.unwrap().expect("a session");
        let url = format!("{}/session/{session}/{path}", self.url);
        let answer: Value = self.http.post(url).json(&body).send().await.unwrap().json().await.unwrap();
        assert!(answer["value"]["error"].is_null(), "{answer}");
        answer["value"].clone()
    }
}

/// Runs a test in a browser and closes the browser, even if the test panics.
pub async fn in_a_browser(javascript: bool, walk: impl AsyncFnOnce(&Browser)) {
    let browser = Browser::open(javascript).await;
    let outcome = AssertUnwindSafe(walk(&browser)).catch_unwind().await;
    browser.close().await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
}

/// Returns whether chromedriver is missing. If it is, prints that the test is skipped.
pub fn has_no_browser() -> bool {
    let missing = !Path::new(CHROMEDRIVER).exists();
    if missing {
        eprintln!("skipped: no chromedriver at {CHROMEDRIVER} (apt-get install chromium chromium-driver)");
    }
    missing
}

/// Logs in with the form, using only the keyboard.
pub async fn log_in(browser: &Browser, system: &System, person: &Person) {
    browser.client.goto(&format!("{}/console", system.base)).await.unwrap();
    browser.text_under("Log in").await;
    browser.find("#email").await.send_keys(&person.email).await.unwrap();
    browser.find("#password").await.send_keys(&format!("{}\u{e007}", person.password)).await.unwrap();
}
