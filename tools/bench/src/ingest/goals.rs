//! The results and their goals.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

use super::{BESIDE_A_RUSH, RUSH, floors::OF_BEFORE, quiet::Quiet};
use crate::{goal::Goal, measured::Measured};

/// All results.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Goals {
    pub(super) floors: Vec<Measured>,
    pub(super) loads: Vec<Measured>,
    /// The share of one core that each process used, by load.
    pub(super) usage: Vec<(String, BTreeMap<String, f64>)>,
    /// The microseconds of one core that all processes together used for a window, by load.
    pub(super) microseconds: Vec<(String, f64)>,
    /// The state of the machine before and after.
    pub(super) machine: Option<[Quiet; 2]>,
    /// The peak memory of each process, in MiB.
    pub(super) peaks: BTreeMap<String, f64>,
    /// How many events analytics were behind after each load, and how long they took to catch up.
    pub(super) lags: Vec<(String, (u64, Duration))>,
}

impl Goals {
    fn load(&self, name: &str) -> Option<&Measured> {
        self.loads.iter().find(|load| load.name == name)
    }

    fn floor(&self, name: &str) -> Option<&Measured> {
        self.floors.iter().find(|floor| floor.name == name)
    }

    /// The goals that could be measured.
    fn all(&self) -> Vec<Goal> {
        let ratio =
            |load: &str, floor: &str, of: fn(&Measured) -> f64| Some(of(self.load(load)?) / of(self.floor(floor)?));
        let between = |load: &str, other: &str| Some(self.load(load)?.rate / self.load(other)?.rate);
        let stored = self.loads.iter().find(|load| load.name.ends_with(" stored")).map(|load| load.name.clone());
        // Beside the indexes of the first version, for comparison with earlier runs, and beside those of today.
        let beside_floors = [OF_BEFORE, ""].into_iter().flat_map(|suffix| {
            [
                ("64 connections", "insert_one", "64", 1.6),
                ("256 connections", "insert_one", "64", 2.4),
                ("batches of 500, 4 connections", "insert_many of 500", "4", 0.8),
            ]
            .map(|(load, floor, clients, least)| {
                let floor_name = format!("{floor}, {clients} clients{suffix}");
                let rates = ratio(load, &floor_name, |m| m.rate);
                Goal::least(&format!("{load} ÷ {floor_name}"), rates, least)
            })
        });
        let others = [
            Goal::most(
                "p50 of 1 connection ÷ insert_one's",
                ratio("1 connection", "insert_one, 1 clients", |m| m.p50),
                2.2,
            ),
            Goal::most(
                "p99 of 16 connections ÷ insert_one's",
                ratio("16 connections", "insert_one, 16 clients", |m| m.p99),
                1.5,
            ),
            Goal::least("sync_interval: always at 64", between("64 connections", "64 connections, no sync"), 0.8),
            Goal::least("sync_interval: always at 256", between("256 connections", "256 connections, no sync"), 0.8),
            Goal::most(
                "p99 of 16 connections beside 40 of batches ÷ alone",
                self.load(BESIDE_A_RUSH).zip(self.load("16 connections")).map(|(beside, alone)| beside.p99 / alone.p99),
                3.0,
            ),
            Goal::most(
                "answers 429 beside 40 of batches",
                self.load(RUSH).map(|rush| rush.statuses.get(&429).copied().unwrap_or_default() as f64),
                0.0,
            ),
            Goal::most("gateway's peak memory, MiB", self.peaks.get("gateway").copied(), 40.0),
            Goal::most("timetrack's peak memory, MiB", self.peaks.get("timetrack").copied(), 40.0),
            stored.and_then(|name| Goal::least("many stored ÷ few", between(&name, "64 connections"), 0.95)),
        ];
        beside_floors.chain(others).flatten().collect()
    }

    /// The missed goals in words.
    pub(super) fn missed(&self) -> Vec<String> {
        Goal::missed(&self.all())
    }
}

impl fmt::Display for Goals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
