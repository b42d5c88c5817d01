//! The mailer: sends mails by SMTP, or writes them to a folder in development.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::run_service(contracts::Service::Mailer, mailer::run)
}
