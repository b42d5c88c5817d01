//! Lanes of a timeline: what each employee worked on in a range. Adjoining windows of the same task
//! are joined.

use serde::{Deserialize, Serialize};

use crate::{Counted, EmployeeId, Millis, Page, ProjectId, TaskId, TimeRange, message::requests};

/// The maximum number of employees in one [`ListLanes`].
pub const LANES_MOST: usize = 200;
/// The longest pause between two windows of one task that are still joined, in milliseconds.
const JOINED_WITHIN: i64 = 60_000;

/// Requests the lanes of these employees in a range, ordered by employee id, page by page. An
/// employee without a window in the range has no lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListLanes {
    /// The range of the timeline.
    pub range: TimeRange,
    /// The employees: 1 to [`LANES_MOST`].
    pub employees: Vec<EmployeeId>,
    /// The employee of the last lane of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// One employee's work in a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lane {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The work that counts, in order and without overlaps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stretches: Vec<Stretch>,
    /// The ranges in which the time of a window does not count, because an earlier window counts
    /// there: the start and the end of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<(Millis, Millis)>,
}

/// Work on one task without a long pause. Pauses of at most a minute are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stretch {
    /// The id of the project.
    pub project_id: ProjectId,
    /// The id of the task.
    pub task_id: TaskId,
    /// When the work began.
    pub start: Millis,
    /// When the work ended. This moment is not included.
    pub end: Millis,
    /// The time that counts, in milliseconds. The pauses between the joined windows do not count.
    pub time: i64,
}

impl Lane {
    /// A lane without work.
    pub const fn empty(employee_id: EmployeeId) -> Self {
        Self { employee_id, stretches: Vec::new(), lost: Vec::new() }
    }

    /// Adds the part of a window that is in the range. Windows must be added in the order of their
    /// starts.
    pub fn add(
        &mut self,
        project_id: ProjectId,
        task_id: TaskId,
        Counted { window, counts }: Counted<TimeRange>,
        range: TimeRange,
    ) {
        // The part of a window that counts ends with the window. The time before that part counts
        // for earlier windows.
        let counted_from = counts.map_or(window.end(), |counts| counts.start());
        if let Some(lost) = clipped(window.start(), counted_from, range) {
            self.lose(lost);
        }
        if let Some(counts) = counts.and_then(|counts| counts.clip(range)) {
            let (start, end) = (counts.start(), counts.end());
            self.count(Stretch { project_id, task_id, start, end, time: end - start });
        }
    }

    /// Whether the lane has neither work that counts nor time that does not count.
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty() && self.lost.is_empty()
    }

    /// The total time that counts in this lane, in milliseconds.
    pub fn time(&self) -> i64 {
        self.stretches.iter().map(|stretch| stretch.time).sum()
    }

    fn count(&mut self, next: Stretch) {
        match self.stretches.last_mut() {
            Some(last)
                if (last.project_id, last.task_id) == (next.project_id, next.task_id)
                    && next.start - last.end <= JOINED_WITHIN
                    && next.start >= last.end =>
            {
                last.end = next.end;
                last.time += next.time;
            }
            _ => self.stretches.push(next),
        }
    }

    fn lose(&mut self, next: TimeRange) {
        match self.lost.last_mut() {
            Some(last) if next.start() <= last.1 => last.1 = last.1.max(next.end()),
            _ => self.lost.push((next.start(), next.end())),
        }
    }
}

fn clipped(start: Millis, end: Millis, range: TimeRange) -> Option<TimeRange> {
    TimeRange::new(start, end).ok()?.clip(range)
}

requests! {
    Timetrack: ListLanes => Page<Lane, EmployeeId>, "windows.lanes", idempotent;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::{HOUR, WindowId, counted};

    const NOBODY: EmployeeId = EmployeeId(Uuid::nil());

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(Millis(start), Millis(end)).expect("a range")
    }

    /// Makes the lane of these windows. Each window is given as its task, start and length.
    fn lane(windows: &[(u128, i64, i64)], range_of_lane: TimeRange) -> Lane {
        let numbered = windows.iter().zip(1..).map(|((task, start, length), n)| {
            (TaskId(Uuid::from_u128(*task)), range(*start, start + length), WindowId(Uuid::from_u128(n)))
        });
        let mut lane = Lane::empty(NOBODY);
        for Counted { window: (task, window, _), counts } in counted(numbered.collect(), |(_, range, id)| (*range, *id))
        {
            lane.add(ProjectId(Uuid::nil()), task, Counted { window, counts }, range_of_lane);
        }
        lane
    }

    #[test]
    fn a_short_pause_is_no_break_and_another_task_is() {
        let joined = |windows: &[(u128, i64, i64)]| lane(windows, range(0, 24 * HOUR)).stretches.len();
        assert_eq!(joined(&[(1, 0, HOUR), (1, HOUR + 60_000, HOUR)]), 1);
        assert_eq!(joined(&[(1, 0, HOUR), (1, HOUR + 60_001, HOUR)]), 2);
        assert_eq!(joined(&[(1, 0, HOUR), (2, HOUR, HOUR), (1, 2 * HOUR, HOUR)]), 3);
    }

    proptest! {
        /// Compares the lane with the result of counting each millisecond by itself.
        #[test]
        fn stretches_and_lost_time_are_the_covered_time_of_the_range(
            windows in proptest::collection::vec((1..3_u128, 0..60_i64, 1..30_i64), 0..10), start in 0..60_i64, length in 1..60_i64,
        ) {
            let within = range(start, start + length);
            let lane = lane(&windows, within);
            let at = |moment: i64| windows.iter().filter(|(_, start, length)| (*start..start + length).contains(&moment)).count();
            let covered = (start..start + length).filter(|moment| at(*moment) > 0).count();
            prop_assert_eq!(lane.time(), i64::try_from(covered).unwrap());
            let twice = (start..start + length).filter(|moment| at(*moment) > 1).count();
            let lost: i64 = lane.lost.iter().map(|(start, end)| *end - *start).sum();
            prop_assert_eq!(lost, i64::try_from(twice).unwrap());
        }
    }
}
