//! The text that is printed on standard output once everything runs.

use std::fmt;
use std::time::Duration;

use kit::config::given;

use crate::{Settings, demo::Welcome, secrets::AdminKey};

/// The content of the text.
#[derive(Debug)]
pub struct Banner<'a> {
    /// The settings of the system.
    pub settings: &'a Settings,
    /// The base URL of the gateway.
    pub base: String,
    /// Where the user finds the admin key.
    pub admin_key: AdminKey,
    /// The time from the start until everything was ready.
    pub took: Duration,
    /// The data that the demo has created.
    pub welcome: Option<Welcome>,
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { settings, base, admin_key, took, welcome } = self;
        let data = settings.common.data.display();
        let key = match admin_key {
            AdminKey::Settings => "ADMIN_API_KEY, as it is set".to_owned(),
            AdminKey::File(path) => path.display().to_string(),
        };
        let mail = match given(settings.mailer.email_host.as_ref()) {
            Some(host) => format!("sent through {host}"),
            None => format!("{data}/mail (set EMAIL_HOST to send it)"),
        };
        writeln!(f, "\nT3 is ready, after {:.1} s.\n", took.as_secs_f64())?;
        writeln!(f, "  Console    {base}/console")?;
        writeln!(f, "  API        {base}")?;
        writeln!(f, "  Docs       {base}/docs")?;
        writeln!(f, "  Admin key  {key}")?;
        writeln!(f, "  Mail       {mail}")?;
        writeln!(f, "  Data       {data}")?;
        // The addresses of servers that the settings name are not printed, because these addresses
        // may contain passwords.
        if !settings.names_nats {
            writeln!(f, "  NATS       {}", settings.common.nats.nats_url)?;
        }
        if !settings.names_mongo {
            writeln!(f, "  MongoDB    {}", settings.common.mongo.mongo_connection_string.expose())?;
        }
        if let Some(welcome) = welcome {
            write!(f, "{welcome}")?;
        }
        writeln!(f, "  Stop       Ctrl-C")
    }
}
