//! Golden files of messages about sums of time, overlapping windows and long days.

use contracts::*;

use crate::{
    examples::{AT, filter, id, label, range},
    files::Golden,
};

pub(crate) fn time(golden: &mut Golden) {
    let cursor = TimeCursor { start: AT, project: Some(id(3)), task: Some(id(4)), employee: Some(id(1)) };
    let asked = GetTime {
        range: range(),
        group_by: ["project", "task", "employee", "day", "week", "month"]
            .map(|by| by.parse().expect("a grouping"))
            .into(),
        timezone: "Asia/Kathmandu".parse().expect("a time zone"),
        filter: filter(),
        after: Some(cursor),
    };
    let row = TimeRow {
        day: Some(jiff::civil::date(2025, 10, 9)),
        week: Some(jiff::civil::date(2025, 10, 6)),
        month: Some(YearMonth::of(jiff::civil::date(2025, 10, 9))),
        project: Some(id(3)),
        task: Some(id(4)),
        employee: Some(id(1)),
        time: HOUR,
        costs: Cents(4_050),
        income: Cents(5_000),
    };
    golden.request(asked, Page { items: vec![row], next: Some(cursor) });
}

pub(crate) fn attention(golden: &mut Golden) {
    let after = OverlapCursor { employee_id: id(1), start: AT, id: id(5) };
    let lost = Overlapped {
        id: id(9),
        project_id: id(3),
        task_id: id(4),
        start: AT,
        end: AT + HOUR,
        computer: label("anns-pc"),
        taken_time: 60_000,
    };
    let overlap = Overlap {
        id: id(5),
        employee_id: id(1),
        project_id: id(3),
        task_id: id(4),
        start: AT,
        end: AT + HOUR,
        computer: label("anns-mac"),
        taken_time: 60_000,
        taken_from_count: 1,
        taken_from_other_computers: 60_000,
        taken_from: vec![lost],
    };
    let (employees, projects) = (vec![id(1)], vec![id(3)]);
    golden.request(
        ListOverlaps { range: range(), employees, projects, after: Some(after) },
        Page { items: vec![overlap], next: Some(after) },
    );
    let after = TimeCursor { start: AT, project: None, task: None, employee: Some(id(1)) };
    let day = LongDay {
        day: jiff::civil::date(2025, 10, 9),
        employee_id: id(1),
        time: 17 * HOUR,
        window_time: 18 * HOUR,
        window_count: 2,
        longest: Some(LongestWindow { id: id(5), project_id: id(3), task_id: id(4), start: AT, end: AT + HOUR }),
    };
    let asked = ListLongDays {
        range: range(),
        longer_than: 16 * HOUR,
        timezone: "Asia/Kathmandu".parse().expect("a time zone"),
        employees: vec![id(1)],
        after: Some(after),
    };
    golden.request(asked, Page { items: vec![day], next: Some(after) });
}
