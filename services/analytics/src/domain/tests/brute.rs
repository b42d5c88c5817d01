use std::collections::{BTreeMap, BTreeSet};

use contracts::{EmployeeId, Grouping, Millis, Money, ProjectId, TaskId, TimeRange, WindowFact, YearMonth, Zone};
use jiff::{Timestamp, civil::Date};

use crate::domain::{Overlaps, Question, Total, latest};

/// The key of a row: day, week, month, project, task and employee, as far as the report groups by
/// them.
pub(crate) type Row =
    (Option<Date>, Option<Date>, Option<YearMonth>, Option<ProjectId>, Option<TaskId>, Option<EmployeeId>);

/// 15 minutes, in milliseconds. The UTC offsets of all time zones since 1972 are multiples of 15
/// minutes.
const QUARTER: i64 = 900_000;

/// The correct rows, computed by brute force: the time is cut into pieces at every edge of a window
/// and every quarter of an hour, and each piece is added to the row of each window that counts in
/// it, on the local day of the piece.
pub(crate) fn brute(arrivals: &[WindowFact], question: &Question, overlaps: Overlaps) -> BTreeMap<Row, Total> {
    let mut sums = BTreeMap::new();
    let facts: Vec<_> = latest(arrivals.iter().cloned()).into_values().filter(|fact| !fact.voided).collect();
    let (from, to) = (question.range.start().0, question.range.end().0);
    let mut edges: BTreeSet<i64> = facts.iter().flat_map(|fact| [fact.start.0, fact.end.0]).collect();
    for fact in &facts {
        edges.extend((fact.start.0.div_euclid(QUARTER)..=fact.end.0.div_euclid(QUARTER)).map(|n| n * QUARTER));
    }
    edges.extend([from, to]);
    let edges: Vec<i64> = edges.range(from..=to).copied().collect();
    for piece in edges.windows(2) {
        let covers = |fact: &&WindowFact| fact.start.0 <= piece[0] && piece[1] <= fact.end.0;
        let mut winners: Vec<&WindowFact> = facts.iter().filter(covers).collect();
        winners.sort_by_key(|fact| (fact.employee_id, fact.start, fact.id));
        if overlaps == Overlaps::CountOnce {
            winners.dedup_by_key(|fact| fact.employee_id);
        }
        let time = piece[1] - piece[0];
        for fact in winners.into_iter().filter(|fact| is_wanted(question, fact)) {
            let piece = TimeRange::new(Millis(piece[0]), Millis(piece[1])).expect("a range");
            let parts: Vec<_> = fact.parts_within(piece).collect();
            let costs = parts.iter().map(|part| Money::of(part.cost, part.range.length())).sum();
            let income = parts.iter().map(|part| Money::of(part.income, part.range.length())).sum();
            let total = Total { time, costs, income };
            *sums.entry(row(question, fact, piece.start().0)).or_default() += total;
        }
    }
    sums
}

fn is_wanted(question: &Question, fact: &WindowFact) -> bool {
    fn among<T: PartialEq>(named: &[T], one: &T) -> bool {
        named.is_empty() || named.contains(one)
    }
    let filter = &question.filter;
    among(&filter.employees, &fact.employee_id)
        && among(&filter.projects, &fact.project_id)
        && among(&filter.tasks, &fact.task_id)
        && among(&filter.shifts, &fact.shift_id)
}

fn row(question: &Question, fact: &WindowFact, at: i64) -> Row {
    let by = |grouping| question.by.contains(&grouping);
    let day = day_of(at, &question.zone);
    let monday = day.checked_sub(jiff::Span::new().days(day.weekday().to_monday_zero_offset())).expect("a day");
    (
        by(Grouping::Day).then_some(day),
        by(Grouping::Week).then_some(monday),
        by(Grouping::Month).then(|| YearMonth::of(day)),
        by(Grouping::Project).then_some(fact.project_id),
        by(Grouping::Task).then_some(fact.task_id),
        by(Grouping::Employee).then_some(fact.employee_id),
    )
}

/// The local day of a moment: the latest date that the local clock has shown up to then. A clock is
/// never set back by more than an hour, so the last 75 minutes are enough.
fn day_of(at: i64, zone: &Zone) -> Date {
    let shown = |at: i64| zone.rules().to_datetime(Timestamp::from_millisecond(at).expect("a moment")).date();
    (0..=5).map(|quarters| shown((at - quarters * QUARTER).max(0))).max().expect("a day")
}
