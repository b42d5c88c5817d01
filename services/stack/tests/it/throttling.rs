//! Tests of the limits of password guesses, over HTTP.

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
    let mut tried = 0;
    for email in [ann.email.as_str(), "nobody@example.org"] {
        loop {
            let refused = log_in("192.0.2.1", email, "a wrong password").await;
            if refused.status == 401 {
                tried += 1;
                assert!(tried < 50);
                continue;
            }
            let pause: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert_eq!(refused.refused(429), "too_many_attempts");
            // The attempts end with a pause of a minute, because a shorter one could be over on a
            // busy machine before the next request.
            if pause >= 60 {
                break;
            }
            system.harness.clock.advance(pause * 1_000);
        }
        assert_eq!(log_in("192.0.2.1", email, &ann.password).await.refused(429), "too_many_attempts");
    }
    log_in("192.0.2.2", &ann.email, &ann.password).await.expect(200);
    system.login(&ann.email, &ann.password).await.expect(200);

    let path = "/api/v1/audit?action=login.failed&limit=100";
    let entries = testkit::eventually("the audit trail", async || {
        let entries = system.admin("GET", path, Value::Null).await.expect(200);
        let entries = entries.as_array().unwrap().clone();
        (entries.len() == tried).then_some(entries)
    })
    .await;
    assert!(entries.iter().all(|entry| entry["address"] == "192.0.2.1"), "{entries:?}");
    let metrics = system.metrics(Service::Directory).await;
    let of_pair =
        metrics.lines().find(|line| line.starts_with("t3_attempts_refused_total") && line.contains("\"pair\""));
    let refused: u64 = of_pair.and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
    assert!(refused >= 4, "{metrics}");
    system.finish().await;
}
