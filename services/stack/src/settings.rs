//! The settings of the whole system: the settings of every service, with defaults for a first run.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, Parser};
use kit::config::{Common, given};

/// The settings of the whole system.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "stack",
    version,
    about = "The T3 time tracker backend, all of it: the gateway, six services, NATS and MongoDB.",
    long_about = "The T3 time tracker backend, all of it: the gateway, six services, NATS and MongoDB.\n\
        Settings come from flags, the environment and a .env file, in this order."
)]
pub struct Settings {
    /// The settings that all services share.
    #[command(flatten)]
    pub common: Common,
    /// The settings of the gateway.
    #[command(flatten)]
    pub gateway: gateway::Config,
    /// The settings of directory.
    #[command(flatten)]
    pub directory: directory::Config,
    /// The settings of projects.
    #[command(flatten)]
    pub projects: projects::Config,
    /// The settings of timetrack, made from `limits` and from one setting of analytics.
    #[arg(skip)]
    pub timetrack: timetrack::Config,
    /// The settings that only timetrack has.
    #[command(flatten)]
    pub limits: timetrack::Limits,
    /// The settings of analytics. Timetrack needs one of them too.
    #[command(flatten)]
    pub analytics: analytics::Config,
    /// The settings of mailer.
    #[command(flatten)]
    pub mailer: mailer::Config,
    /// The settings of audit.
    #[command(flatten)]
    pub audit: audit::Config,
    /// Fill an empty data folder with a made-up company, for a first look: people, projects, tasks
    /// and the hours of 60 days, or of DAYS days. The addresses and the password for logging in are
    /// printed.
    #[arg(long, env = "T3_DEMO", value_name = "DAYS", num_args = 0..=1, require_equals = true,
          default_missing_value = "60", value_parser = clap::value_parser!(u16).range(2..=366))]
    pub demo: Option<u16>,
    /// Whether the settings name a NATS server.
    #[arg(skip)]
    pub names_nats: bool,
    /// Whether the settings name a MongoDB server.
    #[arg(skip)]
    pub names_mongo: bool,
}

impl Settings {
    /// Reads all settings. `--help` and malformed settings end the process.
    pub fn parse() -> Self {
        let matches = command().get_matches();
        let mut settings = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        settings.timetrack =
            timetrack::Config { count_overlaps: settings.analytics.count_overlaps, limits: settings.limits };
        let Common { nats, mongo, .. } = &settings.common;
        let mongo_url = mongo.mongo_connection_string.expose().trim();
        settings.names_nats = is_set(&matches, "nats_url") && given(Some(&nats.nats_url)).is_some();
        settings.names_mongo = is_set(&matches, "mongo_connection_string") && !mongo_url.is_empty()
            || mongo.mongo_connection_string_file.is_some();
        settings
    }
}

/// Returns the command line, with the defaults and help texts that differ when everything runs in
/// one process.
fn command() -> Command {
    Settings::command()
        .mut_arg("environment", |arg| arg.default_value("development"))
        .mut_arg("nats_url", |arg| {
            arg.hide_default_value(true).help("NATS, with JetStream; unless this names one, it is started here")
        })
        .mut_arg("mongo_connection_string", |arg| {
            arg.hide_default_value(true).help("A MongoDB replica set; unless this names one, it is started here")
        })
        .mut_arg("nats_nkey", |arg| {
            arg.help("The seed of a user of that NATS who may do what all services may; ours have one each")
        })
        .mut_arg("mongo_password", |arg| {
            arg.help("The password of every service's own user of that MongoDB; unless the connection string names one")
        })
        .mut_arg("ops_addr", |arg| arg.help("Where health and metrics are served: by the gateway here, by directory, projects, timetrack, analytics, mailer and audit on the next ports; port 0 takes free ones"))
}

fn is_set(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id).is_some_and(|source| source != ValueSource::DefaultValue)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_example_names_every_setting_and_help_explains_it() {
        let example = include_str!("../../../.env.example");
        let example: BTreeSet<&str> = example
            .lines()
            .filter_map(|line| line.trim_start_matches('#').split_once('='))
            .map(|(name, _)| name)
            .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
            .collect();
        command().debug_assert();
        let command = command();
        let settings: BTreeSet<&str> = command
            .get_arguments()
            .inspect(|arg| assert!(arg.get_help().is_some(), "{} is not explained", arg.get_id()))
            .map(|arg| arg.get_env().unwrap_or_else(|| panic!("{} has no variable", arg.get_id())))
            .map(|name| name.to_str().unwrap())
            .collect();
        assert_eq!(example, settings);
    }
}
