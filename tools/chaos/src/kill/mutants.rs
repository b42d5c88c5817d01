use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::{FaultKind, KillOptions, kill, network::has_own_mounts};
use crate::races::{self, Name, RaceOptions};

/// A deliberate fault with which the services can be started, and the test that must reveal it.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// The value of `T3_MUTANT` that causes the fault, if it is one of the services.
    pub name: &'static str,
    by: By,
}

#[derive(Clone, Copy, Debug)]
enum By {
    /// A short campaign with these kinds of faults.
    Kill(&'static [FaultKind]),
    /// A campaign in which processes end at these failpoints.
    Failpoints(&'static [&'static str]),
    /// A campaign in which disks lose their power, and NATS acknowledges before it syncs. The fault
    /// is one of the configuration, so the services do not know its name.
    Unsynced,
    /// This many rounds of a race.
    Race(Name, usize),
}

const KILLED: By = By::Kill(&[FaultKind::Service]);

/// All deliberate faults.
pub const MUTANTS: [Mutant; 12] = [
    Mutant { name: "no_unique_windows", by: By::Kill(&[FaultKind::Service, FaultKind::Nats]) },
    Mutant { name: "ack_before_commit", by: By::Kill(&[FaultKind::Mongo, FaultKind::Pair]) },
    Mutant { name: "bare_increments", by: By::Kill(&[FaultKind::Service, FaultKind::Nats]) },
    Mutant { name: "events_before_commit", by: By::Failpoints(&["before_commit"]) },
    Mutant { name: "quarantine_dropped", by: KILLED },
    Mutant { name: "tasks_forgotten", by: KILLED },
    Mutant { name: "no_epoch_guard", by: KILLED },
    // Two transactions must commit in another order than that of the ids of their events while both
    // replicas read the outbox. The admins of a campaign make too few changes at the same time for
    // this, so a race is used.
    Mutant { name: "outbox_by_greater_id", by: By::Race(Name::AssignDeactivate, 600) },
    Mutant { name: "freshness_unasked", by: By::Kill(&[FaultKind::Service, FaultKind::Burst]) },
    Mutant { name: "touch_changes_nothing", by: By::Race(Name::AssignDeactivate, 1_000) },
    Mutant { name: "one_node_writes", by: By::Kill(&[FaultKind::Island]) },
    Mutant { name: "unsynced_queue", by: By::Unsynced },
];

/// The result of the test with one deliberate fault.
#[derive(Debug)]
pub struct Caught {
    /// The name of the deliberate fault.
    pub name: &'static str,
    seen: Result<Seen>,
    took: Duration,
}

/// What the checks have found.
#[derive(Debug)]
struct Seen {
    /// The invariants or races that were violated.
    by: Vec<&'static str>,
    findings: usize,
    /// The first finding; for a race, with its history.
    first: String,
}

/// Starts the services with each of [`MUTANTS`], or with the one that `only` names, and returns
/// whether the checks noticed it. Faults whose test needs three servers of each kind are left out
/// if there is only one.
pub async fn mutants(options: &KillOptions, only: Option<&str>) -> Vec<Caught> {
    let mut caught = Vec::new();
    for Mutant { name, by } in MUTANTS.into_iter().filter(|mutant| only.is_none_or(|only| only == mutant.name)) {
        if options.nodes == 1 && by.needs_cluster() {
            println!("{name}: LEFT OUT, needs --nodes 3");
            continue;
        }
        if matches!(by, By::Unsynced) && (options.nodes > 1 || !has_own_mounts()) {
            println!("{name}: LEFT OUT, needs root on Linux, and --nodes 1");
            continue;
        }
        let began = Instant::now();
        let one = Caught { name, seen: by.looks_for(name, options).await, took: began.elapsed() };
        println!("{one}");
        caught.push(one);
    }
    caught
}

impl By {
    fn needs_cluster(self) -> bool {
        matches!(self, Self::Kill(faults) if faults.iter().any(|kind| kind.needs_cluster()))
    }

    async fn looks_for(self, name: &str, options: &KillOptions) -> Result<Seen> {
        let (mutant, logs) = (Some(name.to_owned()), options.logs.join(name));
        let (faults, points): (&[FaultKind], &[&str]) = match self {
            Self::Kill(faults) => (faults, &[]),
            Self::Failpoints(points) => (&[FaultKind::Failpoint], points),
            Self::Unsynced => (&[FaultKind::Power], &[]),
            Self::Race(only, rounds) => {
                let of = RaceOptions { rounds, only: vec![only], seed: options.seed, lanes: 12, mutant };
                let tally = races::run(&of).await?.pop().context("no race was run")?;
                let (by, first) = (vec![tally.name], tally.histories.first().cloned().unwrap_or_default());
                return Ok(Seen { by, findings: tally.violations, first });
            }
        };
        let points = points.iter().map(ToString::to_string).collect();
        let sync = !matches!(self, Self::Unsynced);
        let of = KillOptions { mutant, faults: faults.to_vec(), points, logs, sync, ..options.clone() };
        let report = kill(&of).await?;
        let first = report.findings.lines().take(1).collect();
        Ok(Seen { by: report.broken(), findings: report.violations(), first })
    }
}

impl Caught {
    /// Returns whether the checks found a violation.
    pub fn is_caught(&self) -> bool {
        self.seen.as_ref().is_ok_and(|seen| seen.findings > 0)
    }
}

impl fmt::Display for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self { name, seen, .. }, took) = (self, self.took.as_secs_f64());
        match seen {
            Err(error) => write!(f, "{name}: NOT SEEN, the campaign did not end: {error:#}"),
            Ok(Seen { findings: 0, .. }) => write!(f, "{name}: SURVIVED ({took:.0} s)"),
            Ok(Seen { by, findings, first }) => {
                write!(f, "{name}: caught by {} with {findings} findings ({took:.0} s)\n  {first}", by.join(", "))
            }
        }
    }
}
