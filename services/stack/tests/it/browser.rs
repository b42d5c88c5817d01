//! A real browser.

use std::process::Stdio;
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator, elements::Element};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::eventually_within;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

pub const CHROMEDRIVER: &str = "/usr/bin/chromedriver";
/// More than a browser takes on a busy machine.
pub const BOUND: Duration = Duration::from_secs(60);

/// Starts a chromedriver on a free port: itself and where it listens. It ends at once when the port that
/// it chose is taken by another before it listens on every address.
async fn drive() -> Option<(Child, String)> {
    let mut driver = Command::new(CHROMEDRIVER);
    driver.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut driver = driver.spawn().unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            let url = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
            // Its pipe must not fill up.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some((driver, url));
        }
    }
    None
}

/// A browser, and the program that drives it.
pub struct Browser {
    /// What it is told.
    pub client: Client,
    driver: Child,
    /// Where the program that drives it listens.
    url: String,
    http: reqwest::Client,
    _profile: TempDir,
}

impl Browser {
    /// Opens a browser with or without JavaScript.
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

    /// Closes it: without that, a browser would be left behind.
    pub async fn close(mut self) {
        self.client.close().await.unwrap();
        self.driver.kill().await.unwrap();
    }

    /// Whether a page's own scripts run.
    pub async fn runs_scripts(&self) -> bool {
        let page = "data:text/html,<h1>off</h1><script>document.querySelector('h1').textContent='on'</script>";
        self.client.goto(page).await.unwrap();
        self.find("h1").await.text().await.unwrap() == "on"
    }

    /// The first element that fits.
    pub async fn find(&self, css: &str) -> Element {
        self.client.find(Locator::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    /// What the page says, once its heading is this.
    pub async fn text_under(&self, heading: &str) -> String {
        eventually_within(BOUND, &format!("the page says {heading:?}"), async || {
            let found = self.client.find(Locator::Css("h1")).await.ok()?.text().await.ok()?;
            (found == heading).then_some(())
        })
        .await;
        self.find("main").await.text().await.unwrap()
    }

    /// Sends a command of the browser's own protocol: its result.
    pub async fn command(&self, name: &str, params: Value) -> Value {
        self.driven("goog/cdp/execute", json!({ "cmd": name, "params": params })).await
    }

    /// What a script on the page comes to, once that is known.
    pub async fn evaluate(&self, script: &str) -> Value {
        let params = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let told = self.command("Runtime.evaluate", params).await;
        assert!(told["exceptionDetails"].is_null(), "{told}");
        told["result"]["value"].clone()
    }

    /// Sets the width of the page and whether the reader likes it dark.
    pub async fn look(&self, width: u32, dark: bool) {
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// The errors that the browser has noted since this was last asked: of scripts, of the policy, of
    /// files that were not there.
    pub async fn errors(&self) -> Vec<String> {
        let entries = self.driven("se/log", json!({ "type": "browser" })).await;
        let entries = entries.as_array().cloned().unwrap_or_default();
        let errors = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        errors.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    async fn driven(&self, path: &str, body: Value) -> Value {
        let session = self.client.session_id().await.unwrap().expect("a session");
        let url = format!("{}/session/{session}/{path}", self.url);
        let told: Value = self.http.post(url).json(&body).send().await.unwrap().json().await.unwrap();
        assert!(told["value"]["error"].is_null(), "{told}");
        told["value"].clone()
    }
}
