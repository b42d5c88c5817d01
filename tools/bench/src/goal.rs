//! A measured figure and its goal.

use std::fmt;

use anyhow::{Result, ensure};

/// A measured figure and its goal.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    what: String,
    is: f64,
    bound: Bound,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    Least(f64),
    Most(f64),
}

impl Goal {
    /// Returns a goal with a lower limit, or `None` if there is no figure.
    pub(crate) fn least(what: &str, is: Option<f64>, least: f64) -> Option<Self> {
        is.map(|is| Self { what: what.to_owned(), is, bound: Bound::Least(least) })
    }

    /// Returns a goal with an upper limit, or `None` if there is no figure.
    pub(crate) fn most(what: &str, is: Option<f64>, most: f64) -> Option<Self> {
        is.map(|is| Self { what: what.to_owned(), is, bound: Bound::Most(most) })
    }

    fn is_met(&self) -> bool {
        match self.bound {
            Bound::Least(least) => self.is >= least,
            Bound::Most(most) => self.is <= most,
        }
    }

    /// Returns a sentence for each missed goal.
    pub(crate) fn missed(goals: &[Self]) -> Vec<String> {
        goals.iter().filter(|goal| !goal.is_met()).map(Self::in_words).collect()
    }

    fn in_words(&self) -> String {
        let Self { what, is, bound } = self;
        match bound {
            Bound::Least(least) => format!("{what}: {is:.2}, goal at least {least:.2}"),
            Bound::Most(most) => format!("{what}: {is:.2}, goal at most {most:.2}"),
        }
    }
}

/// Returns an error that lists the missed goals, if there are any and goals are `required`.
pub(crate) fn check(missed: Vec<String>, required: bool) -> Result<()> {
    ensure!(!required || missed.is_empty(), "goals missed: {}", missed.join("; "));
    Ok(())
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.is_met() { "met   " } else { "MISSED" }, self.in_words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_missed_where_the_figure_is_past_it_or_none() {
        let goals =
            [Goal::most("a", Some(2.0), 2.0), Goal::most("b", Some(2.5), 2.0), Goal::least("c", Some(1.0), 1.5)];
        let goals: Vec<_> = goals.into_iter().flatten().chain(Goal::most("d", Some(f64::NAN), 1.0)).collect();
        assert_eq!(
            Goal::missed(&goals),
            ["b: 2.50, goal at most 2.00", "c: 1.00, goal at least 1.50", "d: NaN, goal at most 1.00"]
        );
        assert!(Goal::most("e", None, 1.0).is_none());
    }
}
