use serde::{Deserialize, Serialize};

use crate::Millis;

/// A range of time in which something was true, for example that an employee was on a project. Its
/// start and its end can be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Term {
    /// The start. The first term of a list has none, so an employee who is added to a project may
    /// still record earlier hours. An employee who was removed and is added again may not record
    /// hours from the time in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Millis>,
    /// The end, which is not included; none while the term is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
}

impl Term {
    /// The term of all time.
    pub const ALWAYS: Self = Self { from: None, until: None };

    /// The term that begins now and follows the last term of a list. Its start is never before the
    /// end of that term, even if the clocks of several machines differ. The first term of a list
    /// has no start.
    pub fn after(last: Option<Self>, now: Millis) -> Self {
        Self { from: last.map(|last| last.until.map_or(now, |until| until.max(now))), until: None }
    }

    /// Whether the term has not ended.
    pub const fn is_open(&self) -> bool {
        self.until.is_none()
    }

    /// Ends the term at this moment, or at its start if that is later. A term that has ended is not
    /// changed.
    pub fn end(&mut self, at: Millis) {
        if self.is_open() {
            self.until = Some(self.from.map_or(at, |from| from.max(at)));
        }
    }

    /// The range that is in both terms; none if there is no such range.
    #[must_use]
    pub fn common(self, other: Self) -> Option<Self> {
        let (from, until) = (self.from.max(other.from), self.until.into_iter().chain(other.until).min());
        let is_empty = from.zip(until).is_some_and(|(from, until)| from >= until);
        (!is_empty).then_some(Self { from, until })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(term: Term, at: i64) -> bool {
        term.from.is_none_or(|from| from.0 <= at) && term.until.is_none_or(|until| at < until.0)
    }

    fn any_term() -> impl Strategy<Value = Term> {
        let moment = || prop::option::of((0..20i64).prop_map(Millis));
        (moment(), moment()).prop_map(|(from, until)| Term { from, until })
    }

    proptest! {
        #[test]
        fn a_moment_lies_in_the_common_term_exactly_when_it_lies_in_both(a in any_term(), b in any_term()) {
            let common = a.common(b);
            for at in -1..=21 {
                prop_assert_eq!(common.is_some_and(|term| holds(term, at)), holds(a, at) && holds(b, at));
            }
        }
    }
}
