use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use contracts::{
    DAY, EmployeeId, Filter, Grouping, HOUR, Millis, ProjectId, Rates, TaskId, TimeRange, WindowFact, WindowId, Zone,
};
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::history::label;
use crate::domain::*;

const LONGEST: i64 = HOUR / 6;
const OPENS: i64 = 8 * HOUR;
const HOURS_A_DAY: i64 = 10 * HOUR;

#[derive(Deserialize)]
struct Row {
    task: u128,
    project: String,
    developer: u128,
    hours: String,
    started: String,
    completed: String,
}

impl Row {
    /// The hours of this row in milliseconds. Hours have at most two decimals.
    fn millis(&self) -> i64 {
        let (whole, part) = self.hours.split_once('.').unwrap_or((&self.hours, "0"));
        (whole.parse::<i64>().expect("hours") * 100 + format!("{part:0<2}").parse::<i64>().expect("hundredths"))
            * (HOUR / 100)
    }

    fn day(&self) -> i64 {
        let given = [&self.started, &self.completed].into_iter().find(|date| !date.is_empty());
        let date: Date = given.map_or("2004-01-05", String::as_str).parse().expect("a date");
        let at = jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).expect("a moment");
        Millis(at.as_millisecond()).utc_day()
    }

    fn project(&self) -> ProjectId {
        let number = self.project.trim_start_matches(char::is_alphabetic);
        ProjectId(Uuid::from_u128(number.parse().expect("a number")))
    }
}

/// The hours of all rows as windows, one after the other for each developer. A window has at most
/// ten minutes; a day has ten hours and begins at eight o'clock. The script `windows.py` beside the
/// data makes the same windows.
fn windows(rows: &mut [Row]) -> Vec<WindowFact> {
    rows.sort_by_key(|row| (row.day(), row.task, row.developer));
    let mut free: HashMap<u128, i64> = HashMap::new();
    let mut windows = Vec::new();
    for row in rows {
        let mut at = (row.day() * DAY + OPENS).max(free.get(&row.developer).copied().unwrap_or(0));
        let mut left = row.millis();
        while left > 0 {
            let opens = Millis(at).utc_day() * DAY + OPENS;
            if at >= opens + HOURS_A_DAY {
                at = opens + DAY;
                continue;
            }
            let end = (at + left.min(LONGEST)).min(opens + HOURS_A_DAY);
            windows.push(window(row, windows.len() as u128, at, end));
            left -= end - at;
            at = end;
        }
        free.insert(row.developer, at);
    }
    windows
}

fn window(row: &Row, number: u128, start: i64, end: i64) -> WindowFact {
    WindowFact {
        id: WindowId(Uuid::from_u128(number)),
        revision: 1,
        employee_id: EmployeeId(Uuid::from_u128(row.developer)),
        project_id: row.project(),
        task_id: TaskId(Uuid::from_u128(row.task)),
        shift_id: label("s"),
        start: Millis(start),
        end: Millis(end),
        billable: true,
        overtime: false,
        rates: Rates::default(),
        rate_parts: Vec::new(),
        voided: false,
    }
}

/// The time of each group, in milliseconds, by the group's id or month.
fn times(sheets: &[Sheet], by: Grouping) -> BTreeMap<String, i64> {
    let range = TimeRange::new(Millis(0), Millis(20_000 * DAY)).expect("a range");
    let question = Question { range, by: [by].into(), zone: Zone::default(), filter: Filter::default(), after: None };
    let buckets = question.buckets();
    let mut tally = Tally::new(&question);
    for step in question.steps(&buckets) {
        for sheet in sheets.iter().filter(|sheet| step.months().contains(&sheet.month)) {
            tally.add(&step, sheet);
        }
    }
    let named = |(key, total): (Key, Total)| {
        let id = key.project.map(|id| id.0).or(key.task.map(|id| id.0)).or(key.employee.map(|id| id.0));
        let month = buckets[key.bucket].month.map(|month| month.to_string());
        (month.or(id.map(|id| id.as_u128().to_string())).expect("a key"), total.time)
    };
    tally.totals().map(named).collect()
}

#[test]
fn a_real_time_sheet_comes_out_to_the_millisecond() {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/sip");
    let Ok(mut file) = csv::Reader::from_path(folder.join("timesheet.csv")) else {
        println!("skipped: the SiP time sheets are not beside the repository, in ../shared/data/sip");
        return;
    };
    let mut rows: Vec<Row> = file.deserialize().collect::<Result<_, _>>().expect("rows");
    let windows = windows(&mut rows);
    assert!(windows.len() > 570_000);

    let mut sheets = Vec::new();
    let mut of_developers: BTreeMap<EmployeeId, Vec<WindowFact>> = BTreeMap::new();
    windows.iter().for_each(|fact| of_developers.entry(fact.employee_id).or_default().push(fact.clone()));
    for facts in of_developers.into_values() {
        let days = facts.iter().flat_map(|fact| Place::of(fact).days()).collect();
        for mut sheet in Sheet::of_days(stretches(&days, &parts(facts, Overlaps::CountOnce))) {
            sheet.cells = sheet.stretches.iter().map(|(day, all)| (*day, cells(all))).collect();
            sheet.total = add_up(sheet.cells.values());
            sheets.push(sheet);
        }
    }

    let mut expected: BTreeMap<(&str, String), i64> = BTreeMap::new();
    for row in &rows {
        for (by, key) in [("project", row.project().0.as_u128()), ("task", row.task), ("developer", row.developer)] {
            *expected.entry((by, key.to_string())).or_default() += row.millis();
        }
    }
    for window in &windows {
        let start = jiff::Timestamp::from_millisecond(window.start.0).expect("a moment");
        let month = jiff::tz::Offset::UTC.to_datetime(start).date().strftime("%Y-%m").to_string();
        *expected.entry(("month", month)).or_default() += window.end - window.start;
    }
    expected.retain(|_, time| *time > 0);
    let by = [
        ("project", Grouping::Project),
        ("task", Grouping::Task),
        ("developer", Grouping::Employee),
        ("month", Grouping::Month),
    ];
    let found: BTreeMap<(&str, String), i64> = by
        .into_iter()
        .flat_map(|(name, by)| times(&sheets, by).into_iter().map(move |(key, time)| ((name, key), time)))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(times(&sheets, Grouping::Project).values().sum::<i64>(), 9_500_198 * (HOUR / 100));
}
