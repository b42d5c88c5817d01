use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    time::Duration,
};

use super::{check::Outcome, fault::FaultKind, ledger::Book, recovery::Recovered};

/// The largest number of findings of an invariant that are shown with their history.
const SHOWN: usize = 5;
/// The largest number of lines in a history.
const LINES: usize = 12;

/// The report of a fault campaign.
#[derive(Debug)]
pub struct KillReport {
    pub(crate) seed: u64,
    pub(crate) nodes: usize,
    pub(crate) mutant: Option<String>,
    pub(crate) took: Duration,
    pub(crate) faults: BTreeMap<FaultKind, usize>,
    pub(crate) recovered: Vec<(FaultKind, Recovered)>,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) samples: usize,
    pub(crate) ended: Vec<String>,
    pub(crate) died_at: BTreeMap<String, usize>,
    /// How long the system took to become idle.
    pub(crate) quiet: Duration,
    pub(crate) windows: usize,
    pub(crate) posts: usize,
    pub(crate) stored: usize,
    pub(crate) quarantined: usize,
    pub(crate) acts: usize,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) odd: Vec<String>,
    /// The text of the findings that are shown, with their histories.
    pub(crate) findings: String,
}

impl KillReport {
    /// Returns the number of violations.
    pub fn violations(&self) -> usize {
        self.outcomes.iter().map(|outcome| outcome.findings.len()).sum()
    }

    /// Returns the names of the invariants that were violated.
    pub fn broken(&self) -> Vec<&'static str> {
        self.outcomes.iter().filter(|outcome| !outcome.findings.is_empty()).map(|outcome| outcome.invariant).collect()
    }
}

/// Returns the text of the findings, with the history of the object that each finding concerns.
pub(crate) fn findings_text(book: &Book, outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        for finding in outcome.findings.iter().take(SHOWN) {
            let _ = writeln!(text, "{}: {} {}", outcome.invariant, finding.about, finding.says);
            for line in book.history(&finding.about, finding.at, LINES) {
                let _ = writeln!(text, "    {line}");
            }
        }
        let more = outcome.findings.len().saturating_sub(SHOWN);
        if more > 0 {
            let _ = writeln!(text, "{}: and {more} more", outcome.invariant);
        }
    }
    text
}

impl fmt::Display for KillReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, mutant, took, windows, posts, stored, quarantined, acts, samples, quiet, .. } = self;
        let mutant = mutant.as_ref().map(|name| format!(", mutant {name}")).unwrap_or_default();
        let nodes = if self.nodes > 1 { format!(", {} servers of each kind", self.nodes) } else { String::new() };
        writeln!(
            f,
            "seed {seed}{nodes}{mutant}: {:.0} s, quiet after {:.1} s",
            took.as_secs_f64(),
            quiet.as_secs_f64()
        )?;
        writeln!(
            f,
            "{windows} windows in {posts} attempts: {stored} stored, {quarantined} in quarantine; {acts} calls of admins"
        )?;
        write!(f, "answers (0 is none):")?;
        self.statuses.iter().try_for_each(|(status, count)| write!(f, " {count} times {status}"))?;
        writeln!(
            f,
            "\nrecovery: seconds without some answer, in all (the longest) and after the fault was over (half, the longest)"
        )?;
        for (kind, count) in &self.faults {
            let of = |take: fn(&Recovered) -> Duration| {
                let mut times: Vec<f64> =
                    self.recovered.iter().filter(|(k, _)| k == kind).map(|(_, one)| take(one).as_secs_f64()).collect();
                times.sort_by(f64::total_cmp);
                times
            };
            let (all, after) = (of(|one| one.in_all), of(|one| one.after_healing));
            let away = self.recovered.iter().filter(|(k, one)| k == kind && !one.is_back).count();
            write!(f, "  {count:3} {kind:9}")?;
            if let (Some(most), Some(half), Some(longest)) = (all.last(), after.get(after.len() / 2), after.last()) {
                write!(f, " {:2} measured: {most:.1}; {half:.1}, {longest:.1}", all.len())?;
                if let Some(goal) = kind.goal() {
                    let counts = if *kind == FaultKind::Leader { most } else { longest };
                    write!(f, " (goal {goal}{})", if *counts > goal as f64 { ": MISSED" } else { "" })?;
                }
            }
            if away > 0 {
                write!(f, "; {away} NOT BACK")?;
            }
            writeln!(f)?;
        }
        for outcome in &self.outcomes {
            let (name, checked, wrong) = (outcome.invariant, outcome.checked, outcome.findings.len());
            let bound =
                if wrong == 0 { format!(", so fewer than 1 in {:.0}", checked as f64 / 3.0) } else { String::new() };
            writeln!(f, "{name}: {checked} checked, {wrong} violations{bound}")?;
        }
        writeln!(f, "{samples} snapshots of who is on what were looked at meanwhile")?;
        if !self.died_at.is_empty() {
            let at = self.died_at.iter().map(|(point, times)| format!("{times} at {point}")).collect::<Vec<_>>();
            writeln!(f, "processes died at points of their program: {}", at.join("; "))?;
        }
        self.ended.iter().try_for_each(|line| writeln!(f, "note: {line}"))?;
        if !self.odd.is_empty() {
            writeln!(f, "note: {} answers of 500 or 502, such as {}", self.odd.len(), self.odd[0])?;
        }
        write!(f, "{}", self.findings)?;
        match self.violations() {
            0 => write!(f, "every invariant holds"),
            many => write!(f, "{many} VIOLATIONS; again with --seed {seed}"),
        }
    }
}
