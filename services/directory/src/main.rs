//! The program `directory`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::run_service(contracts::Service::Directory, directory::run)
}
