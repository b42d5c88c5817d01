//! The settings that every service has. They come from flags, the environment and `.env`, in this
//! order of precedence; `--help` lists them. A wrong setting ends the process at its start, with an
//! explanation.

use std::{fs, net::SocketAddr, path::PathBuf};

use async_nats::ServerAddr;
use clap::{Args, ValueEnum};
use contracts::{Secret, Service};

/// An error about a wrong setting. Its text names the setting and says what the setting must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// Where a program runs: on a developer's machine or in production.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// A developer's machine: secrets may be short, and the program `stack` generates missing ones.
    Development,
    /// Production: the program does not start if a secret is missing or too short.
    #[default]
    Production,
}

/// The settings of every service.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// How to reach NATS.
    #[command(flatten)]
    pub nats: Nats,
    /// Where the program runs: in production it does not start if a secret is missing or too short.
    #[arg(long = "env", env = "T3_ENV", value_name = "T3_ENV", value_enum, default_value = "production")]
    pub environment: Environment,
    /// The folder for files on this machine.
    #[arg(long, env = "T3_DATA", value_name = "T3_DATA", default_value = ".t3")]
    pub data: PathBuf,
    /// The address at which health and metrics are served; port 0 takes a free port.
    #[arg(long, env = "OPS_ADDR", default_value = "127.0.0.1:0")]
    pub ops_addr: SocketAddr,
    /// How to reach MongoDB.
    #[command(flatten)]
    pub mongo: Mongo,
    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: Telemetry,
    /// How copies are compared with their owners' data.
    #[command(flatten)]
    pub reconcile: Reconcile,
}

/// How a service compares its copies of other services' data with the owners' data.
#[derive(Args, Clone, Copy, Debug)]
pub struct Reconcile {
    /// The seconds between two comparisons of copies with their owners' data, varied by up to a
    /// tenth; with 0, copies are compared only on request and after missed events.
    #[arg(long, env = "RECONCILE_EVERY", value_name = "SECONDS", default_value = "21600")]
    pub reconcile_every: u64,
    /// The seconds that analytics waits before it checks a difference again and repairs it; in this
    /// time an event on its way must arrive, even if NATS delivers it a second time.
    #[arg(long, env = "RECONCILE_SETTLE", value_name = "SECONDS", default_value = "60")]
    pub reconcile_settle: u64,
}

/// How to reach NATS.
#[derive(Args, Clone, Debug)]
pub struct Nats {
    /// The address of NATS, with JetStream: nats://host:port or tls://host:port; several are
    /// separated by commas.
    #[arg(long, env = "NATS_URL", default_value = "nats://127.0.0.1:4222", hide_env_values = true)]
    pub nats_url: String,
    /// The seed of the NATS user that connects, as `provision secrets` makes it; required in
    /// production.
    #[arg(long, env = "NATS_NKEY", hide_env_values = true)]
    pub nats_nkey: Option<Secret>,
    /// A file that contains the seed, in place of NATS_NKEY.
    #[arg(long, env = "NATS_NKEY_FILE")]
    pub nats_nkey_file: Option<PathBuf>,
    /// A file with the certificates (PEM) of the authorities that signed the certificate of NATS;
    /// if set, TLS is required.
    #[arg(long, env = "NATS_TLS_CA")]
    pub nats_tls_ca: Option<PathBuf>,
}

/// How to reach MongoDB.
#[derive(Args, Clone, Debug)]
pub struct Mongo {
    /// The connection string of MongoDB, which must be a replica set, even if of one node:
    /// transactions need it.
    #[arg(
        long,
        env = "MONGO_CONNECTION_STRING",
        hide_env_values = true,
        default_value = "mongodb://127.0.0.1:27017/?directConnection=true"
    )]
    pub mongo_connection_string: Secret,
    /// A file that contains the connection string, in place of MONGO_CONNECTION_STRING.
    #[arg(long, env = "MONGO_CONNECTION_STRING_FILE")]
    pub mongo_connection_string_file: Option<PathBuf>,
    /// The password of the service's own MongoDB user, which has the service's name and is stored
    /// in its database; without a password, the user in the connection string connects.
    #[arg(long, env = "MONGO_PASSWORD", hide_env_values = true)]
    pub mongo_password: Option<Secret>,
    /// A file that contains the password, in place of MONGO_PASSWORD.
    #[arg(long, env = "MONGO_PASSWORD_FILE")]
    pub mongo_password_file: Option<PathBuf>,
    /// The prefix of the services' databases: t3_db_directory, …
    #[arg(long, env = "MONGO_DB_NAME", default_value = "t3_db")]
    pub mongo_db_name: String,
}

/// Logs and traces.
#[derive(Args, Clone, Debug)]
pub struct Telemetry {
    /// What is logged: error, warn, info, debug, trace, or a filter such as info,timetrack=debug.
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub log_level: String,
    /// The format of the log.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "auto")]
    pub log_format: LogFormat,
    /// An OpenTelemetry collector (OTLP over HTTP) that traces are sent to, such as http://127.0.0.1:4318.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otel_exporter_otlp_endpoint: Option<String>,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// Human-readable lines.
    Text,
    /// One JSON object a line.
    Json,
}

/// Reads a secret from the setting `NAME`, or from the file that `NAME_FILE` names. An empty
/// setting counts as none.
///
/// # Errors
/// When both are set, or the file is empty or cannot be read.
pub fn secret(name: &str, value: Option<&Secret>, file: Option<&PathBuf>) -> Result<Option<Secret>, Refused> {
    let value = value.filter(|secret| !secret.expose().is_empty()).cloned();
    let Some(path) = file.filter(|path| !path.as_os_str().is_empty()) else { return Ok(value) };
    if value.is_some() {
        return Err(Refused(format!("{name} and {name}_FILE are both set: keep one")));
    }
    let text = fs::read_to_string(path)
        .map_err(|e| Refused(format!("{name}_FILE names {}, which cannot be read: {e}", path.display())))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Refused(format!("{name}_FILE names {}, which is empty", path.display()))),
        text => Ok(Some(Secret::new(text))),
    }
}

/// The text of a setting, without spaces around it. An empty text, as in `NAME=` in a `.env`,
/// counts as none.
pub fn given(value: Option<&String>) -> Option<&str> {
    value.map(|text| text.trim()).filter(|text| !text.is_empty())
}

impl Nats {
    /// The addresses of the NATS servers, from NATS_URL.
    ///
    /// # Errors
    /// When an address is malformed.
    pub fn servers(&self) -> Result<Vec<ServerAddr>, Refused> {
        let servers: Result<Vec<ServerAddr>, _> = self.nats_url.split(',').map(|url| url.trim().parse()).collect();
        servers.map_err(|_| {
            Refused("NATS_URL must be nats://host:port, or tls://host:port, or several with commas between".into())
        })
    }

    /// The seed of the NATS user, from NATS_NKEY or NATS_NKEY_FILE. None in development, if neither
    /// is set.
    ///
    /// # Errors
    /// When both are set, the file is empty or cannot be read, the seed is malformed, or production
    /// has no seed.
    pub fn nkey(&self, environment: Environment) -> Result<Option<Secret>, Refused> {
        let name = "NATS_NKEY";
        match secret(name, self.nats_nkey.as_ref(), self.nats_nkey_file.as_ref())? {
            None if environment == Environment::Production => Err(Refused(format!(
                "{name} is missing: set it, or {name}_FILE, to the seed that `provision secrets` made for this service"
            ))),
            Some(seed) if !seed.expose().starts_with("SU") => {
                Err(Refused(format!("{name} is no seed of a user: those that `provision secrets` makes begin with SU")))
            }
            seed => Ok(seed),
        }
    }
}

impl Mongo {
    /// The name of a service's database.
    pub fn database(&self, service: Service) -> String {
        format!("{}_{service}", self.mongo_db_name)
    }

    /// The password of the MongoDB user, from MONGO_PASSWORD or MONGO_PASSWORD_FILE. None if
    /// neither is set.
    ///
    /// # Errors
    /// When both are set, or the file is empty or cannot be read.
    pub fn password(&self) -> Result<Option<Secret>, Refused> {
        secret("MONGO_PASSWORD", self.mongo_password.as_ref(), self.mongo_password_file.as_ref())
    }

    /// The connection string of MongoDB, from MONGO_CONNECTION_STRING_FILE if it is set, otherwise
    /// from MONGO_CONNECTION_STRING.
    ///
    /// # Errors
    /// When the file is empty or cannot be read, or MONGO_DB_NAME is malformed.
    pub fn connection_string(&self) -> Result<Secret, Refused> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !(1..=40).contains(&self.mongo_db_name.len()) || !self.mongo_db_name.chars().all(fits) {
            return Err(Refused("MONGO_DB_NAME must be 1 to 40 letters, digits, - or _".into()));
        }
        match secret("MONGO_CONNECTION_STRING", None, self.mongo_connection_string_file.as_ref())? {
            Some(text) => Ok(text),
            None => Ok(self.mongo_connection_string.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nats(nkey: Option<&str>) -> Nats {
        let nats_nkey = nkey.map(Secret::new);
        Nats { nats_url: "nats://a:4222, tls://b:4222".into(), nats_nkey, nats_nkey_file: None, nats_tls_ca: None }
    }

    #[test]
    fn production_refuses_to_speak_to_nats_without_a_key() {
        assert!(nats(None).nkey(Environment::Development).is_ok_and(|seed| seed.is_none()));
        let refused = nats(None).nkey(Environment::Production).unwrap_err();
        assert!(refused.0.starts_with("NATS_NKEY is missing"), "{refused}");
        let refused = nats(Some("UABC")).nkey(Environment::Development).unwrap_err();
        assert!(refused.0.starts_with("NATS_NKEY is no seed") && !refused.0.contains("UABC"), "{refused}");
        assert!(nats(Some("SUABC")).nkey(Environment::Production).is_ok_and(|seed| seed.is_some()));
    }

    #[test]
    fn several_servers_stand_with_commas_between() {
        assert_eq!(nats(None).servers().unwrap().len(), 2);
        let wrong = Nats { nats_url: "nats://a:4222,:".into(), ..nats(None) };
        assert!(wrong.servers().unwrap_err().0.starts_with("NATS_URL must be"));
    }
}
