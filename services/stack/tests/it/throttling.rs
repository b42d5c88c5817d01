//! Whoever guesses passwords, as HTTP tells it.

use contracts::Service;
use serde_json::Value;

use crate::{api::send, support::System};

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_told_to_wait_and_the_owner_logs_in_from_elsewhere() {
    let system = System::start().await;
    let ann = system.new_employee("Ann", "ann@example.org").await;
    let log_in = async |address: &str, email: &str, password: &str| {
        let form = [("username", email), ("password", password)];
        let request = system.request("POST", "/api/auth/login").form(&form);
        send(request.header("X-Forwarded-For", address), Value::Null).await
    };
    for email in [ann.email.as_str(), "nobody@example.org"] {
        for _ in 0..6 {
            assert_eq!(log_in("192.0.2.1", email, "a wrong password").await.refused(401), "unauthorized");
        }
        let refused = log_in("192.0.2.1", email, &ann.password).await;
        assert_eq!(refused.headers["retry-after"], "1");
        assert_eq!(refused.refused(429), "too_many_attempts");
    }
    log_in("192.0.2.2", &ann.email, &ann.password).await.expect(200);
    system.login(&ann.email, &ann.password).await.expect(200);

    let path = "/api/v1/audit?action=login.failed&limit=100";
    let entries = testkit::eventually("the audit trail", async || {
        let entries = system.admin("GET", path, Value::Null).await.expect(200);
        let entries = entries.as_array().unwrap().clone();
        (entries.len() == 12).then_some(entries)
    })
    .await;
    assert!(entries.iter().all(|entry| entry["address"] == "192.0.2.1"), "{entries:?}");
    let metrics = system.metrics(Service::Directory).await;
    assert!(
        metrics.lines().any(|line| line.starts_with("t3_attempts_refused_total") && line.ends_with("of=\"pair\"} 2"))
    );
    system.finish().await;
}
