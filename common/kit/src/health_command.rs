//! The command `<service> health` requests the health of the service that runs in the same
//! container. The image has no shell and no curl, so the program itself is the probe.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};

use crate::config::Refused;

/// The time limit of the request. It is shorter than the time limit of a container's probe, so that
/// the command can still print what failed.
const PATIENCE: Duration = Duration::from_secs(3);

/// The subcommands that every service has.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Requests the health of the running service at OPS_ADDR; the exit code is 0 when it is
    /// healthy, 2 when OPS_ADDR has port 0, 1 otherwise.
    Health(HealthCommand),
}

/// The arguments of `health`.
#[derive(Args, Clone, Debug)]
pub(crate) struct HealthCommand {
    /// Whether the service can do its work (/readyz), not only whether it runs (/healthz).
    #[arg(long)]
    ready: bool,
}

impl HealthCommand {
    /// Sends the request to the running service and prints the answer.
    pub(crate) async fn run(&self, ops_addr: SocketAddr) -> anyhow::Result<()> {
        if ops_addr.port() == 0 {
            return Err(Refused(format!(
                "OPS_ADDR is {ops_addr}, another port at each start: give the service and this command the same fixed one, such as 127.0.0.1:9100"
            ))
            .into());
        }
        let path = if self.ready { "readyz" } else { "healthz" };
        let url = format!("http://{}/{path}", reachable(ops_addr));
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let answer = client.get(&url).send().await.with_context(|| format!("nothing answers at {url}"))?;
        let (status, body) = (answer.status(), answer.text().await.with_context(|| format!("{url} broke off"))?);
        ensure!(status.is_success(), "{url} says {status}: {}", body.trim());
        println!("{}", body.trim());
        Ok(())
    }
}

/// Replaces the address of a service that listens on all addresses with the loopback address.
fn reachable(mut addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        addr.set_ip(if addr.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    addr
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::StatusCode, routing::get};
    use tokio::net::TcpListener;

    use super::*;

    /// Starts an HTTP server whose `/healthz` answers 200 and whose `/readyz` answers 503. Returns
    /// its address.
    async fn starting() -> SocketAddr {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let not_ready = get(|| async { (StatusCode::SERVICE_UNAVAILABLE, r#"{"missing":["nats"]}"#) });
        let app = Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", not_ready);
        tokio::spawn(async move { axum::serve(listener, app).await });
        addr
    }

    async fn asked(ready: bool, addr: SocketAddr) -> Result<(), String> {
        HealthCommand { ready }.run(addr).await.map_err(|error| format!("{error:#}"))
    }

    #[tokio::test]
    async fn a_service_that_lives_is_well_and_one_that_is_not_ready_says_what_is_missing() {
        let addr = starting().await;
        assert_eq!(asked(false, addr).await, Ok(()));
        let unready = asked(true, addr).await.unwrap_err();
        assert!(unready.contains("503") && unready.contains("nats"), "{unready}");
    }

    #[tokio::test]
    async fn nobody_there_is_a_sentence() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let nobody = asked(false, free).await.unwrap_err();
        assert!(nobody.starts_with(&format!("nothing answers at http://{free}/healthz")), "{nobody}");
    }

    #[tokio::test]
    async fn a_port_that_is_another_at_each_start_is_refused() {
        let error = HealthCommand { ready: false }.run(([127, 0, 0, 1], 0).into()).await.unwrap_err();
        assert!(error.is::<Refused>() && error.to_string().contains("OPS_ADDR"), "{error}");
    }
}
