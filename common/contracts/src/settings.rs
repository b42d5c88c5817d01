//! The settings of the organisation, which can be changed at run time.

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Currency, Event, Failure, ORGANIZATION, Service, Zone, message::requests};

/// The highest day of the month on which a period of a month may begin. Every month has this day.
const LAST_ANCHOR: i8 = 28;

/// The length of a pay period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PayPeriod {
    /// A week.
    Week,
    /// Two weeks.
    Biweek,
    /// A month.
    #[default]
    Month,
}

impl PayPeriod {
    /// All lengths.
    pub const ALL: [Self; 3] = [Self::Week, Self::Biweek, Self::Month];

    /// The name of the length in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Biweek => "biweek",
            Self::Month => "month",
        }
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WeekDay {
    /// Monday, the default, which begins a week in ISO 8601.
    #[default]
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl WeekDay {
    /// All days of the week, from Monday on.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// The name of the day in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    /// The same day in the type of the calendar library.
    pub const fn of_calendar(self) -> Weekday {
        match self {
            Self::Monday => Weekday::Monday,
            Self::Tuesday => Weekday::Tuesday,
            Self::Wednesday => Weekday::Wednesday,
            Self::Thursday => Weekday::Thursday,
            Self::Friday => Weekday::Friday,
            Self::Saturday => Weekday::Saturday,
            Self::Sunday => Weekday::Sunday,
        }
    }
}

/// The settings of the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The time zone of the organisation. It is used unless a user has chosen another one for
    /// themselves.
    #[schema(value_type = String, example = "Europe/Berlin")]
    pub timezone: Zone,
    /// The length of a pay period.
    pub pay_period: PayPeriod,
    /// A local day on which a pay period begins. For periods of a month, only the day of the month
    /// is used, which is at most 28.
    #[schema(value_type = String, format = Date, example = "2026-01-05")]
    pub anchor: Date,
    /// The day on which weeks begin.
    pub week_start: WeekDay,
    /// The currency of all amounts, as a code of ISO 4217. It is shown next to sums and does not
    /// affect any amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "EUR")]
    pub currency: Option<Currency>,
}

/// The settings until somebody changes them: pay periods of a month, in UTC, and weeks from Monday
/// on.
impl Default for Settings {
    fn default() -> Self {
        Self {
            timezone: Zone::default(),
            pay_period: PayPeriod::default(),
            // This day fits periods of weeks and of months: it was a Monday and the first of a
            // month.
            anchor: Date::constant(2024, 1, 1),
            week_start: WeekDay::default(),
            currency: None,
        }
    }
}

impl Settings {
    /// Refuses an `anchor` that is not in the years 1970 to 2199, or that does not fit the pay
    /// period.
    ///
    /// # Errors
    /// 422, for the field `anchor`.
    pub fn check(&self) -> Result<(), Failure> {
        if !(1970..=2199).contains(&self.anchor.year()) {
            return Err(Failure::field("anchor", "must be a day of the years 1970 to 2199"));
        }
        if self.pay_period == PayPeriod::Month && self.anchor.day() > LAST_ANCHOR {
            return Err(Failure::field("anchor", "must be a day that every month has: the 28th at the latest"));
        }
        Ok(())
    }
}

/// Published when the settings were changed. Services then request them again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsChanged {}

impl Event for SettingsChanged {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "settings";
    const VERB: &'static str = "changed";
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        ORGANIZATION.to_owned()
    }
}

/// Requests the settings of the organisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetSettings {}

/// Replaces the settings of the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetSettings {
    /// The new settings.
    pub settings: Settings,
}

requests! {
    Timetrack: GetSettings => Settings, "settings.get", idempotent;
    Timetrack: SetSettings => Settings, "settings.set", idempotent;
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_month_begins_on_a_day_that_every_month_has() {
        let fits = |pay_period, anchor| Settings { pay_period, anchor, ..Settings::default() }.check().is_ok();
        assert!(fits(PayPeriod::Month, date(2026, 1, 28)) && !fits(PayPeriod::Month, date(2026, 1, 29)));
        assert!(fits(PayPeriod::Week, date(2026, 1, 31)) && fits(PayPeriod::Biweek, date(2026, 1, 31)));
        assert!(!fits(PayPeriod::Week, date(1969, 12, 31)) && !fits(PayPeriod::Week, date(2200, 1, 1)));
    }

    #[test]
    fn what_holds_at_first_fits_and_each_word_is_as_it_is_written() {
        assert_eq!(Settings::default().check(), Ok(()));
        for period in PayPeriod::ALL {
            assert_eq!(serde_json::to_value(period).unwrap(), period.name());
        }
        for day in WeekDay::ALL {
            assert_eq!(serde_json::to_value(day).unwrap(), day.name());
            assert_eq!(format!("{:?}", day.of_calendar()).to_lowercase(), day.name());
        }
    }
}
