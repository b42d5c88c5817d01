use std::collections::BTreeSet;

use contracts::{DAY, EmployeeId, Failure, Filter, Grouping, ProjectId, TaskId, TimeCursor, TimeRange, Zone};

use super::{Bucket, Step, UtcMonth, buckets, plan, plan_of_edges};

/// The most days, weeks or months of a report: the days of more than a hundred years.
const MOST_BUCKETS: i64 = 40_000;

/// A report that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) range: TimeRange,
    pub(crate) by: BTreeSet<Grouping>,
    pub(crate) zone: Zone,
    pub(crate) filter: Filter,
    pub(crate) after: Option<TimeCursor>,
}

/// The key of a row. Rows are ordered by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The index of the bucket.
    pub(crate) bucket: usize,
    pub(crate) project: Option<ProjectId>,
    pub(crate) task: Option<TaskId>,
    pub(crate) employee: Option<EmployeeId>,
}

/// The documents that answer a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The months of the company, and the employees' months for parts of days.
    Company,
    /// The months of employees.
    Employees,
    /// The facts, because there are no sums by shift.
    Facts,
}

impl Question {
    /// The report, limited to the months with data; none if there are none. So the client need not know when the first
    /// hour was worked.
    pub(crate) fn narrowed_to(&self, months: &BTreeSet<UtcMonth>) -> Option<Self> {
        let (first, last) = (months.first()?.range(), months.last()?.range());
        let range = TimeRange::new(first.start(), last.end()).ok()?.clip(self.range)?;
        Some(Self { range, ..self.clone() })
    }

    /// Refuses a report that costs too much.
    ///
    /// # Errors
    /// 422, with what to ask for instead.
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

    /// The buckets from the one on in which the previous page ended.
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

    /// Whether projects and tasks matter for the rows.
    pub(crate) fn tells_work_apart(&self) -> bool {
        let Filter { projects, tasks, .. } = &self.filter;
        let grouped = [Grouping::Project, Grouping::Task].iter().any(|by| self.by.contains(by));
        grouped || !projects.is_empty() || !tasks.is_empty()
    }

    /// The row that some time belongs to.
    pub(crate) fn key(&self, bucket: usize, work: Option<(ProjectId, TaskId)>, employee: Option<EmployeeId>) -> Key {
        let by = |grouping| self.by.contains(&grouping);
        Key {
            bucket,
            project: work.map(|(project, _)| project).filter(|_| by(Grouping::Project)),
            task: work.map(|(_, task)| task).filter(|_| by(Grouping::Task)),
            employee: employee.filter(|_| by(Grouping::Employee)),
        }
    }

    /// Whether a row is after the previous page. Its bucket is the first that is still read.
    pub(crate) fn is_new(&self, key: Key) -> bool {
        self.after
            .is_none_or(|TimeCursor { project, task, employee, .. }| key > Key { bucket: 0, project, task, employee })
    }
}
