//! The edge: HTTP in, messages out.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::run_service(contracts::Service::Gateway, |config: gateway::Alone, deps, shutdown| {
        gateway::run(config.into(), deps, shutdown)
    })
}
