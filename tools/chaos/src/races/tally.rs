use std::{collections::BTreeMap, fmt, time::Duration};

use super::race::{KEPT, Verdict};

/// What a race has shown.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Which race.
    pub name: &'static str,
    /// What the two sides do.
    pub sides: [&'static str; 2],
    /// How many rounds were judged.
    pub rounds: usize,
    /// How often each side came first.
    pub first: [usize; 2],
    /// What else was counted.
    pub notes: BTreeMap<&'static str, usize>,
    /// In how many rounds a rule was broken.
    pub violations: usize,
    /// The first of them, with their history.
    pub histories: Vec<String>,
    /// Rounds that could not be set, with the reason: nothing is known of them.
    pub unset: Vec<String>,
    /// How long all took.
    pub took: Duration,
    /// How much later the second side started at last, in milliseconds.
    pub aim: f64,
    told: Duration,
}

/// A side that came first in fewer of the rounds than this was hardly tried.
const FEW: f64 = 0.02;

impl Tally {
    pub(super) fn of(name: &'static str, sides: [&'static str; 2]) -> Self {
        Self { name, sides, ..Self::default() }
    }

    /// Counts a round.
    pub(super) fn count(&mut self, round: usize, verdict: Verdict, outcome: &impl fmt::Debug) {
        self.rounds += 1;
        if let Some(first) = verdict.first {
            self.first[first] += 1;
        }
        for note in verdict.notes {
            *self.notes.entry(note).or_default() += 1;
        }
        if !verdict.faults.is_empty() {
            self.violations += 1;
            let history = format!("round {round}: {}\n{outcome:#?}", verdict.faults.join("; "));
            eprintln!("{}: VIOLATION in {history}", self.name);
            if self.histories.len() < KEPT {
                self.histories.push(history);
            }
        }
    }

    /// Tells how far it is, now and then.
    pub(super) fn tell_every(&mut self, every: Duration, of: usize, elapsed: Duration, aim: f64) {
        if elapsed < self.told + every {
            return;
        }
        self.told = elapsed;
        let Self { name, rounds, first: [one, other], violations, unset, .. } = self;
        let (rate, unset) = (*rounds as f64 / elapsed.as_secs_f64(), unset.len());
        eprintln!(
            "{name}: {rounds} of {of}, {rate:.1}/s, first {one}:{other}, aim {aim:.1} ms, {violations} violations, {unset} unset"
        );
    }

    /// Whether no rule was broken, and something was tried.
    pub fn holds(&self) -> bool {
        self.violations == 0 && self.rounds > 0
    }

    /// A side that hardly ever came first: then little is proved.
    fn hardly_tried(&self) -> Option<&'static str> {
        let few = self.rounds as f64 * FEW;
        (0..2).find(|side| (self.first[*side] as f64) < few).map(|side| self.sides[side])
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, sides: [one, other], rounds, first, violations, took, aim, .. } = self;
        let seconds = took.as_secs_f64();
        let bound = if *rounds > 0 { 3.0 / *rounds as f64 } else { 1.0 };
        write!(f, "{name}: {rounds} rounds in {seconds:.0} s, {violations} violations")?;
        if *violations == 0 {
            write!(f, " (so at most {bound:.1e} of rounds, at 95 %)")?;
        }
        write!(f, "\n  first: {one} {}, {other} {}; the last aim {aim:.1} ms", first[0], first[1])?;
        self.notes.iter().try_for_each(|(note, count)| write!(f, "\n  {count} times {note}"))?;
        if let Some(side) = self.hardly_tried() {
            write!(f, "\n  proves little: \"{side}\" hardly ever came first")?;
        }
        if let Some(first) = self.unset.first() {
            write!(f, "\n  {} rounds could not be set, the first: {first}", self.unset.len())?;
        }
        self.histories.iter().try_for_each(|history| write!(f, "\n  {}", history.replace('\n', "\n  ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_race_that_one_side_always_wins_says_that_it_proves_little() {
        let mut tally = Tally::of("a-b", ["a", "b"]);
        let verdict = |first| Verdict { first: Some(first), ..Verdict::default() };
        (0..99).for_each(|n| tally.count(n, verdict(0), &()));
        assert!(tally.to_string().contains("proves little: \"b\""), "{tally}");
        (0..3).for_each(|n| tally.count(n, verdict(1), &()));
        assert!(!tally.to_string().contains("proves little"), "{tally}");
        assert!(tally.holds());
    }

    #[test]
    fn a_broken_rule_is_shown_with_its_history() {
        let mut tally = Tally::of("a-b", ["a", "b"]);
        tally.count(7, Verdict { faults: vec!["on nothing".into()], ..Verdict::default() }, &"both done");
        assert!(!tally.holds());
        assert!(tally.to_string().contains("round 7: on nothing"), "{tally}");
        assert!(tally.to_string().contains("both done"), "{tally}");
    }

    #[test]
    fn what_was_not_tried_does_not_hold() {
        assert!(!Tally::of("a-b", ["a", "b"]).holds());
    }
}
