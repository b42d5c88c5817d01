//! Tests that the services serve exactly the metrics that are documented, and that the dashboard
//! and the alerts use no others.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Service;
use serde_json::Value;
use testkit::eventually;

use crate::fixture::{Fixture, HOUR, TEN};

const SERVICES: [Service; 7] = Service::ALL;

/// Starts a system, makes every metric get a value, and returns the metrics of each service as
/// text.
async fn served() -> BTreeMap<Service, String> {
    let fixture = Fixture::start().await;
    fixture.record(TEN, TEN + HOUR).await;
    eventually("the window is counted", async || (fixture.project_time(TEN, TEN + HOUR).await.0 == HOUR).then_some(()))
        .await;
    assert_eq!(fixture.system.login("ann@example.org", "not the one that she chose").await.status, 401);
    let mut served = BTreeMap::new();
    for service in SERVICES {
        let text = eventually(&format!("{service} has measured"), async || {
            let text = fixture.system.metrics(service).await;
            (service == Service::Gateway || text.contains("t3_consumer_pending_messages")).then_some(text)
        })
        .await;
        let others = SERVICES.iter().filter(|other| **other != service);
        for other in others {
            assert!(!text.contains(&format!("service_name=\"{other}\"")), "{service} tells of {other}");
        }
        served.insert(service, text);
    }
    fixture.system.finish().await;
    served
}

/// Returns the names of all metrics. A histogram is one metric.
fn names(text: &str) -> BTreeSet<String> {
    assert!(text.ends_with("# EOF\n"), "{text}");
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let all = types.map(|(name, kind)| match kind {
        "counter" => format!("{name}_total"),
        "info" => format!("{name}_info"),
        _ => name.to_owned(),
    });
    all.collect()
}

/// Returns the metrics in docs/metrics.md, each with the services that serve it.
fn explained() -> BTreeMap<String, BTreeSet<Service>> {
    let rows = include_str!("../../../../docs/metrics.md").lines().filter(|line| line.starts_with("| `"));
    let all = rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let of = match cells[2] {
            "all" => SERVICES.into(),
            some => some.split(", ").map(service).collect(),
        };
        (cells[0].trim_matches('`').to_owned(), of)
    });
    all.collect()
}

fn service(name: &str) -> Service {
    SERVICES.into_iter().find(|service| service.name() == name).unwrap_or_else(|| panic!("no service {name}"))
}

/// Returns every word in the queries of the dashboard and the alerts that looks like a metric. A
/// series of a histogram is returned as the name of the histogram.
fn spoken_of() -> BTreeSet<String> {
    let dashboard: Value = serde_json::from_str(include_str!("../../../../ops/grafana/t3.json")).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter().filter_map(|panel| panel["targets"].as_array());
    let queries = targets.flatten().map(|target| target["expr"].as_str().unwrap());
    let text = queries.chain([include_str!("../../../../ops/prometheus/alerts.yml")]).collect::<Vec<_>>().join(" ");
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    const KINDS: [&str; 6] = ["t3_", "http_", "rpc_", "messaging_", "db_", "process_"];
    words.filter(|word| KINDS.iter().any(|kind| word.starts_with(kind))).map(whole).collect()
}

/// Returns the name of the histogram to which a series belongs, or the name of the series if it
/// belongs to none.
fn whole(series: &str) -> String {
    let part = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| series.strip_suffix(suffix));
    part.filter(|whole| whole.ends_with("_seconds") || whole.ends_with("_windows")).unwrap_or(series).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_explained_and_every_explained_one_is_served() {
    let (served, explained) = (served().await, explained());
    let names: BTreeMap<Service, BTreeSet<String>> = served.iter().map(|(s, text)| (*s, names(text))).collect();
    for (service, names) in &names {
        for name in names {
            let of = explained.get(name).unwrap_or_else(|| panic!("docs/metrics.md does not explain {name}"));
            assert!(of.contains(service), "docs/metrics.md does not say that {service} serves {name}");
        }
    }
    for (name, of) in &explained {
        let is_served = of.iter().any(|service| names[service].contains(name));
        assert!(is_served, "docs/metrics.md explains {name}, which nobody serves");
    }
    let all: BTreeSet<&String> = names.values().flatten().collect();
    for word in spoken_of() {
        let is_label = || served.values().any(|text| text.contains(&format!("{word}=\"")));
        assert!(all.contains(&word) || is_label(), "an alert or the dashboard speaks of {word}, which nobody serves");
    }
}
