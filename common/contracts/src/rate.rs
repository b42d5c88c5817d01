//! Exact money: rates in ten-thousandths of the currency, sums of rate × time as integers, and one
//! rounding at the end.

use std::ops;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{lenient, time::HOUR};

/// The number of units of a [`Rate`] in one unit of currency.
const SCALE: i64 = 10_000;
/// The highest rate for one hour, in units of currency. Every rate up to this one is the same after
/// it was written as a JSON number and read again.
const MOST: i64 = 100_000_000;

/// An amount of money for one hour, in ten-thousandths of a unit of currency. In JSON it is a
/// number in units of currency with at most four decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, ToSchema)]
#[schema(value_type = f64, minimum = 0, maximum = 100_000_000, example = 62.5)]
pub struct Rate(i64);

/// The error for a number that is not a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an amount an hour from 0 to 100000000 with at most four decimals")]
pub struct InvalidRate;

impl Rate {
    /// The rate of this many ten-thousandths of a unit of currency for one hour.
    ///
    /// # Errors
    /// [`InvalidRate`], if `units` is negative or more than 100,000,000 units of currency.
    pub fn from_units(units: i64) -> Result<Self, InvalidRate> {
        if (0..=MOST * SCALE).contains(&units) { Ok(Self(units)) } else { Err(InvalidRate) }
    }

    /// The rate in ten-thousandths of a unit of currency for one hour.
    pub const fn units(self) -> i64 {
        self.0
    }
}

impl TryFrom<f64> for Rate {
    type Error = InvalidRate;

    fn try_from(number: f64) -> Result<Self, InvalidRate> {
        let scaled = number * SCALE as f64;
        let units = scaled.round();
        // The double that is nearest to a number with four decimals differs from that number only
        // by its rounding. A larger difference means that the number has more than four decimals.
        if !number.is_finite() || (scaled - units).abs() > 1e-4_f64.max(units.abs() * 4e-16) {
            return Err(InvalidRate);
        }
        Self::from_units(units as i64)
    }
}

impl Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.serialize_f64(self.0 as f64 / SCALE as f64) } else { to.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        if from.is_human_readable() {
            lenient::number(from)?.try_into().map_err(D::Error::custom)
        } else {
            Self::from_units(i64::deserialize(from)?).map_err(D::Error::custom)
        }
    }
}

/// An exact sum of money: ten-thousandths of a unit of currency for one hour, times milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(pub i128);

impl Money {
    /// The price of this many milliseconds at this rate.
    pub fn of(rate: Rate, millis: i64) -> Self {
        Self(i128::from(rate.0) * i128::from(millis))
    }

    /// Rounds to whole cents. Half a cent is rounded away from zero. No other function rounds a
    /// computed sum.
    pub fn cents(self) -> Cents {
        let cent = i128::from(SCALE) * i128::from(HOUR) / 100;
        let whole = (self.0.abs() + cent / 2) / cent;
        Cents((whole * self.0.signum()) as i64)
    }
}

impl ops::Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl ops::AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), ops::Add::add)
    }
}

/// An amount of money in cents. In JSON it is a number in units of currency, such as `62.5`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = f64, example = 1_250.75)]
pub struct Cents(pub i64);

impl Serialize for Cents {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.0 as f64 / 100.0)
    }
}

impl<'de> Deserialize<'de> for Cents {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        f64::deserialize(from).map(|amount| Self((amount * 100.0).round() as i64))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn five_decimals_and_what_is_no_amount_are_refused() {
        for bad in [0.00001, 33.333_333, -1.0, f64::NAN, f64::INFINITY, 1e9, 100_000_001.0] {
            assert_eq!(Rate::try_from(bad), Err(InvalidRate), "{bad}");
        }
    }

    #[test]
    fn half_a_cent_goes_up() {
        let half_a_cent = i128::from(SCALE) * i128::from(HOUR) / 200;
        assert_eq!(Money(half_a_cent).cents(), Cents(1));
        assert_eq!(Money(half_a_cent - 1).cents(), Cents(0));
    }

    #[test]
    fn an_hour_costs_its_rate() -> Result<(), InvalidRate> {
        assert_eq!(Money::of(Rate::try_from(62.5)?, HOUR).cents(), Cents(6_250));
        Ok(())
    }

    proptest! {
        #[test]
        fn every_rate_survives_json(units in 0..=MOST * SCALE) {
            let rate = Rate(units);
            let json = serde_json::to_string(&rate).expect("a number");
            prop_assert_eq!(serde_json::from_str::<Rate>(&json).expect("a rate"), rate);
        }

        #[test]
        fn money_split_in_two_adds_up_to_the_whole(units in 0..=MOST * SCALE, a in 0..DAYS, b in 0..DAYS) {
            let rate = Rate(units);
            prop_assert_eq!(Money::of(rate, a) + Money::of(rate, b), Money::of(rate, a + b));
        }
    }

    const DAYS: i64 = 400 * crate::DAY;
}
