//! Starts and stops a process. After the stop signal the process accepts no more work, finishes the
//! work in progress, and exits within 25 seconds.

use std::{future::Future, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Args, Parser};
use contracts::{Service, User};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Deps, config::Common, health_command::Command, telemetry};

/// How long work in progress may take to finish after the stop signal.
const GRACE: Duration = Duration::from_secs(20);

/// How long closing the MongoDB sessions may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// The stop signal of a process, and the tasks that must finish before the process exits.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    stop: CancellationToken,
    work: TaskTracker,
}

impl Shutdown {
    /// A stop signal that has not been given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the stop signal.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether the stop signal was given.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Waits for the stop signal.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Spawns a task that must finish before the process exits.
    pub fn spawn<F>(&self, work: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.work.spawn(work)
    }

    /// Waits for the stop signal, and then at most 20 seconds for the work in progress to finish.
    pub async fn drained(&self) {
        self.stopping().await;
        self.work.close();
        if tokio::time::timeout(GRACE, self.work.wait()).await.is_err() {
            tracing::warn!(unfinished = self.work.len(), "stopped with work in hand; it will be repeated");
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// When signals cannot be listened to.
pub async fn until_signal() -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[derive(Parser)]
#[command(version, about = "One service of the T3 time tracker backend, on its own.")]
struct Cli<C: Args> {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    service: C,
    /// A command that runs in place of the service. A service may have more commands of its own.
    #[command(subcommand)]
    command: Option<Command>,
}

/// The `main` function of a service: reads the settings, connects, runs until a stop signal, and
/// finishes the work in progress.
///
/// A wrong setting ends the process with an explanation and exit code 2, any other failure with
/// exit code 1.
pub fn run_service<C, F, R>(service: Service, run: F) -> ExitCode
where
    C: Args,
    F: FnOnce(C, Deps, Shutdown) -> R,
    R: Future<Output = anyhow::Result<()>>,
{
    run_service_as(service, |_| service.into(), run)
}

/// As [`run_service`], but `user` chooses from the settings which NATS user the process connects
/// as.
pub fn run_service_as<C, F, R>(service: Service, user: impl FnOnce(&C) -> User, run: F) -> ExitCode
where
    C: Args,
    F: FnOnce(C, Deps, Shutdown) -> R,
    R: Future<Output = anyhow::Result<()>>,
{
    // A missing .env is no error. Flags and environment variables take precedence over the values
    // in .env.
    let _ = dotenvy::dotenv();
    let cli = Cli::<C>::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    if let Some(Command::Health(health)) = &cli.command {
        return match runtime.block_on(health.run(cli.common.ops_addr)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        };
    }
    runtime.block_on(async {
        let telemetry = match telemetry::start(service.name(), &cli.common.telemetry) {
            Ok(telemetry) => telemetry,
            Err(error) => return fail(&error),
        };
        let user = user(&cli.service);
        let ended = serve(user, service, cli, run).await;
        telemetry.stop();
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        }
    })
}

async fn serve<C, F, R>(user: User, service: Service, cli: Cli<C>, run: F) -> anyhow::Result<()>
where
    C: Args,
    F: FnOnce(C, Deps, Shutdown) -> R,
    R: Future<Output = anyhow::Result<()>>,
{
    let shutdown = Shutdown::new();
    let deps = Deps::connect_as(user, service, &cli.common).await?;
    deps.health.serve(cli.common.ops_addr, &shutdown).await?;
    let on_signal = shutdown.clone();
    tokio::spawn(async move {
        if until_signal().await.is_ok() {
            tracing::info!("stopping");
            on_signal.stop();
        }
    });
    let (bus, mongo) = (deps.bus.clone(), deps.mongo.client().clone());
    run(cli.service, deps, shutdown).await.with_context(|| format!("{service} ended"))?;
    bus.drain().await;
    // Without this, dropping the last client would end its sessions on a runtime that no longer
    // exists, and panic.
    let _ = tokio::time::timeout(GOODBYE, mongo.shutdown().immediate(true)).await;
    Ok(())
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    if error.is::<crate::config::Refused>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
