//! Runs the whole system in one process, for a first try: NATS and MongoDB, then the gateway and
//! the six services, each with a NATS connection of its own. The services run the same code as in
//! production.

mod backing;
mod banner;
mod demo;
mod secrets;
mod services;
mod settings;

use std::future;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kit::config::Refused;
use kit::{telemetry, until_signal};
use servers::DataDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::backing::Backing;
use crate::banner::Banner;
use crate::services::Services;
pub use crate::settings::Settings;

/// How long the services may take to finish their work. NATS and MongoDB are stopped after the
/// services, and everything together takes less than 25 seconds.
const SERVICES_STOP: Duration = Duration::from_secs(20);

/// Reads the settings, runs the system until a signal, and stops it.
///
/// A wrong setting ends the process with an explanation and exit code 2, any other failure with
/// exit code 1.
pub fn main() -> ExitCode {
    // Without a .env file the process starts too. Flags and environment variables take precedence
    // over the file.
    let _ = dotenvy::dotenv();
    match run(Settings::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            let refused = error.chain().any(|cause| cause.is::<Refused>());
            if refused { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn run(settings: Settings) -> Result<()> {
    let telemetry = telemetry::start("t3", &settings.common.telemetry)?;
    let runtime = Runtime::new()?;
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = system(settings) => ended,
            () = second_signal() => bail!("stopped at once, as asked; what was in hand is done at the next start"),
        }
    });
    // This does not wait for blocking threads, because a name lookup may block one for a long time.
    runtime.shutdown_background();
    telemetry.stop();
    ended
}

/// Runs the system from start to end.
async fn system(mut settings: Settings) -> Result<()> {
    let started = Instant::now();
    // The checks that need neither NATS nor MongoDB come first. If one of them fails, nothing has
    // been started that must be stopped.
    let listener = listen(settings.gateway.http_addr).await?;
    let base = base_url(listener.local_addr()?);
    settings.mailer.public_url = settings.mailer.public_url.filter(|url| !url.is_empty()).or(Some(base.clone()));
    settings.gateway.public_url.clone_from(&settings.mailer.public_url);
    let data = DataDir::open(&settings.common.data)?;
    data.path().clone_into(&mut settings.common.data);
    if settings.demo.is_some() {
        demo::check(&settings, &data)?;
    }
    let admin_key = secrets::fill_in(&mut settings, &data)?;
    let backing = tokio::select! {
        backing = Backing::start(&mut settings, &data) => backing?,
        signal = until_signal() => return signal.context("signals cannot be listened to"),
    };
    let mut services = Services::default();
    let ended = tokio::select! {
        ended = async {
            services.start(&settings, &backing, listener).await?;
            let took = started.elapsed();
            let (welcome, tracking) = match settings.demo {
                None => (None, None),
                Some(days) => tokio::select! {
                    filled = demo::fill(&settings, &base, days) => filled.map(|(welcome, at)| (Some(welcome), Some(at)))?,
                    error = services.any_ended() => return Err(error),
                },
            };
            let banner = Banner { settings: &settings, base, admin_key, took, welcome };
            // An error is ignored, because the system must go on when standard output is closed.
            let _ = writeln!(io::stdout(), "{banner}");
            let tracking = async {
                match tracking {
                    Some(tracking) => tracking.go_on().await,
                    None => future::pending().await,
                }
            };
            tokio::select! {
                error = services.any_ended() => Err(error),
                () = tracking => bail!("the demo ended by itself"),
            }
        } => ended,
        exited = backing.exited() => Err(exited.into()),
        signal = until_signal() => signal.context("signals cannot be listened to"),
    };
    tracing::info!("stopping");
    services.stop(SERVICES_STOP).await;
    backing.stop().await;
    ended
}

async fn listen(addr: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(addr).await;
    Ok(bound.map_err(|error| {
        Refused(format!(
            "HTTP_ADDR is {addr}, which cannot be listened on ({error}): choose another address, or stop what listens \
             there"
        ))
    })?)
}

/// Returns the URL at which a browser on this machine reaches this address.
fn base_url(mut addr: SocketAddr) -> String {
    if addr.ip().is_unspecified() {
        addr.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{addr}")
}

async fn second_signal() {
    for _ in 0..2 {
        if until_signal().await.is_err() {
            future::pending::<()>().await;
        }
    }
}
