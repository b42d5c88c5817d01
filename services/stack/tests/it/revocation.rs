//! Tests that every gateway refuses deactivated and logged-out people, also right after a crash of
//! NATS.

use std::time::Duration;

use serde_json::Value;
use testkit::eventually_within;

use crate::{fixture::Fixture, support::System};

/// How often NATS is killed in the test of deactivations.
const ROUNDS: usize = 6;
/// The time limit for the recovery of all services after a crash of NATS.
const RECONNECT_PATIENCE: Duration = Duration::from_secs(30);

async fn me(base: &str, token: &str) -> u16 {
    reqwest::Client::new()
        .get(format!("{base}/api/auth/me"))
        .bearer_auth(token)
        .send()
        .await
        .map_or(0, |answer| answer.status().as_u16())
}

async fn log_in_again(fixture: &Fixture) -> String {
    log_in(&fixture.system, (&fixture.ann.email, &fixture.ann.password)).await
}

async fn log_in(system: &System, fixture: (&str, &str)) -> String {
    eventually_within(RECONNECT_PATIENCE, "logged in", async || {
        let answer = system.login(fixture.0, fixture.1).await;
        answer.body["access_token"].as_str().map(str::to_owned)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn once_a_deactivation_is_answered_no_gateway_takes_the_token_however_often_nats_crashes() {
    let mut fixture = Fixture::start().await;
    let gateways = [fixture.system.base.clone(), fixture.system.second_gateway().await];
    let path = |verb: &str| format!("/api/v1/employee/{}/{verb}", fixture.ann.id);
    for round in 0..ROUNDS {
        let token = log_in(&fixture.system, (&fixture.ann.email, &fixture.ann.password)).await;
        for gateway in &gateways {
            eventually_within(RECONNECT_PATIENCE, "the token is taken", async || {
                (me(gateway, &token).await == 200).then_some(())
            })
            .await;
        }
        fixture.system.harness.nats.kill().await;
        fixture.system.harness.nats.start_again().await.unwrap();
        eventually_within(RECONNECT_PATIENCE, "deactivated", async || {
            let answer = fixture.system.admin("POST", &path("deactivate"), Value::Null).await;
            // An earlier attempt may have succeeded without an answer. Then this one is answered
            // 409.
            matches!(answer.status, 200 | 409).then_some(())
        })
        .await;
        for gateway in &gateways {
            let seen = me(gateway, &token).await;
            assert!([401, 503].contains(&seen), "{seen} from {gateway} in round {round}");
        }
        for gateway in &gateways {
            eventually_within(RECONNECT_PATIENCE, "the token is over", async || {
                (me(gateway, &token).await == 401).then_some(())
            })
            .await;
        }
        eventually_within(RECONNECT_PATIENCE, "reactivated", async || {
            let answer = fixture.system.admin("POST", &path("reactivate"), Value::Null).await;
            matches!(answer.status, 200 | 409).then_some(())
        })
        .await;
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_a_log_out_is_answered_no_gateway_takes_the_token_however_often_nats_crashes() {
    let mut fixture = Fixture::start().await;
    let gateways = [fixture.system.base.clone(), fixture.system.second_gateway().await];
    for round in 0..3 {
        let (gone, stays) = (log_in_again(&fixture).await, log_in_again(&fixture).await);
        for (gateway, token) in gateways.iter().flat_map(|gateway| [(gateway, &gone), (gateway, &stays)]) {
            eventually_within(RECONNECT_PATIENCE, "the token is taken", async || {
                (me(gateway, token).await == 200).then_some(())
            })
            .await;
        }
        fixture.system.harness.nats.kill().await;
        fixture.system.harness.nats.start_again().await.unwrap();
        eventually_within(RECONNECT_PATIENCE, "logged out", async || {
            let answer = fixture.system.employee(&gone, "POST", "/api/auth/logout", Value::Null).await;
            // An earlier attempt may have succeeded without an answer. Then this one is answered
            // 401.
            matches!(answer.status, 204 | 401).then_some(())
        })
        .await;
        for gateway in &gateways {
            let seen = me(gateway, &gone).await;
            assert!([401, 503].contains(&seen), "{seen} from {gateway} in round {round}");
        }
        for gateway in &gateways {
            eventually_within(RECONNECT_PATIENCE, "the token is over", async || {
                (me(gateway, &gone).await == 401).then_some(())
            })
            .await;
            eventually_within(RECONNECT_PATIENCE, "the other is good", async || {
                (me(gateway, &stays).await == 200).then_some(())
            })
            .await;
        }
    }
    fixture.system.finish().await;
}
