use clap::{ArgAction, Args, builder::BoolishValueParser};

/// The settings of this service alone.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)] // the whole system has this name six times
pub struct Config {
    /// Count windows that overlap as often as they overlap. By default every second of an employee
    /// counts once. A change takes hold of a day when its windows change next, and of
    /// all days with `rebuild`. Timetrack must have the same.
    #[arg(
        long,
        env = "COUNT_OVERLAPS",
        action = ArgAction::Set,
        value_parser = BoolishValueParser::new(),
        default_value = "false",
        default_missing_value = "true",
        num_args = 0..=1
    )]
    pub count_overlaps: bool,
}
