use std::ops::{AddAssign, Neg};

use contracts::{CountedSum, Money, TimeMark};

/// An exact sum of time and money. Money is rounded only when it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    /// The time, in milliseconds.
    pub(crate) time: i64,
    /// The cost, unrounded.
    pub(crate) costs: Money,
    /// The income, unrounded.
    pub(crate) income: Money,
}

impl Total {
    /// This total, together with the hash of the time that was counted.
    pub(crate) fn marked(self, mark: TimeMark) -> CountedSum {
        CountedSum { time: self.time, costs: self.costs, income: self.income, mark }
    }
}

impl AddAssign for Total {
    fn add_assign(&mut self, other: Self) {
        self.time += other.time;
        self.costs += other.costs;
        self.income += other.income;
    }
}

impl Neg for Total {
    type Output = Self;

    fn neg(self) -> Self {
        Self { time: -self.time, costs: Money(-self.costs.0), income: Money(-self.income.0) }
    }
}
