use std::str::FromStr;

use clap::{ArgAction, Args, builder::BoolishValueParser};
use contracts::Millis;
use jiff::civil::Date;

/// The settings of this service, without those that all services have.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)] // clap names a group after its struct, and every service has a struct named `Config`
pub struct Config {
    /// Count every window in full, even where windows of an employee overlap: the `negativeTime` of
    /// every window is 0 then. Analytics must have the same setting.
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
    /// The limits of recorded windows.
    #[command(flatten)]
    pub limits: Limits,
}

/// The limits of recorded windows.
#[derive(Args, Clone, Copy, Debug, Default)]
#[group(skip)]
pub struct Limits {
    /// Windows that began before this UTC day are quarantined until an admin admits or discards
    /// them: they come from computers with a wrong clock, which shows 1970 or 1980 after the
    /// battery has died. An import of older time sheets needs an earlier day.
    #[arg(long, env = "EARLIEST_WINDOW", value_name = "YYYY-MM-DD", default_value = "2001-01-01")]
    pub earliest_window: EarliestWindow,
}

/// The earliest moment at which a window may begin, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarliestWindow(pub Millis);

impl Default for EarliestWindow {
    /// The default: the start of the year 2001, UTC.
    fn default() -> Self {
        Self(Millis(978_307_200_000))
    }
}

/// The error for a text that is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a day as YYYY-MM-DD, such as 2001-01-01")]
pub struct NotADay;

impl FromStr for EarliestWindow {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let day: Date = text.parse().map_err(|_| NotADay)?;
        let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| NotADay)?;
        Ok(Self(Millis(midnight.timestamp().as_millisecond())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_window_is_a_day_and_2001_unless_set() {
        assert_eq!("2001-01-01".parse(), Ok(EarliestWindow::default()));
        assert_eq!("1970-01-02".parse(), Ok(EarliestWindow(Millis(86_400_000))));
        for no_day in ["", "2001", "2001-13-01", "978307200000", "yesterday"] {
            assert_eq!(no_day.parse::<EarliestWindow>(), Err(NotADay), "{no_day}");
        }
    }
}
