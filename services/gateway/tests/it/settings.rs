//! Tests that invalid settings end the program with an error that explains them.

use contracts::{Secret, Service};
use kit::{Shutdown, config::Refused};
use testkit::Harness;

use crate::edge::config;

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_and_a_missing_key_are_refused_with_a_sentence() {
    let harness = Harness::start().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let refused = async |config| {
        let error = gateway::run(config, harness.deps(Service::Gateway).await, Shutdown::new()).await;
        error.expect_err("refused").downcast::<Refused>().expect("a sentence").0
    };
    let addr = taken.local_addr().expect("its port");
    let sentence = refused(gateway::Config { http_addr: addr, ..config() }).await;
    assert!(sentence.starts_with(&format!("HTTP_ADDR is {addr}")), "{sentence}");
    let sentence = refused(gateway::Config { admin_api_key: None, ..config() }).await;
    assert!(sentence.starts_with("ADMIN_API_KEY is missing"), "{sentence}");
    let no_address = gateway::Config { public_url: Some("example.org/t3".into()), ..config() };
    let sentence = refused(no_address).await;
    assert!(sentence.starts_with("PUBLIC_URL must be an address"), "{sentence}");
    let mut deps = harness.deps(Service::Gateway).await;
    deps.environment = kit::config::Environment::Production;
    let short = gateway::Config { jwt_secret_key: Some(Secret::new("too short")), ..config() };
    let error = gateway::run(short, deps, Shutdown::new()).await.expect_err("refused");
    assert!(error.to_string().starts_with("JWT_SECRET_KEY is too short"), "{error}");
    harness.finish().await;
}
