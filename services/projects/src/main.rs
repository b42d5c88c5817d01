//! The program `projects`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::run_service(contracts::Service::Projects, projects::run)
}
