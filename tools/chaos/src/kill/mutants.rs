use std::fmt;

use anyhow::Result;

use super::{FaultKind, KillOptions, KillReport, kill};

/// A mistake that the services can be told to make, and the faults under which it must show.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// What `T3_MUTANT` says.
    pub name: &'static str,
    faults: &'static [FaultKind],
}

/// All of them.
pub const MUTANTS: [Mutant; 8] = [
    Mutant { name: "no_unique_windows", faults: &[FaultKind::Service, FaultKind::Nats] },
    Mutant { name: "ack_before_commit", faults: &[FaultKind::Mongo, FaultKind::Pair] },
    Mutant { name: "bare_increments", faults: &[FaultKind::Service, FaultKind::Nats] },
    Mutant { name: "events_before_commit", faults: &[FaultKind::Mongo, FaultKind::Service] },
    Mutant { name: "quarantine_dropped", faults: &[FaultKind::Service] },
    Mutant { name: "tasks_forgotten", faults: &[FaultKind::Service] },
    Mutant { name: "no_epoch_guard", faults: &[FaultKind::Service] },
    Mutant { name: "outbox_by_greater_id", faults: &[FaultKind::Mongo] },
];

/// Whether a mistake was noticed.
#[derive(Debug)]
pub struct Caught {
    /// The mistake.
    pub name: &'static str,
    /// The campaign, if it came to an end.
    pub report: Result<KillReport>,
}

/// Runs a short campaign for each of these mistakes, and says whether it was noticed.
pub async fn mutants(options: &KillOptions, only: Option<&str>) -> Vec<Caught> {
    let mut caught = Vec::new();
    for Mutant { name, faults } in MUTANTS.into_iter().filter(|mutant| only.is_none_or(|only| only == mutant.name)) {
        let logs = options.logs.join(name);
        let of = KillOptions { mutant: Some(name.to_owned()), faults: faults.to_vec(), logs, ..options.clone() };
        let one = Caught { name, report: kill(&of).await };
        println!("{one}");
        caught.push(one);
    }
    caught
}

impl Caught {
    /// Whether it was.
    pub fn is_caught(&self) -> bool {
        self.report.as_ref().is_ok_and(|report| report.violations() > 0)
    }
}

impl fmt::Display for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, report } = self;
        let report = match report {
            Ok(report) => report,
            Err(error) => return write!(f, "{name}: NOT SEEN, the campaign did not end: {error:#}"),
        };
        let (many, took) = (report.violations(), report.took.as_secs_f64());
        match many {
            0 => write!(f, "{name}: SURVIVED ({took:.0} s)"),
            _ => write!(f, "{name}: caught by {} with {many} findings ({took:.0} s)", report.broken().join(", ")),
        }
    }
}
