//! The rates of a window whose rates change on a later day of the window.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Millis, Rate, Rates, TimeRange, WindowFact};

/// The rates of a window from a moment within the window on: from a local midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RatePart {
    /// When these rates begin. They end when the next part begins, or with the window.
    pub from: Millis,
    /// The bill rate of an hour.
    #[schema(value_type = Option<f64>, example = 50.0)]
    pub bill_rate: Option<Rate>,
    /// The bill rate of an overtime hour; if there is none, the bill rate of an hour.
    #[schema(value_type = Option<f64>, example = json!(null))]
    pub overtime_bill_rate: Option<Rate>,
    /// The pay rate of an hour.
    #[schema(value_type = Option<f64>, example = json!(null))]
    pub pay_rate: Option<Rate>,
    /// The pay rate of an overtime hour; if there is none, the pay rate of an hour.
    #[schema(value_type = Option<f64>, example = json!(null))]
    pub overtime_pay_rate: Option<Rate>,
}

impl RatePart {
    /// The part with these rates that begins at this moment.
    pub const fn new(from: Millis, rates: Rates) -> Self {
        let Rates { bill_rate, overtime_bill_rate, pay_rate, overtime_pay_rate } = rates;
        Self { from, bill_rate, overtime_bill_rate, pay_rate, overtime_pay_rate }
    }

    /// The rates of this part.
    pub const fn rates(&self) -> Rates {
        let Self { bill_rate, overtime_bill_rate, pay_rate, overtime_pay_rate, from: _ } = *self;
        Rates { bill_rate, overtime_bill_rate, pay_rate, overtime_pay_rate }
    }
}

/// The rates of a window after its range has changed to `to`: the rates at its new start, and the
/// later parts that begin within it.
pub fn fitted(rates: Rates, mut parts: Vec<RatePart>, to: TimeRange) -> (Rates, Vec<RatePart>) {
    let begun = parts.iter().rev().find(|part| part.from <= to.start()).map(RatePart::rates);
    parts.retain(|part| to.start() < part.from && part.from < to.end());
    (begun.unwrap_or(rates), parts)
}

/// A part of a window in which the rates do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricedPart {
    /// The range of the part.
    pub range: TimeRange,
    /// The cost of one hour.
    pub cost: Rate,
    /// The income of one hour.
    pub income: Rate,
}

impl WindowFact {
    /// Divides a range of this window into parts in which the rates do not change, in order. All
    /// money of windows is computed from such parts.
    pub fn parts_within(&self, stretch: TimeRange) -> impl Iterator<Item = PricedPart> {
        let (mut from, mut rates, mut later) = (stretch.start(), self.rates, self.rate_parts.iter().peekable());
        while let Some(part) = later.next_if(|part| part.from <= from) {
            rates = part.rates();
        }
        let mut is_over = false;
        std::iter::from_fn(move || {
            if is_over {
                return None;
            }
            let next = later.next_if(|part| part.from < stretch.end());
            let range = TimeRange::new(from, next.map_or(stretch.end(), |part| part.from)).ok()?;
            let priced = PricedPart { range, cost: self.cost_of(rates), income: self.income_of(rates) };
            match next {
                Some(part) => (from, rates) = (part.from, part.rates()),
                None => is_over = true,
            }
            Some(priced)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HOUR;

    fn rates(units: i64) -> Rates {
        Rates { bill_rate: Rate::from_units(units).ok(), ..Rates::default() }
    }

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(Millis(start * HOUR), Millis(end * HOUR)).expect("a range")
    }

    fn part(from: i64, units: i64) -> RatePart {
        RatePart::new(Millis(from * HOUR), rates(units))
    }

    #[test]
    fn a_window_that_is_corrected_keeps_the_rates_of_its_days() {
        let parts = || vec![part(24, 2), part(48, 3)];
        assert_eq!(fitted(rates(1), parts(), range(20, 50)), (rates(1), parts()));
        assert_eq!(fitted(rates(1), parts(), range(20, 24)), (rates(1), vec![]));
        assert_eq!(fitted(rates(1), parts(), range(24, 48)), (rates(2), vec![]));
        assert_eq!(fitted(rates(1), parts(), range(30, 50)), (rates(2), vec![part(48, 3)]));
        assert_eq!(fitted(rates(1), parts(), range(60, 61)), (rates(3), vec![]));
    }
}
