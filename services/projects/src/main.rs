//! Projects, tasks and who is on them: the one authority for every membership and assignment.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::run_service(contracts::Service::Projects, projects::run)
}
