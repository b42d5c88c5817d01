use std::collections::BTreeSet;

use contracts::{DAY, EmployeeId, Failure, Filter, Grouping, ProjectId, TaskId, TimeCursor, TimeRange, Zone};

use super::{Bucket, Step, UtcMonth, buckets, plan, plan_of_edges};

/// The most days, weeks or months of an answer: the days of more than a hundred years.
const MOST_BUCKETS: i64 = 40_000;

/// What somebody wants to know of time and money.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) range: TimeRange,
    pub(crate) by: BTreeSet<Grouping>,
    pub(crate) zone: Zone,
    pub(crate) filter: Filter,
    pub(crate) after: Option<TimeCursor>,
}

/// Whose row it is. In the order of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The position of the bucket.
    pub(crate) bucket: usize,
    pub(crate) project: Option<ProjectId>,
    pub(crate) task: Option<TaskId>,
    pub(crate) employee: Option<EmployeeId>,
}

/// Where an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The months of all together, and what sticks out of whole days from the employees'.
    Company,
    /// The months of employees.
    Employees,
    /// The facts: shifts are not summed up.
    Facts,
}

impl Question {
    /// The same question about the part of its range in which there is anything, if there is: nobody
    /// need know when the first hour was worked.
    pub(crate) fn narrowed_to(&self, months: &BTreeSet<UtcMonth>) -> Option<Self> {
        let (first, last) = (months.first()?.range(), months.last()?.range());
        let range = TimeRange::new(first.start(), last.end()).ok()?.clip(self.range)?;
        Some(Self { range, ..self.clone() })
    }

    /// Refuses what would cost too much to answer.
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

    /// The buckets from the one on that the last page ended in.
    pub(crate) fn buckets(&self) -> Vec<Bucket> {
        let mut buckets = buckets(self.range, &self.by, &self.zone);
        if let Some(after) = self.after {
            buckets.retain(|bucket| bucket.range.end() > after.start);
        }
        buckets
    }

    /// What is read for these buckets.
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

    /// Whether it matters what was worked on.
    pub(crate) fn tells_work_apart(&self) -> bool {
        let Filter { projects, tasks, .. } = &self.filter;
        let grouped = [Grouping::Project, Grouping::Task].iter().any(|by| self.by.contains(by));
        grouped || !projects.is_empty() || !tasks.is_empty()
    }

    /// The row that time belongs to.
    pub(crate) fn key(&self, bucket: usize, work: Option<(ProjectId, TaskId)>, employee: Option<EmployeeId>) -> Key {
        let by = |grouping| self.by.contains(&grouping);
        Key {
            bucket,
            project: work.map(|(project, _)| project).filter(|_| by(Grouping::Project)),
            task: work.map(|(_, task)| task).filter(|_| by(Grouping::Task)),
            employee: employee.filter(|_| by(Grouping::Employee)),
        }
    }

    /// Whether a row comes after the last page. Its bucket is the first that is still read.
    pub(crate) fn is_new(&self, key: Key) -> bool {
        self.after
            .is_none_or(|TimeCursor { project, task, employee, .. }| key > Key { bucket: 0, project, task, employee })
    }
}
