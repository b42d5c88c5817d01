use std::{collections::BTreeMap, fmt, time::Duration};

use super::verdict::Verdict;

/// The largest number of violations of a race that are kept with their history.
const KEPT: usize = 20;

/// The result of a race.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// The name of the race.
    pub name: &'static str,
    /// The names of the two requests.
    pub sides: [&'static str; 2],
    /// The number of rounds that were judged.
    pub rounds: usize,
    /// The number of rounds in which each side came first.
    pub first: [usize; 2],
    /// How often each other fact was noted.
    pub notes: BTreeMap<&'static str, usize>,
    /// The number of rounds that violated a rule, plus the number of events that were never
    /// published.
    pub violations: usize,
    /// The first violations, with their history.
    pub histories: Vec<String>,
    /// The reason for each round that could not be prepared.
    pub unset: Vec<String>,
    /// The duration of the race.
    pub took: Duration,
    /// The last delay of the second side, in milliseconds.
    pub delay: f64,
    told: Duration,
}

/// Each side must come first in at least this share of the rounds. Otherwise the race has hardly
/// tested the order in which this side comes first.
const FEW: f64 = 0.02;

impl Tally {
    pub(super) fn of(name: &'static str, sides: [&'static str; 2]) -> Self {
        Self { name, sides, ..Self::default() }
    }

    /// Counts a round and its verdict.
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

    /// Counts the events that are still in an outbox after all rounds. Each is a change that other
    /// services are never informed of, also if no round has noticed that.
    pub(super) fn untold(&mut self, events: &[String]) {
        self.violations += events.len();
        if !events.is_empty() {
            let history = format!("{} events were never published: {}", events.len(), events.join(", "));
            eprintln!("{}: VIOLATION: {history}", self.name);
            self.histories.push(history);
        }
    }

    /// Prints the progress, at most once in `every`.
    pub(super) fn tell_every(&mut self, every: Duration, of: usize, elapsed: Duration, delay: f64) {
        if elapsed < self.told + every {
            return;
        }
        self.told = elapsed;
        let Self { name, rounds, first: [one, other], violations, unset, .. } = self;
        let (rate, unset) = (*rounds as f64 / elapsed.as_secs_f64(), unset.len());
        eprintln!(
            "{name}: {rounds} of {of}, {rate:.1}/s, first {one}:{other}, delay {delay:.1} ms, {violations} violations, {unset} unset"
        );
    }

    /// Returns whether there were rounds and none of them violated a rule.
    pub fn holds(&self) -> bool {
        self.violations == 0 && self.rounds > 0
    }

    /// Returns the side that hardly ever came first, if there is one. Then the race proves little.
    fn hardly_tried(&self) -> Option<&'static str> {
        let few = self.rounds as f64 * FEW;
        (0..2).find(|side| (self.first[*side] as f64) < few).map(|side| self.sides[side])
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, sides: [one, other], rounds, first, violations, took, delay, .. } = self;
        let seconds = took.as_secs_f64();
        let bound = if *rounds > 0 { 3.0 / *rounds as f64 } else { 1.0 };
        write!(f, "{name}: {rounds} rounds in {seconds:.0} s, {violations} violations")?;
        if *violations == 0 {
            write!(f, " (so at most {bound:.1e} of rounds, at 95 %)")?;
        }
        write!(f, "\n  first: {one} {}, {other} {}; the last delay {delay:.1} ms", first[0], first[1])?;
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
    fn an_event_that_stays_in_an_outbox_is_a_violation_even_if_every_round_was_right() {
        let mut tally = Tally::of("a-b", ["a", "b"]);
        tally.count(0, Verdict::default(), &());
        tally.untold(&[]);
        assert!(tally.holds());
        tally.untold(&["projects: evt.projects.v1.project.1.changed".into()]);
        assert!(!tally.holds());
        assert!(tally.to_string().contains("1 events were never published: projects: evt.projects.v1"), "{tally}");
    }

    #[test]
    fn what_was_not_tried_does_not_hold() {
        assert!(!Tally::of("a-b", ["a", "b"]).holds());
    }
}
