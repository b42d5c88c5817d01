use contracts::{INGEST_WINDOWS, Service, User, stream};
use testkit::Harness;

use crate::intruder::Intruder;

#[tokio::test(flavor = "multi_thread")]
async fn each_service_is_refused_to_say_what_is_not_its_own() {
    let harness = Harness::start().await;
    for service in Service::ALL {
        let mut intruder = Intruder::with_the_key_of(service.into(), &harness).await;
        let mut refused: Vec<String> = [
            "STREAM.CREATE.OTHER",
            "STREAM.DELETE.EVENTS",
            "STREAM.PURGE.EVENTS",
            "STREAM.UPDATE.INGEST",
            "STREAM.MSG.DELETE.EVENTS",
            "CONSUMER.CREATE.EVENTS.other",
            "CONSUMER.CREATE.INGEST.other",
            "DIRECT.GET.EVENTS",
        ]
        .map(|subject| format!("$JS.API.{subject}"))
        .into();
        refused.push(format!("$JS.API.CONSUMER.DELETE.EVENTS.{service}"));
        for other in Service::ALL.into_iter().filter(|other| *other != service) {
            refused.push(format!("evt.{other}.v1.thing.1.changed"));
            refused.push(format!("$JS.API.CONSUMER.MSG.NEXT.EVENTS.{other}"));
            refused.push(format!("$JS.ACK.EVENTS.{other}.1.1.1.1.0"));
            refused.push(format!("$JS.ACK.hub.acc.EVENTS.{other}.1.1.1.1.0"));
            refused.push(stream::dead_subject(stream::EVENTS, other.name()));
            if service != Service::Gateway {
                refused.push(format!("svc.{other}.v1.things.change"));
                refused.push(INGEST_WINDOWS.to_owned());
                refused.push(format!("$KV.{}.beat.1", stream::REVOCATIONS));
            }
        }
        if service != Service::Directory {
            refused.push(format!("$KV.{}.employee.1", stream::REVOCATIONS));
        }
        for subject in refused {
            intruder.is_refused_to_say(&subject, b"{}").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_is_refused_to_hear_what_others_are_told() {
    let harness = Harness::start().await;
    for user in User::ALL {
        let mut intruder = Intruder::with_the_key_of(user, &harness).await;
        for other in User::ALL.into_iter().filter(|other| *other != user) {
            intruder.is_refused_to_hear(&format!("{}.>", other.inbox())).await;
            intruder.is_refused_to_hear(&format!("svc.{other}.v1.>")).await;
        }
        for subject in [">", "evt.>", "ingest.v1.windows", "dead.>", "$JS.ACK.>", "$KV.>", "_INBOX.>"] {
            intruder.is_refused_to_hear(subject).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_edges_between_services_are_those_of_the_design() {
    let harness = Harness::start().await;
    for (service, refused) in [
        (Service::Mailer, ["svc.directory.v1.employees.list", "svc.directory.v1.accounts.check_password"]),
        (Service::Projects, ["svc.directory.v1.employees.deactivate", "svc.timetrack.v1.windows.void"]),
        (Service::Analytics, ["svc.timetrack.v1.windows.update", "svc.directory.v1.employees.standings"]),
        (Service::Directory, ["svc.projects.v1.projects.delete", "svc.timetrack.v1.windows.list"]),
        (Service::Timetrack, ["svc.projects.v1.projects.get", "svc.directory.v1.employees.get"]),
    ] {
        let mut intruder = Intruder::with_the_key_of(service.into(), &harness).await;
        for subject in refused {
            intruder.is_refused_to_say(subject, b"{}").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_not_let_in() {
    let harness = Harness::start().await;
    assert!(async_nats::connect(harness.nats.url()).await.is_err());
    let (seed, _) = provisioning::new_key().unwrap();
    let options = async_nats::ConnectOptions::with_nkey(seed.expose().to_owned());
    assert!(options.connect(harness.nats.url()).await.is_err());
}
