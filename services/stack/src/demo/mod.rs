//! The demo: fills an empty system with an invented company through the public API, and lets some
//! of the company's people go on tracking.

mod calendar;
mod client;
mod fill;
mod mail;
mod password;
mod people;
mod progress;
mod projects;
mod rng;
mod tracking;
mod welcome;

use std::fs;

use anyhow::{Context, Result};
use kit::config::{Environment, Refused, given, secret};
use servers::DataDir;

use self::client::Client;
pub use self::{tracking::Tracking, welcome::Welcome};
use crate::Settings;

/// The end of the error messages for a system that is not empty.
const NOT_EMPTY: &str = "the demo fills an empty system only. Start without --demo to go on with what is there, or \
     name an empty folder in T3_DATA";

/// Refuses to run the demo in production, with an SMTP server, or with a data folder that is not
/// empty.
pub fn check(settings: &Settings, data: &DataDir) -> Result<()> {
    if settings.common.environment == Environment::Production {
        Err(Refused("the demo is not for production: start it without T3_ENV=production".to_owned()))?;
    }
    if given(settings.mailer.email_host.as_ref()).is_some() {
        Err(Refused("the demo's people have no mailboxes: start it without EMAIL_HOST".to_owned()))?;
    }
    let folder = data.path();
    let found = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    // The lock file is allowed, because this process has created it.
    if found.flatten().any(|entry| entry.file_name() != "lock") {
        let folder = folder.display();
        Err(Refused(format!("the data folder {folder} holds something already, and {NOT_EMPTY}")))?;
    }
    Ok(())
}

/// Fills the system at the base URL `base`. Returns the text for the user, and the people who go on
/// tracking.
pub async fn fill(settings: &Settings, base: &str, days: u16) -> Result<(Welcome, Tracking)> {
    let (gateway, data) = (&settings.gateway, &settings.common.data);
    let key = secret("ADMIN_API_KEY", gateway.admin_api_key.as_ref(), gateway.admin_api_key_file.as_ref())?;
    let key = key.context("there is no admin's key")?.expose().to_owned();
    let filled = fill::fill(Client::new(base, key)?, data, days).await;
    filled.with_context(|| {
        let data = data.display();
        format!("the demo is not complete: delete {data}, which holds a part of it, and start it again")
    })
}
