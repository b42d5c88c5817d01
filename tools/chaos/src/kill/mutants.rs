use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{FaultKind, KillOptions, kill};
use crate::races::{self, Name, RaceOptions};

/// A mutation that the services can be started with, and the faults that must reveal it.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// The value of `T3_MUTANT`.
    pub name: &'static str,
    shows: Shows,
}

/// Under which faults a mistake shows, or in which race.
#[derive(Clone, Copy, Debug)]
enum Shows {
    Under(&'static [FaultKind]),
    In(Name),
}

/// All of them.
pub const MUTANTS: [Mutant; 11] = [
    Mutant { name: "no_unique_windows", shows: Shows::Under(&[FaultKind::Service, FaultKind::Nats]) },
    Mutant { name: "ack_before_commit", shows: Shows::Under(&[FaultKind::Mongo, FaultKind::Pair]) },
    Mutant { name: "bare_increments", shows: Shows::Under(&[FaultKind::Service, FaultKind::Nats]) },
    Mutant { name: "events_before_commit", shows: Shows::Under(&[FaultKind::Mongo, FaultKind::Service]) },
    Mutant { name: "quarantine_dropped", shows: Shows::Under(&[FaultKind::Service]) },
    Mutant { name: "tasks_forgotten", shows: Shows::Under(&[FaultKind::Service]) },
    Mutant { name: "no_epoch_guard", shows: Shows::Under(&[FaultKind::Service]) },
    Mutant { name: "outbox_by_greater_id", shows: Shows::Under(&[FaultKind::Mongo]) },
    Mutant { name: "freshness_unasked", shows: Shows::Under(&[FaultKind::Service, FaultKind::Burst]) },
    Mutant { name: "touch_changes_nothing", shows: Shows::In(Name::AssignDeactivate) },
    Mutant { name: "one_node_writes", shows: Shows::Under(&[FaultKind::Island]) },
];

/// How many rounds a race has that must show a mistake.
const ROUNDS: usize = 300;
/// And how many of them run at the same time.
const LANES: usize = 8;

/// The result of a campaign with a mutation.
#[derive(Debug)]
pub struct Caught {
    /// The name of the mutation.
    pub name: &'static str,
    /// What was found, if it came to an end.
    pub found: Result<Found>,
    took: Duration,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    findings: usize,
    /// By which checks.
    by: Vec<&'static str>,
}

/// Runs a short campaign or race for each of these mistakes, and says whether it was noticed. Those that take three
/// servers of each kind are left out where there is one.
pub async fn mutants(options: &KillOptions, only: Option<&str>) -> Vec<Caught> {
    let mut caught = Vec::new();
    for mutant in MUTANTS.iter().filter(|mutant| only.is_none_or(|only| only == mutant.name)) {
        if options.nodes == 1 && mutant.needs_cluster() {
            println!("{}: LEFT OUT, needs --nodes 3", mutant.name);
            continue;
        }
        let began = Instant::now();
        let one = Caught { name: mutant.name, found: mutant.look_for(options).await, took: began.elapsed() };
        println!("{one}");
        caught.push(one);
    }
    caught
}

impl Mutant {
    fn needs_cluster(&self) -> bool {
        matches!(self.shows, Shows::Under(faults) if faults.iter().any(|kind| kind.needs_cluster()))
    }

    async fn look_for(&self, options: &KillOptions) -> Result<Found> {
        let mutant = Some(self.name.to_owned());
        match self.shows {
            Shows::Under(faults) => {
                let logs = options.logs.join(self.name);
                let report = kill(&KillOptions { mutant, faults: faults.to_vec(), logs, ..options.clone() }).await?;
                eprintln!("{report}");
                Ok(Found { findings: report.violations(), by: report.broken() })
            }
            Shows::In(race) => {
                let options = RaceOptions { rounds: ROUNDS, only: vec![race], seed: options.seed, lanes: LANES };
                let tallies = races::run_with(&options, mutant).await?;
                let broken = tallies.iter().filter(|tally| tally.violations > 0);
                let findings = broken.clone().map(|tally| tally.violations).sum();
                Ok(Found { findings, by: broken.map(|tally| tally.name).collect() })
            }
        }
    }
}

impl Caught {
    /// Whether the check found a violation.
    pub fn is_caught(&self) -> bool {
        self.found.as_ref().is_ok_and(|found| found.findings > 0)
    }
}

impl fmt::Display for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, took) = (self.name, self.took.as_secs());
        match &self.found {
            Ok(Found { findings: 0, .. }) => write!(f, "{name}: SURVIVED ({took} s)"),
            Ok(Found { findings, by }) => {
                write!(f, "{name}: caught by {} with {findings} findings ({took} s)", by.join(", "))
            }
            Err(error) => write!(f, "{name}: NOT SEEN, it did not come to an end: {error:#}"),
        }
    }
}
