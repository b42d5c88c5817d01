//! The queries that are measured, and how.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use contracts::DAY;
use futures::future::try_join_all;

use super::{
    calendar::{Calendar, DAYS},
    staff::Staff,
};
use crate::{measured::Measured, wire::Wire};

/// A query that is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    /// The name of the query.
    pub(super) name: &'static str,
    /// The goal for the median time of the query on one connection, as a multiple of the floor F.
    pub(super) floors: Option<f64>,
    /// Returns the path and the query parameters of the n-th request.
    path: fn(&Staff, &Calendar, u64) -> String,
    /// Whether an employee sends the query. Otherwise the admin sends it.
    by_employee: bool,
}

/// The query whose time must not depend on how much is stored.
pub(super) const YEAR: &str = "project-time, 365 days, whole company";
/// The cheapest query, with whose rate that of [`YEAR`] is compared.
pub(super) const ME: &str = "auth/me";

/// All queries that are measured.
pub(super) const QUESTIONS: [Question; 7] = [
    Question { name: ME, floors: None, path: |_, _, _| "/api/auth/me".into(), by_employee: true },
    Question {
        name: YEAR,
        floors: Some(3.0),
        path: |_, year, _| project_time(year.first, year.end()),
        by_employee: false,
    },
    Question {
        name: "project-time, 30 days",
        floors: Some(3.0),
        path: |_, year, n| {
            let start = year.first + (n * 7 % (DAYS - 30)) as i64 * DAY;
            project_time(start, start + 30 * DAY)
        },
        by_employee: false,
    },
    Question {
        name: "project-time, 365 days, one employee, odd ms",
        floors: Some(20.0),
        path: |staff, year, n| {
            let (start, end) = (year.first + 34_567_891 + (n % 997) as i64, year.end() - 45_678_901);
            format!("{}&employeeId={}", project_time(start, end), somebody(staff, n))
        },
        by_employee: false,
    },
    Question {
        name: "one employee's windows of one day",
        floors: Some(3.0),
        path: |staff, year, n| {
            let start = year.first + (n * 11 % DAYS) as i64 * DAY;
            let who = somebody(staff, n);
            format!("/api/v1/analytics/window?start={start}&end={}&employeeId={who}", start + DAY)
        },
        by_employee: false,
    },
    Question {
        name: "task-time",
        floors: Some(5.0),
        path: |staff, _, n| {
            let task = staff.tasks[(n * 3) as usize % staff.tasks.len()].1;
            format!("/api/v1/analytics/task-time?employeeId={}&taskId={task}", somebody(staff, n))
        },
        by_employee: false,
    },
    Question {
        name: "time by employee and week, Adelaide, 90 days",
        floors: Some(20.0),
        path: |_, year, n| {
            let start = year.first + (n * 13 % (DAYS - 90)) as i64 * DAY;
            let by = "groupBy=employee,week&timezone=Australia/Adelaide";
            format!("/api/v1/analytics/time?start={start}&end={}&{by}", start + 90 * DAY)
        },
        by_employee: false,
    },
];

fn project_time(start: i64, end: i64) -> String {
    format!("/api/v1/analytics/project-time?start={start}&end={end}")
}

fn somebody(staff: &Staff, n: u64) -> contracts::EmployeeId {
    staff.people[n as usize % staff.people.len()].id
}

impl Question {
    /// Sends the query in a closed loop on this many connections, for `lasts`. Returns `None` if
    /// the server does not support the query.
    pub(super) async fn ask(
        &self,
        staff: &Staff,
        calendar: &Calendar,
        connections: usize,
        lasts: Duration,
    ) -> Result<Option<Measured>> {
        let mut wires = Vec::with_capacity(connections);
        for _ in 0..connections {
            wires.push(Wire::connect(&staff.base).await?);
        }
        // The first answer on a connection fills caches, so it is not measured.
        for (n, wire) in wires.iter_mut().enumerate() {
            let (status, _) = self.once(wire, staff, calendar, n as u64).await?;
            if status == 404 || status == 405 {
                return Ok(None);
            }
        }
        let started = Instant::now();
        let loops = wires.into_iter().enumerate().map(async |(connection, mut wire)| {
            let (mut micros, mut statuses) = (Vec::new(), BTreeMap::new());
            // Each connection starts at another number, so that they do not all query the same
            // employees and days at once.
            let mut n = connection as u64 * 1_009;
            while started.elapsed() < lasts {
                n += 1;
                let (status, took) = self.once(&mut wire, staff, calendar, n).await?;
                micros.push(took);
                *statuses.entry(status).or_insert(0_u64) += 1;
            }
            anyhow::Ok((micros, statuses))
        });
        let all = try_join_all(loops).await?;
        let lasted = started.elapsed();
        let (mut micros, mut statuses) = (Vec::new(), BTreeMap::new());
        for (one_micros, one_statuses) in all {
            micros.extend(one_micros);
            one_statuses.into_iter().for_each(|(status, count)| *statuses.entry(status).or_default() += count);
        }
        ensure!(statuses.keys().all(|status| *status == 200), "{}: not all was answered 200: {statuses:?}", self.name);
        let name = format!("{} ×{connections}", self.name);
        Ok(Some(Measured { statuses, ..Measured::of(&name, micros, 1, lasted) }))
    }

    /// Sends the n-th request. Returns the status and the microseconds until the complete answer.
    async fn once(&self, wire: &mut Wire, staff: &Staff, calendar: &Calendar, n: u64) -> Result<(u16, u32)> {
        let path = (self.path)(staff, calendar, n);
        let person = &staff.people[n as usize % staff.people.len()];
        let credentials = match self.by_employee {
            true => ("Authorization", person.authorization.as_str()),
            false => ("X-API-Key", staff.key.as_str()),
        };
        let asked = Instant::now();
        let status = wire.get(&path, credentials).await.with_context(|| format!("asking for {path}"))?;
        Ok((status, asked.elapsed().as_micros() as u32))
    }
}
