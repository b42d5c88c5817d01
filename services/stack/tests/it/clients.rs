//! Tests of the example clients: each window that they keep is recorded once, whatever fails.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use contracts::Service;
use serde_json::Value;
use testkit::eventually_within;
use tokio::process::Command;
use window_client::{Store, send};

use crate::browser::BOUND;
use crate::fixture::{Fixture, HOUR, MINUTE, TEN};

/// Returns two valid windows, and one that ends before it begins.
fn windows(fixture: &Fixture) -> [Value; 3] {
    let good = [fixture.window(TEN, TEN + HOUR), fixture.window(TEN + HOUR, TEN + HOUR + MINUTE)];
    let [first, second] = good;
    [first, second, fixture.window(TEN + HOUR, TEN)]
}

/// Returns the number of recorded windows.
async fn recorded(fixture: &Fixture) -> usize {
    let path = format!("/api/v1/analytics/window?start={}&end={}", TEN - HOUR, TEN + 3 * HOUR);
    fixture.system.get(&path).await.as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_in_rust_keeps_a_window_until_it_is_recorded() {
    let mut fixture = Fixture::start().await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().to_owned()).unwrap();
    for window in windows(&fixture) {
        store.add(window).unwrap();
    }
    let left = |name: &str| fs::read_dir(folder.path().join(name)).unwrap().count();
    fixture.system.running(Service::Timetrack).stop().await;
    let (base, ann) = (fixture.system.base.clone(), fixture.ann.clone());
    let sending = tokio::spawn(async move { send(&store, &base, &ann.email, &ann.password).await });
    // The invalid window is refused at once and moved. The others are queued, so the client keeps
    // them too.
    eventually_within(BOUND, "one is refused", async || (left("refused") == 1).then_some(())).await;
    assert_eq!(left("waiting"), 2);
    fixture.system.start_service(Service::Timetrack).await;
    sending.await.unwrap().unwrap();
    assert_eq!((left("waiting"), left("refused")), (0, 1));
    assert_eq!(recorded(&fixture).await, 2);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_in_python_keeps_a_window_until_it_is_recorded() {
    let fixture = Fixture::start().await;
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients/python/window_client.py");
    let client = |arguments: &[&str]| {
        let mut command = Command::new("python3");
        command.arg(&script).arg("--store").arg(folder.path().join("ann.db")).args(arguments);
        command
            .env("T3_PASSWORD", &fixture.ann.password)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    };
    for window in windows(&fixture) {
        let added = client(&["add", &window.to_string()]).output().await.unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }
    let send = ["send", &fixture.system.base.clone(), &fixture.ann.email.clone()];
    let dying = client(&send).spawn().unwrap();
    eventually_within(BOUND, "both are recorded", async || (recorded(&fixture).await == 2).then_some(())).await;
    // The client may be killed before or after it has read the answer. In both cases the next run
    // sends what is left.
    drop(dying);
    let sending = client(&send).spawn().unwrap();
    let sent = sending.wait_with_output().await.unwrap();
    let said = String::from_utf8_lossy(&sent.stderr);
    assert!(sent.status.success() && said.contains("refused, and kept: "), "{said}");
    assert_eq!(recorded(&fixture).await, 2);
    fixture.system.finish().await;
}
