//! Employees, their accounts and invitations. The authority for who somebody is.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::run_service(contracts::Service::Directory, directory::run)
}
