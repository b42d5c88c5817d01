//! Where the time and the money went: facts from events, and roll-ups recomputed from facts.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::run_service(contracts::Service::Analytics, analytics::run)
}
