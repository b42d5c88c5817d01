//! The resource use of the process, under the names that all Prometheus client libraries use. In
//! the program `stack` all services show the same values, because they run in one process.

use std::sync::atomic::AtomicU64;

use procfs::process::{LimitValue, Process};

use super::{Counter, Metrics};

/// Registers these metrics, and updates them before each scrape.
pub(super) fn observe(metrics: &Metrics) {
    let cpu = Counter::<f64, AtomicU64>::default();
    metrics.register("process_cpu_seconds", "CPU time of the process", cpu.clone());
    let resident = metrics.gauge("process_resident_memory_bytes", "Memory of the process that is in RAM");
    let virtual_memory = metrics.gauge("process_virtual_memory_bytes", "Addresses that the process has asked for");
    let open = metrics.gauge("process_open_fds", "Open files and connections of the process");
    let most = metrics.gauge("process_max_fds", "The most files and connections that it may open");
    let threads = metrics.gauge("process_threads", "Threads of the process");
    let started = metrics.seconds("process_start_time_seconds", "When the process started, in seconds since 1970");
    // A metric keeps its last value when the new one cannot be read.
    metrics.before_scrape(move || {
        let Ok(process) = Process::myself() else { return };
        if let Ok(stat) = process.stat() {
            let ticks = procfs::ticks_per_second();
            let used = (stat.utime + stat.stime) as f64 / ticks as f64;
            cpu.inc_by((used - cpu.get()).max(0.0));
            resident.set((stat.rss * procfs::page_size()) as i64);
            virtual_memory.set(stat.vsize as i64);
            threads.set(stat.num_threads);
            // The start time is set only once. The kernel computes the boot time again when the
            // clock is adjusted, and a start time that changes would look like a restart.
            if started.get() == 0.0
                && let Ok(boot) = procfs::boot_time_secs()
            {
                started.set(boot as f64 + stat.starttime as f64 / ticks as f64);
            }
        }
        if let Ok(count) = process.fd_count() {
            open.set(count as i64);
        }
        if let Ok(limits) = process.limits()
            && let LimitValue::Value(limit) = limits.max_open_files.soft_limit
        {
            most.set(limit as i64);
        }
    });
}
