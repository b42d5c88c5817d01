//! The gateway program, which serves the HTTP API and the console.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::run_service(contracts::Service::Gateway, |config: gateway::Alone, deps, shutdown| {
        gateway::run(config.into(), deps, shutdown)
    })
}
