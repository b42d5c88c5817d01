//! Tests that ARCHITECTURE.md is true: its diagram, its links, and the rules about dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use contracts::{Rights, Service, User};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn page() -> String {
    fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap()
}

#[test]
fn the_picture_has_an_arrow_for_each_service_that_may_ask_another() {
    let page = page();
    let picture = page.split("```").find_map(|part| part.strip_prefix("mermaid")).expect("a picture");
    let drawn: BTreeSet<(String, String)> = picture
        .lines()
        .filter(|line| !line.contains("HTTP"))
        .filter_map(|line| line.split_once(" --> "))
        .map(|(a, b)| (a.trim().into(), b.into()))
        .collect();
    let services: Vec<Service> = User::ALL
        .into_iter()
        .filter_map(|user| if let User::Service(service) = user { Some(service) } else { None })
        .collect();
    let mut allowed = BTreeSet::new();
    for asker in &services {
        let rights = Rights::of(User::Service(*asker));
        for asked in &services {
            if rights.publish.iter().any(|subject| subject.starts_with(&format!("svc.{asked}.v1."))) {
                allowed.insert((asker.to_string(), asked.to_string()));
            }
        }
    }
    assert_eq!(drawn, allowed);
}

#[test]
fn every_file_that_the_pages_name_is_there() {
    let mut pages = vec![root().join("ARCHITECTURE.md"), root().join("README.md"), root().join("CONTRIBUTING.md")];
    for folder in ["docs", "docs/decisions"] {
        let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        pages.extend(files.filter(|path| path.extension().is_some_and(|kind| kind == "md")));
    }
    let mut links = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            links += 1;
            assert!(page.parent().unwrap().join(file).exists(), "{}: {link}", page.display());
        }
    }
    assert!(links > 30, "{links} links were looked at");
}

/// Returns the direct dependencies of each crate of the workspace, without those of tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]).current_dir(root());
    let said = command.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let metadata: Value = serde_json::from_slice(&said.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let of = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"].is_null()).map(name).collect()
    };
    metadata["packages"].as_array().unwrap().iter().map(|package| (name(package), of(package))).collect()
}

#[test]
fn no_crate_depends_on_what_is_above_it() {
    let all = dependencies();
    let ours = |name: &str| all[name].iter().filter(|other| all.contains_key(*other)).cloned().collect::<Vec<_>>();
    assert_eq!(ours("contracts"), [""; 0]);
    for outside in ["tokio", "async-nats", "mongodb", "bson", "axum", "hyper", "reqwest"] {
        assert!(!all["contracts"].contains(outside), "contracts knows {outside}");
    }
    assert_eq!(ours("kit"), ["contracts"]);
    for service in ["gateway", "directory", "projects", "timetrack", "analytics", "mailer", "audit"] {
        for other in ours(service) {
            assert!(["contracts", "kit"].contains(&other.as_str()), "{service} depends on {other}");
        }
    }
    assert!(!all["gateway"].contains("mongodb"), "the gateway owns no data");
}
