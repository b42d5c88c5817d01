use clap::{ArgAction, Args, builder::BoolishValueParser};

/// The settings that only this service has.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)] // clap names a group after its struct, and `stack` flattens six structs named `Config`
pub struct Config {
    /// Count every window in full, even where windows of an employee overlap. By default every
    /// second of an employee counts once. A change of this setting applies to the time range of
    /// each window that is recorded or changed after it, and to all time after `rebuild`. Timetrack
    /// must have the same setting.
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
