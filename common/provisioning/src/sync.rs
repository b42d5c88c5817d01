use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Checks on the monitoring port of NATS that NATS syncs to disk before it acknowledges. With the
/// answer 202, the gateway promises that the received windows of time survive a power failure, and
/// only `sync_interval: always` keeps that promise.
///
/// # Errors
/// When NATS does not sync before it acknowledges, or does not answer.
pub async fn check_sync(monitor_url: &str) -> Result<()> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
    let url = format!("{}/jsz", monitor_url.trim_end_matches('/'));
    let asked = async { http.get(&url).send().await?.error_for_status()?.json::<Value>().await };
    let state = asked.await.with_context(|| format!("NATS does not answer on its monitoring port, {monitor_url}"))?;
    ensure!(
        state["config"]["sync_always"] == true,
        "NATS at {monitor_url} does not fsync what it acknowledges: set `sync_interval: always` in its jetstream block"
    );
    Ok(())
}
