//! Measures the resources that processes use, with `/proc`.

use std::{collections::BTreeMap, fs, time::Instant};

use anyhow::{Context, Result};

/// The number of clock ticks in a second. It is the same on every Linux (`USER_HZ`).
const TICKS_A_SECOND: f64 = 100.0;

/// The processes that are measured.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    processes: Vec<(String, u32)>,
    begun: Option<(Instant, BTreeMap<String, f64>)>,
}

impl Usage {
    pub(crate) fn watch(&mut self, name: &str, pid: u32) {
        self.processes.push((name.to_owned(), pid));
    }

    /// Begins to measure CPU time.
    pub(crate) fn begin(&mut self) -> Result<()> {
        self.begun = Some((Instant::now(), self.seconds()?));
        Ok(())
    }

    /// Returns the share of one core that each process has used since [`Usage::begin`].
    pub(crate) fn end(&mut self) -> Result<BTreeMap<String, f64>> {
        let since = self.begun.as_ref().context("not begun")?.0;
        let lasted = since.elapsed().as_secs_f64();
        Ok(self.spent()?.into_iter().map(|(name, seconds)| (name, seconds / lasted)).collect())
    }

    /// Returns the seconds of one core that each process has used since [`Usage::begin`].
    pub(crate) fn spent(&mut self) -> Result<BTreeMap<String, f64>> {
        let (_, before) = self.begun.take().context("not begun")?;
        let since = |(name, seconds): (String, f64)| {
            let earlier = before.get(&name).copied().unwrap_or_default();
            (name, seconds - earlier)
        };
        Ok(self.seconds()?.into_iter().map(since).collect())
    }

    /// Returns the bytes that each process has written to disk since it started.
    pub(crate) fn written(&self) -> Result<BTreeMap<String, f64>> {
        self.processes.iter().map(|(name, pid)| Ok((name.clone(), written_bytes(*pid)?))).collect()
    }

    /// Returns the seconds of one core that all processes together have used since they started.
    pub(crate) fn total(&self) -> Result<f64> {
        Ok(self.seconds()?.values().sum())
    }

    fn seconds(&self) -> Result<BTreeMap<String, f64>> {
        self.processes.iter().map(|(name, pid)| Ok((name.clone(), cpu_seconds(*pid)?))).collect()
    }

    /// Returns the peak memory of each process, in MiB.
    pub(crate) fn peaks(&self) -> Result<BTreeMap<String, f64>> {
        self.processes.iter().map(|(name, pid)| Ok((name.clone(), mib(*pid, "VmHWM:")?))).collect()
    }

    /// Returns the memory that each process uses now, in MiB.
    pub(crate) fn memory(&self) -> Result<BTreeMap<String, f64>> {
        self.processes.iter().map(|(name, pid)| Ok((name.clone(), mib(*pid, "VmRSS:")?))).collect()
    }
}

/// Returns the sum of the fields 14 and 15 of `/proc/<pid>/stat` (proc_pid_stat(5)). The fields
/// after the name in brackets begin with field 3, so these are at the indexes 11 and 12.
fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("a process has ended")?;
    let after = stat.rsplit_once(") ").context("no name")?.1;
    let ticks = |n: usize| after.split(' ').nth(n).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((ticks(11) + ticks(12)) / TICKS_A_SECOND)
}

/// Returns a size in `/proc/<pid>/status` in MiB.
fn mib(pid: u32, field: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("a process has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).context("no size")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1_024.0)
}

/// Returns `write_bytes` of `/proc/<pid>/io`: the bytes that the process has sent to the storage
/// layer.
fn written_bytes(pid: u32) -> Result<f64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).context("a process has ended")?;
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes:")).context("no bytes")?;
    Ok(line.trim().parse()?)
}
