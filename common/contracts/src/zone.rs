use std::{fmt, str::FromStr};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A time zone of the built-in IANA database. It determines when local days begin. Moments do not
/// depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// The error for a text that is not the name of a time zone. The error does not contain the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of a time zone of the IANA database, such as Europe/Berlin or UTC")]
pub struct UnknownZone;

impl Zone {
    /// The rules of the time zone.
    pub const fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let zone = TimeZone::get(name).map_err(|_| UnknownZone)?;
        if zone.is_unknown() { Err(UnknownZone) } else { Ok(Self(zone)) }
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(name: String) -> Result<Self, UnknownZone> {
        name.parse()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_iana_name_and_written_so() -> Result<(), UnknownZone> {
        for name in ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"] {
            assert_eq!(name.parse::<Zone>()?.to_string(), name);
        }
        assert_eq!("europe/berlin".parse::<Zone>()?.to_string(), "Europe/Berlin");
        assert_eq!(Zone::default(), "UTC".parse()?);
        Ok(())
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for name in ["", "Europe", "Mars/Olympus", "+05:30", "Etc/Unknown", "../etc/passwd", "CET-1CEST"] {
            assert_eq!(name.parse::<Zone>(), Err(UnknownZone), "{name}");
        }
    }
}
