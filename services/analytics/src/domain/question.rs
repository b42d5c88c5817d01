use std::collections::BTreeSet;

use contracts::{DAY, EmployeeId, Failure, Filter, Grouping, ProjectId, TaskId, TimeCursor, TimeRange, Zone};

use super::{Bucket, Step, UtcMonth, buckets, plan, plan_of_edges};

/// The most days, weeks or months of a report: the days of about 109 years.
const MOST_BUCKETS: i64 = 40_000;

/// The range, grouping, time zone, filter and page of a requested report.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) range: TimeRange,
    pub(crate) by: BTreeSet<Grouping>,
    pub(crate) zone: Zone,
    pub(crate) filter: Filter,
    pub(crate) after: Option<TimeCursor>,
}

/// The key of a row. The rows of a report are ordered by their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The index of the row's bucket in [`Question::buckets`].
    pub(crate) bucket: usize,
    pub(crate) project: Option<ProjectId>,
    pub(crate) task: Option<TaskId>,
    pub(crate) employee: Option<EmployeeId>,
}

/// The kind of documents that a report is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The documents with the sums of all employees together, one for each UTC month. For parts of
    /// days, the stretches in the documents of single employees.
    Company,
    /// The documents of single employees, one for each employee and UTC month.
    Employees,
    /// The facts of windows, if the report filters by shift: no sums by shift are stored.
    Facts,
}

impl Question {
    /// The report, limited to the time from the first to the last month that has data; none if no
    /// time is left. So a client may request a range that begins long before the first window.
    pub(crate) fn narrowed_to(&self, months: &BTreeSet<UtcMonth>) -> Option<Self> {
        let (first, last) = (months.first()?.range(), months.last()?.range());
        let range = TimeRange::new(first.start(), last.end()).ok()?.clip(self.range)?;
        Some(Self { range, ..self.clone() })
    }

    /// Refuses a report with too many days, weeks or months.
    ///
    /// # Errors
    /// 422, with a text that says what to request instead.
    pub(crate) fn check_cost(&self) -> Result<(), Failure> {
        let shortest = match &self.by {
            by if by.contains(&Grouping::Day) => DAY,
            by if by.contains(&Grouping::Week) => 7 * DAY,
            by if by.contains(&Grouping::Month) => 28 * DAY,
            _ => return Ok(()),
        };
        if self.range.length() / shortest <= MOST_BUCKETS {
            return Ok(());
        }
        let message = format!(
            "must not make more than {MOST_BUCKETS} days, weeks or months of this range: \
             group by a longer one, or ask for less between start and end"
        );
        Err(Failure::field("groupBy", message))
    }

    /// The buckets from the one in which the previous page ended to the end of the range.
    pub(crate) fn buckets(&self) -> Vec<Bucket> {
        let mut buckets = buckets(self.range, &self.by, &self.zone);
        if let Some(after) = self.after {
            buckets.retain(|bucket| bucket.range.end() > after.start);
        }
        buckets
    }

    /// The steps that read these buckets.
    pub(crate) fn steps(&self, buckets: &[Bucket]) -> Vec<Step> {
        if self.source() == Source::Facts { plan_of_edges(buckets) } else { plan(buckets) }
    }

    pub(crate) fn source(&self) -> Source {
        if !self.filter.shifts.is_empty() {
            Source::Facts
        } else if self.filter.employees.is_empty() && !self.by.contains(&Grouping::Employee) {
            Source::Company
        } else {
            Source::Employees
        }
    }

    /// Whether the rows depend on projects and tasks, by the grouping or by the filter.
    pub(crate) fn tells_work_apart(&self) -> bool {
        let Filter { projects, tasks, .. } = &self.filter;
        let grouped = [Grouping::Project, Grouping::Task].iter().any(|by| self.by.contains(by));
        grouped || !projects.is_empty() || !tasks.is_empty()
    }

    /// The key of the row for the time in this bucket, on this project and task, of this employee.
    pub(crate) fn key(&self, bucket: usize, work: Option<(ProjectId, TaskId)>, employee: Option<EmployeeId>) -> Key {
        let by = |grouping| self.by.contains(&grouping);
        Key {
            bucket,
            project: work.map(|(project, _)| project).filter(|_| by(Grouping::Project)),
            task: work.map(|(_, task)| task).filter(|_| by(Grouping::Task)),
            employee: employee.filter(|_| by(Grouping::Employee)),
        }
    }

    /// Whether a row comes after the last row of the previous page. Bucket 0 is the one in which
    /// the previous page ended.
    pub(crate) fn is_new(&self, key: Key) -> bool {
        self.after
            .is_none_or(|TimeCursor { project, task, employee, .. }| key > Key { bucket: 0, project, task, employee })
    }
}
