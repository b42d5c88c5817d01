use clap::{ArgAction, Args, builder::BoolishValueParser};

/// The settings that only this service has.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)] // clap names a group after its struct, and `stack` flattens six structs named `Config`
pub struct Config {
    /// Count every window in full, even where windows of an employee overlap. By default every
    /// second of an employee counts once. A change applies to a day when one of its windows changes
    /// next, and to all days after `rebuild`. Timetrack must have the same setting.
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
