use bench::fleet::SERVICES;
use contracts::Service;

use super::{
    failpoint::Failpoint,
    fault::{Fault, FaultKind},
    rng::Rng,
};

/// The faults of a campaign and their times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule(pub(crate) Vec<Planned>);

/// A planned fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    /// The pause after the end of the previous fault, in milliseconds.
    pub(crate) after: u64,
    /// Whether the next fault waits until the system has recovered. Otherwise faults may overlap.
    pub(crate) waits: bool,
    pub(crate) fault: Fault,
}

impl Schedule {
    /// Makes the schedule for a seed. The same arguments always give the same schedule.
    pub(crate) fn of(seed: u64, faults: usize, kinds: &[FaultKind], points: &[(Service, &'static str)]) -> Self {
        let mut rng = Rng::new(seed, 1);
        let weights: u64 = kinds.iter().map(|kind| kind.weight()).sum();
        let kind = |rng: &mut Rng| {
            let mut left = rng.between(0, weights);
            kinds.iter().copied().find(|kind| {
                let is_it = left < kind.weight();
                left = left.saturating_sub(kind.weight());
                is_it
            })
        };
        let planned = (0..faults).filter_map(|_| {
            let kind = kind(&mut rng)?;
            let mut service = service(&mut rng);
            let replica = rng.below(2);
            let lasts = match kind {
                // A frozen process must lose messages to others, so this is longer than the 3 s
                // after which a message is redelivered.
                FaultKind::Freeze => rng.between(3_500, 8_000),
                FaultKind::Burst | FaultKind::Idle | FaultKind::Workers => rng.between(2_000, 5_000),
                FaultKind::Poison => 0,
                // This is longer than an election takes, so that another server becomes the leader.
                FaultKind::Leader | FaultKind::Cut | FaultKind::Island | FaultKind::OneWay | FaultKind::HalfOpen => {
                    rng.between(8_000, 20_000)
                }
                FaultKind::Slow | FaultKind::Followers | FaultKind::Full => rng.between(3_000, 9_000),
                FaultKind::Clock | FaultKind::Clients => rng.between(4_000, 10_000),
                _ => rng.between(0, 2_000),
            };
            let after = rng.between(300, 2_000);
            let waits = rng.percent(65);
            // No random number is used for kinds with one variant, so that older seeds keep their
            // schedules.
            let has_two = FaultKind::CLUSTER.contains(&kind) || kind == FaultKind::Power;
            let other_way = has_two && rng.percent(50);
            let mut point = None;
            if kind == FaultKind::Failpoint {
                let (of, name) = rng.one_of(points)?;
                service = of;
                point = Some(Failpoint { service, name, passes: rng.between(0, 6) });
            }
            Some(Planned { after, waits, fault: Fault { kind, service, replica, lasts, other_way, point } })
        });
        Self(planned.collect())
    }

    /// Returns the approximate duration of all faults in milliseconds, restarts included.
    pub(crate) fn takes(&self) -> u64 {
        self.0
            .iter()
            .map(|planned| planned.after + planned.fault.lasts + if planned.waits { 3_000 } else { 1_000 })
            .sum()
    }
}

/// Chooses a service at random. Timetrack, projects and analytics are chosen twice as often as
/// others.
fn service(rng: &mut Rng) -> Service {
    match rng.below(10) {
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

    #[test]
    fn with_three_servers_of_each_kind_their_leaders_are_lost_and_cut_off_too() {
        let kinds: Vec<FaultKind> = FaultKind::ALL.into_iter().chain(FaultKind::CLUSTER).collect();
        let all = Schedule::of(1, 600, &kinds, &[]);
        assert_eq!(all, Schedule::of(1, 600, &kinds, &[]));
        for kind in FaultKind::CLUSTER {
            let ways: Vec<bool> =
                all.0.iter().filter(|one| one.fault.kind == kind).map(|one| one.fault.other_way).collect();
            assert!(ways.contains(&true) && ways.contains(&false), "{kind}: {ways:?}");
        }
        assert!(FaultKind::ALL.into_iter().all(|kind| !kind.needs_cluster()));
    }

    #[test]
    fn a_power_cut_hits_either_disk_alone_and_both_together() {
        let cuts = Schedule::of(1, 60, &[FaultKind::Power], &[]);
        let said: std::collections::BTreeSet<_> = cuts
            .0
            .iter()
            .map(|one| one.fault.to_string().split(" for ").next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(Vec::from_iter(said), ["power of MongoDB", "power of NATS", "power of both"]);
    }

    /// The documentation names seeds, so a seed must keep its schedule.
    #[test]
    fn the_schedule_of_seed_one_stays_what_it_was() {
        let first = Schedule::of(1, 40, &FaultKind::ALL, &[]).0[..3]
            .iter()
            .map(|one| one.fault.to_string())
            .collect::<Vec<_>>();
        assert_eq!(first, ["workers for 2615 ms", "both for 789 ms", "freeze directory 0 for 7102 ms"]);
    }
}
