//! Mails invitations: by SMTP, with a growing delay for as long as there is none; in development
//! into a folder.

use std::process::ExitCode;

fn main() -> ExitCode {
    kit::run_service(contracts::Service::Mailer, mailer::run)
}
