use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use kit::{
    config::{Environment, Refused, given},
    telemetry,
};
use provisioning::{Provisioner, Secrets, check_sync};

use crate::{Command, Settings, needs, settings::Run};

/// Reads the settings and runs the command.
///
/// A wrong setting ends the process with an explanation and exit code 2, any other failure with
/// exit code 1.
pub fn main() -> ExitCode {
    // Without a .env file the program runs too. Flags and environment variables take precedence
    // over the file.
    let _ = dotenvy::dotenv();
    let done = match Settings::parse().command {
        Command::Secrets { dir } => Secrets::make(&dir).map(|_| ExitCode::SUCCESS),
        Command::Run(settings) => run(&settings),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        if error.is::<Refused>() { ExitCode::from(2) } else { ExitCode::FAILURE }
    })
}

fn run(settings: &Run) -> Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start")?;
    runtime.block_on(async {
        let telemetry = telemetry::start("provision", &settings.telemetry)?;
        let done = provision(settings).await;
        telemetry.stop();
        done
    })
}

async fn provision(settings: &Run) -> Result<ExitCode> {
    let monitors = given(settings.nats_monitor_url.as_ref());
    if monitors.is_none() && settings.environment == Environment::Production {
        let sentence = "NATS_MONITOR_URL is missing: set it to NATS's monitoring port, such as http://nats:8222; \
            production must know that NATS fsyncs what it acknowledges";
        return Err(Refused(sentence.into()).into());
    }
    let secrets = settings.secrets.clone().filter(|dir| !dir.as_os_str().is_empty()).map(Secrets::open);
    let provisioner = Provisioner::connect(&settings.nats, &settings.mongo, settings.environment).await?;
    for url in monitors.into_iter().flat_map(|urls| urls.split(',')) {
        check_sync(url.trim()).await?;
    }
    let streams = provisioner.streams(&settings.bounds).await?;
    let plan = streams.and(provisioner.services(&needs(), secrets.as_ref()).await?);
    if settings.check {
        plan.lines().iter().for_each(|line| println!("{line}"));
        return Ok(if plan.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    plan.apply().await?;
    tracing::info!("everything is there that the services need");
    Ok(ExitCode::SUCCESS)
}
