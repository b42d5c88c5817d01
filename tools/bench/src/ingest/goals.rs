//! The results of the measurement, and its goals.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

use super::{BESIDE_A_RUSH, RUSH, floors::OF_BEFORE, quiet::Quiet};
use crate::{goal::Goal, measured::Measured};

/// The largest ratio between the rates of the floor before and after a load that counts as steady.
/// If it is larger, the load is measured again.
const MOST_MOVED: f64 = 1.2;

/// A load, and the floors that were measured with it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Pair {
    pub(super) load: Measured,
    /// The floors with the present indexes, before and after the load.
    pub(super) floors: [Measured; 2],
    /// The floor with the indexes of the first version of timetrack.
    pub(super) of_before: Measured,
}

impl Pair {
    /// Returns the ratio between the rates of the two floors. It is at least 1.
    pub(super) fn moved(&self) -> f64 {
        let [before, after] = self.floors.each_ref().map(|floor| floor.rate);
        (before / after).max(after / before)
    }

    pub(super) fn is_steady(&self) -> bool {
        self.moved() <= MOST_MOVED
    }

    fn ratio(&self, suffix: &str, of: fn(&Measured) -> f64) -> f64 {
        let floor = match suffix {
            OF_BEFORE => of(&self.of_before),
            _ => self.floors.iter().map(of).sum::<f64>() / 2.0,
        };
        of(&self.load) / floor
    }
}

/// Returns the median, or `None` if there are no figures.
fn median(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// The results of all measurements.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Goals {
    pub(super) floors: Vec<Measured>,
    /// The loads that are compared with floors, of all rounds.
    pub(super) pairs: Vec<Pair>,
    /// The other loads.
    pub(super) loads: Vec<Measured>,
    /// For each load, the share of one core that each process used.
    pub(super) usage: Vec<(String, BTreeMap<String, f64>)>,
    /// For each load, the CPU time per window of all processes together except the load generator,
    /// in microseconds.
    pub(super) microseconds: Vec<(String, f64)>,
    /// The state of the machine before and after the measurement.
    pub(super) machine: Option<[Quiet; 2]>,
    /// The peak memory of each process, in MiB.
    pub(super) peaks: BTreeMap<String, f64>,
    /// For each load, how many events analytics had not processed at its end, and how long it took
    /// to process them.
    pub(super) lags: Vec<(String, (u64, Duration))>,
}

impl Goals {
    fn load(&self, name: &str) -> Option<&Measured> {
        self.loads.iter().find(|load| load.name == name)
    }

    /// Returns the median of a figure of this load over all rounds.
    fn of_rounds(&self, name: &str, of: impl Fn(&Pair) -> f64) -> Option<f64> {
        median(self.pairs.iter().filter(|pair| pair.load.name == name).map(of))
    }

    /// Returns the goals that could be measured.
    fn all(&self) -> Vec<Goal> {
        let ratio = |load: &str, suffix: &str, of: fn(&Measured) -> f64| {
            self.of_rounds(load, |pair: &Pair| pair.ratio(suffix, of))
        };
        let rate = |load: &str| self.of_rounds(load, |pair| pair.load.rate);
        let between = |load: &str, other: &str| Some(rate(load)? / self.load(other)?.rate);
        let stored = self.loads.iter().find(|load| load.name.ends_with(" stored")).map(|load| load.name.clone());
        // The rates are compared with floors with the indexes of the first version of timetrack, as
        // in earlier runs, and with floors with the present indexes.
        let beside_floors = [OF_BEFORE, ""].into_iter().flat_map(|suffix| {
            [
                ("64 connections", "insert_one", "64", 1.6),
                ("256 connections", "insert_one", "64", 2.4),
                ("batches of 500, 4 connections", "insert_many of 500", "4", 0.8),
            ]
            .map(|(load, floor, clients, least)| {
                let rates = ratio(load, suffix, |m| m.rate);
                Goal::least(&format!("{load} ÷ {floor}, {clients} clients{suffix}"), rates, least)
            })
        });
        let others = [
            Goal::most("p50 of 1 connection ÷ insert_one's", ratio("1 connection", "", |m| m.p50), 2.2),
            Goal::most("p99 of 16 connections ÷ insert_one's", ratio("16 connections", "", |m| m.p99), 1.5),
            Goal::least("sync_interval: always at 64", between("64 connections", "64 connections, no sync"), 0.8),
            Goal::least("sync_interval: always at 256", between("256 connections", "256 connections, no sync"), 0.8),
            Goal::most(
                "p99 of 16 connections beside many with batches ÷ alone",
                self.load(BESIDE_A_RUSH)
                    .and_then(|beside| Some(beside.p99 / self.of_rounds("16 connections", |alone| alone.load.p99)?)),
                3.0,
            ),
            Goal::most(
                "answers 429 to many with batches",
                self.load(RUSH).map(|rush| rush.statuses.get(&429).copied().unwrap_or_default() as f64),
                0.0,
            ),
            Goal::most("gateway's peak memory, MiB", self.peaks.get("gateway").copied(), 40.0),
            Goal::most("timetrack's peak memory, MiB", self.peaks.get("timetrack").copied(), 40.0),
            stored.and_then(|name| {
                let many = self.load(&name)?.rate;
                Goal::least("many stored ÷ few", rate("64 connections").map(|few| many / few), 0.95)
            }),
        ];
        beside_floors.chain(others).flatten().collect()
    }

    /// Returns a sentence for each missed goal.
    pub(super) fn missed(&self) -> Vec<String> {
        Goal::missed(&self.all())
    }
}

impl fmt::Display for Goals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Pair { load, floors: [before, after], of_before } in &self.pairs {
            writeln!(f, "{load}\n  {of_before}\n  {before}\n  {after}")?;
        }
        for measured in self.floors.iter().chain(&self.loads) {
            writeln!(f, "{measured}")?;
        }
        for (name, shares) in &self.usage {
            write!(f, "\nCPU, {name}:")?;
            shares.iter().try_for_each(|(process, share)| write!(f, " {process} {:.0} %", share * 100.0))?;
        }
        write!(f, "\n\nCPU of all processes but the load, microseconds a window:")?;
        self.microseconds.iter().try_for_each(|(name, micros)| write!(f, "\n  {name}: {micros:.0}"))?;
        write!(f, "\n\nPeak memory, MiB:")?;
        self.peaks.iter().try_for_each(|(process, mib)| write!(f, " {process} {mib:.0}"))?;
        for (name, (behind, caught_up)) in &self.lags {
            write!(
                f,
                "\nAnalytics after {name}: {behind} events behind, caught up in {:.1} s",
                caught_up.as_secs_f64()
            )?;
        }
        writeln!(f, "\n")?;
        for goal in self.all() {
            writeln!(f, "{goal}")?;
        }
        if let Some([before, after]) = self.machine {
            writeln!(f, "\nThe machine: {before} before; {after} after")?;
            if let Some(disturbed) = Quiet::disturbed(before, after) {
                writeln!(f, "This run is worth nothing: {disturbed}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn measured(rate: f64) -> Measured {
        Measured { name: "64 connections".into(), rate, p50: 1.0, p95: 1.0, p99: 1.0, statuses: BTreeMap::new() }
    }

    fn pair(load: f64, [before, after]: [f64; 2]) -> Pair {
        Pair { load: measured(load), floors: [measured(before), measured(after)], of_before: measured(50.0) }
    }

    #[test]
    fn a_load_is_compared_with_the_floors_around_it_and_the_median_round_counts() {
        let goals = Goals {
            pairs: vec![pair(100.0, [90.0, 110.0]), pair(300.0, [100.0, 100.0]), pair(200.0, [100.0, 100.0])],
            ..Goals::default()
        };
        assert_eq!(goals.of_rounds("64 connections", |pair| pair.ratio("", |m| m.rate)), Some(2.0));
        assert_eq!(goals.of_rounds("64 connections", |pair| pair.ratio(OF_BEFORE, |m| m.rate)), Some(4.0));
        assert_eq!(goals.of_rounds("1 connection", |pair| pair.load.rate), None);
    }

    #[test]
    fn a_floor_that_moves_by_more_than_a_fifth_is_not_steady() {
        assert!(pair(100.0, [100.0, 119.0]).is_steady() && pair(100.0, [119.0, 100.0]).is_steady());
        assert!(!pair(100.0, [100.0, 121.0]).is_steady() && !pair(100.0, [121.0, 100.0]).is_steady());
    }
}
