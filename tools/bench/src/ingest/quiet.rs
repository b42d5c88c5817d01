//! Checks before and after a measurement that the machine is quiet: its disk is as fast as before,
//! and other programs use little CPU time.

use std::{
    fmt, fs,
    fs::OpenOptions,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::usage::Usage;

/// The number of writes that are synced to disk.
const TIMES: usize = 100;
/// The content of each write, about as large as a message with a few windows.
const BYTES: [u8; 4_096] = [b'x'; 4_096];
/// How long other programs are observed.
const WATCHED: Duration = Duration::from_secs(2);
/// The largest CPU time that other programs may use, as a share of one core.
const MOST_OF_A_CORE: f64 = 0.15;
/// The largest allowed ratio between the sync times before and after the measurement.
const MOST_MOVED: f64 = 1.5;

/// The state of the machine at one moment.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Quiet {
    /// The median time of a sync to disk, in milliseconds.
    fsync: f64,
    /// The number of cores that other programs use, which may be a fraction.
    others: f64,
}

impl Quiet {
    /// Observes the machine for two seconds, and then measures its disk. The processes of the fleet
    /// should be idle in this time. Their CPU time is not counted.
    pub(super) async fn measure(folder: &Path, ours: &Usage) -> Result<Self> {
        let (before, ours_before) = (busy()?, ours.total()?);
        let started = Instant::now();
        tokio::time::sleep(WATCHED).await;
        let (all, of_ours) = (busy()? - before, ours.total()? - ours_before);
        let others = (all - of_ours).max(0.0) / started.elapsed().as_secs_f64();
        let file = folder.join("fsync");
        let fsync = tokio::task::spawn_blocking(move || fsync(&file)).await??;
        Ok(Self { fsync, others })
    }

    /// Returns why results between these two states are worthless, or `None` if the machine was
    /// quiet.
    pub(super) fn disturbed(before: Self, after: Self) -> Option<String> {
        let moved = (after.fsync / before.fsync).max(before.fsync / after.fsync);
        let others = before.others.max(after.others);
        (moved > MOST_MOVED || others > MOST_OF_A_CORE)
            .then(|| format!("the machine was not quiet: {before} before, {after} after"))
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fsync {:.2} ms and others use {:.2} cores", self.fsync, self.others)
    }
}

fn fsync(path: &Path) -> Result<f64> {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(path)?;
    let mut micros = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let started = Instant::now();
        file.write_all(&BYTES)?;
        file.sync_data()?;
        micros.push(started.elapsed().as_micros() as f64);
    }
    fs::remove_file(path)?;
    micros.sort_by(f64::total_cmp);
    Ok(micros[TIMES / 2] / 1_000.0)
}

/// Returns the CPU seconds of all cores in `/proc/stat`, without idle time and time spent waiting
/// for the disk.
fn busy() -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("no line")?;
    let ticks: Vec<f64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    Ok(ticks.iter().enumerate().filter(|(n, _)| *n < 8 && *n != 3 && *n != 4).map(|(_, ticks)| ticks).sum::<f64>()
        / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_quiet_while_its_disk_is_as_before_and_nobody_else_works() {
        let quiet = Quiet { fsync: 1.0, others: 0.05 };
        assert_eq!(Quiet::disturbed(quiet, Quiet { fsync: 1.2, ..quiet }), None);
        assert!(Quiet::disturbed(quiet, Quiet { fsync: 2.0, ..quiet }).is_some());
        assert!(Quiet::disturbed(quiet, Quiet { fsync: 0.5, ..quiet }).is_some());
        assert!(Quiet::disturbed(quiet, Quiet { others: 1.0, ..quiet }).is_some());
    }
}
