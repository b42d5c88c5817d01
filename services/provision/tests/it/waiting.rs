use std::time::Duration;

use contracts::{Service, stream};
use kit::{Deps, Shutdown, config::Environment};
use serde_json::Value;
use testkit::{Harness, eventually, eventually_within};

async fn readiness(base: &str) -> (u16, Value) {
    let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(format!("{base}/readyz")).send().await;
    let answer = answer.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_streams_are_missing_says_so_and_goes_on_once_they_are_there() {
    let harness = Harness::start().await;
    for name in [stream::EVENTS, stream::DEAD, stream::REVOCATIONS_STREAM] {
        harness.bus().jetstream.delete_stream(name).await.unwrap();
    }
    let mut settings = harness.settings_of(Service::Directory).await;
    settings.environment = Environment::Production;
    let (deps, shutdown) = (Deps::connect(Service::Directory, &settings).await.unwrap(), Shutdown::new());
    let addr = deps.health.serve(settings.ops_addr, &shutdown).await.unwrap();
    let base = format!("http://{addr}");
    let health = deps.health.clone();
    let service = tokio::spawn(directory::run(directory::Config::default(), deps, shutdown.clone()));

    let missing = |body: &Value, what: &str| body["missing"].as_array().unwrap().iter().any(|one| one == what);
    eventually("it says what it waits for", async || {
        let (status, body) = readiness(&base).await;
        assert_eq!(status, 503);
        let all = ["stream EVENTS", "stream DEAD", "stream KV_revocations", "consumer directory of EVENTS", "start-up"];
        all.iter().all(|what| missing(&body, what)).then_some(())
    })
    .await;
    for name in [stream::EVENTS, stream::DEAD, stream::REVOCATIONS_STREAM] {
        assert!(harness.bus().jetstream.get_stream(name).await.is_err(), "it made {name} itself");
    }
    harness.provision(&directory::needs()).await;
    eventually_within(Duration::from_secs(20), "it is ready", async || {
        (readiness(&base).await.0 == 200 && health.missing().await.is_empty()).then_some(())
    })
    .await;
    shutdown.stop();
    service.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_waits_for_its_indexes_too_and_can_be_stopped_while_it_does() {
    let harness = Harness::start().await;
    let mut needs = projects::needs();
    needs.collections.retain(|(name, _)| *name != "members");
    harness.provision_only(&needs).await;
    let (deps, shutdown) = (harness.deps(Service::Projects).await, Shutdown::new());
    let health = deps.health.clone();
    let service = tokio::spawn(projects::run(projects::Config::default(), deps, shutdown.clone()));
    eventually("it waits for the collection", async || {
        (health.missing().await == ["collection members", "start-up"]).then_some(())
    })
    .await;
    shutdown.stop();
    service.await.unwrap().unwrap();
}
