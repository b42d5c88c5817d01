//! What operators see: every metric that is served is explained, every one that is explained is
//! served, and the dashboard and the alerts speak of no other.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Service;
use testkit::eventually;

use crate::office::{HOUR, Office, TEN};

const SERVICES: [Service; 6] =
    [Service::Gateway, Service::Directory, Service::Projects, Service::Timetrack, Service::Analytics, Service::Mailer];

/// The metrics of each service, by name, after one of everything has happened.
async fn served() -> BTreeMap<Service, BTreeSet<String>> {
    let office = Office::open().await;
    office.record(TEN, TEN + HOUR).await;
    eventually("the window is counted", async || (office.project_time(TEN, TEN + HOUR).await.0 == HOUR).then_some(()))
        .await;
    assert_eq!(office.system.login("ann@example.org", "not the one that she chose").await.status, 401);
    let mut served = BTreeMap::new();
    for service in SERVICES {
        let text = eventually(&format!("{service} has measured"), async || {
            let text = office.system.metrics(service).await;
            (service == Service::Gateway || text.contains("t3_consumer_pending_messages")).then_some(text)
        })
        .await;
        let others = SERVICES.iter().filter(|other| **other != service);
        for other in others {
            assert!(!text.contains(&format!("service_name=\"{other}\"")), "{service} tells of {other}");
        }
        served.insert(service, names(&text));
    }
    office.system.finish().await;
    served
}

/// The names of all that is served; of a histogram, that of the whole.
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

/// The metrics that docs/metrics.md explains, and whose they are.
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

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_explained_and_every_explained_one_is_served() {
    let (served, explained) = (served().await, explained());
    for (service, names) in &served {
        for name in names {
            let of = explained.get(name).unwrap_or_else(|| panic!("docs/metrics.md does not explain {name}"));
            assert!(of.contains(service), "docs/metrics.md does not say that {service} serves {name}");
        }
    }
    for (name, of) in &explained {
        let is_served = of.iter().any(|service| served[service].contains(name));
        assert!(is_served, "docs/metrics.md explains {name}, which nobody serves");
    }
}
