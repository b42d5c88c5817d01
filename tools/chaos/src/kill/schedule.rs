use bench::fleet::SERVICES;
use contracts::Service;

use super::{
    dice::Dice,
    failpoint::Failpoint,
    fault::{Fault, FaultKind},
};

/// What goes wrong, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule(pub(crate) Vec<Planned>);

/// A fault that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    /// How long after the end of the one before it, in milliseconds.
    pub(crate) after: u64,
    /// Whether the next one waits until all answers again; else faults may pile up.
    pub(crate) waits: bool,
    pub(crate) fault: Fault,
}

impl Schedule {
    /// The schedule of a seed: the same for the same words, always.
    pub(crate) fn of(seed: u64, faults: usize, kinds: &[FaultKind], points: &[(Service, &'static str)]) -> Self {
        let mut dice = Dice::new(seed, 1);
        let weights: u64 = kinds.iter().map(|kind| kind.weight()).sum();
        let kind = |dice: &mut Dice| {
            let mut left = dice.between(0, weights);
            kinds.iter().copied().find(|kind| {
                let is_it = left < kind.weight();
                left = left.saturating_sub(kind.weight());
                is_it
            })
        };
        let planned = (0..faults).filter_map(|_| {
            let kind = kind(&mut dice)?;
            let mut service = service(&mut dice);
            let replica = dice.below(2);
            let lasts = match kind {
                // Longer than the 3 s after which a message is delivered to somebody else.
                FaultKind::Freeze => dice.between(3_500, 8_000),
                FaultKind::Burst | FaultKind::Idle | FaultKind::Workers => dice.between(2_000, 5_000),
                FaultKind::Poison => 0,
                _ => dice.between(0, 2_000),
            };
            let after = dice.between(500, 4_000);
            let waits = dice.percent(65);
            let mut point = None;
            if kind == FaultKind::Failpoint {
                let (of, name) = dice.one_of(points)?;
                service = of;
                point = Some(Failpoint { service, name, passes: dice.between(0, 6) });
            }
            Some(Planned { after, waits, fault: Fault { kind, service, replica, lasts, point } })
        });
        Self(planned.collect())
    }

    /// About how long it takes in all, in milliseconds: what is killed also has to start.
    pub(crate) fn takes(&self) -> u64 {
        self.0
            .iter()
            .map(|planned| planned.after + planned.fault.lasts + if planned.waits { 3_000 } else { 1_000 })
            .sum()
    }
}

/// Those that keep hours and bindings die more often than those that only tell.
fn service(dice: &mut Dice) -> Service {
    match dice.below(10) {
        n @ 0..7 => SERVICES[n],
        7 => Service::Timetrack,
        8 => Service::Projects,
        _ => Service::Analytics,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_schedule_and_another_seed_another_one() {
        let of = |seed| Schedule::of(seed, 200, &FaultKind::ALL, &[]);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        assert_eq!(of(7).0.len(), 200);
    }

    #[test]
    fn every_kind_comes_and_only_those_that_are_asked_for() {
        let all = Schedule::of(1, 400, &FaultKind::ALL, &[]);
        for kind in FaultKind::ALL {
            assert!(all.0.iter().any(|planned| planned.fault.kind == kind), "{kind} never comes");
        }
        let some = Schedule::of(1, 50, &[FaultKind::Nats, FaultKind::Mongo], &[]);
        assert!(some.0.iter().all(|one| matches!(one.fault.kind, FaultKind::Nats | FaultKind::Mongo)));
    }

    /// The published figures name seeds: what a seed means must not change unnoticed.
    #[test]
    fn the_schedule_of_seed_one_stays_what_it_was() {
        let first = Schedule::of(1, 40, &FaultKind::ALL, &[]).0[..3]
            .iter()
            .map(|one| one.fault.to_string())
            .collect::<Vec<_>>();
        assert_eq!(first, ["workers for 2615 ms", "both for 789 ms", "freeze directory 0 for 7102 ms"]);
    }
}
