//! Turns the hours of a sheet into windows by the same rule as the script `windows.py` that comes
//! with the sheet. Each developer works from 08:00 UTC for at most ten hours a day, on one task at
//! a time, in the order in which the work was started.

use std::collections::HashMap;

use contracts::{DAY, HOUR, Millis};

use super::sheet::Row;

const DAY_START: i64 = 8 * HOUR;
const DAY_END: i64 = DAY_START + 10 * HOUR;

/// A part of the hours of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The index of the row in the sheet.
    pub row: usize,
    /// The start of the part.
    pub start: Millis,
    /// The end of the part.
    pub end: Millis,
}

/// Returns all hours of the sheet, in parts of at most `longest` milliseconds.
pub fn lay_out(rows: &[Row], longest: i64) -> Vec<Stretch> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&at| (rows[at].day, rows[at].task, rows[at].developer));
    let mut free_from: HashMap<u32, i64> = HashMap::new();
    let mut stretches = Vec::new();
    for row in order {
        let Row { developer, millis: mut left, day, .. } = rows[row];
        let free = free_from.entry(developer).or_default();
        let mut at = (*free).max(day.0 + DAY_START);
        while left > 0 {
            let midnight = at - at.rem_euclid(DAY);
            if at >= midnight + DAY_END {
                at = midnight + DAY + DAY_START;
                continue;
            }
            let length = left.min(longest).min(midnight + DAY_END - at);
            stretches.push(Stretch { row, start: Millis(at), end: Millis(at + length) });
            at += length;
            left -= length;
        }
        *free = at;
    }
    stretches
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};
    use std::path::{Path, PathBuf};

    use contracts::SECOND;
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::super::sheet;
    use super::*;

    const MINUTE: i64 = 60 * SECOND;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Line {
        developer: String,
        project: String,
        task: String,
        start: i64,
        end: i64,
    }

    fn line(rows: &[Row], stretch: &Stretch) -> Line {
        let row = &rows[stretch.row];
        Line {
            developer: row.developer.to_string(),
            project: row.project.clone(),
            task: row.task.to_string(),
            start: stretch.start.0,
            end: stretch.end.0,
        }
    }

    fn here(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
    }

    #[test]
    fn the_windows_of_a_small_sheet_are_those_of_windows_py() {
        let rows = sheet::read(&here("fixtures/timesheet.csv")).unwrap();
        let laid_out: Vec<_> = lay_out(&rows, 150 * MINUTE).iter().map(|stretch| line(&rows, stretch)).collect();
        let golden = std::fs::read_to_string(here("fixtures/windows-150.jsonl")).unwrap();
        let golden: Vec<Line> = golden.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(laid_out, golden);
    }

    /// Reads the sheet with ten years of work, or returns `None` if the file does not exist.
    fn sip() -> Option<Vec<Row>> {
        let path = here("../../../shared/data/sip/timesheet.csv");
        if !path.exists() {
            eprintln!("skipped: {} is not here", path.display());
            return None;
        }
        Some(sheet::read(&path).unwrap())
    }

    #[test]
    fn the_windows_of_ten_years_are_those_of_windows_py() {
        let Some(rows) = sip() else { return };
        assert_eq!(lay_out(&rows, 240 * MINUTE).len(), 34_936);
        let stretches = lay_out(&rows, 10 * MINUTE);
        assert_eq!(stretches.len(), 572_643);
        let first: Line = serde_json::from_str(
            r#"{"developer": "24", "project": "PC17", "task": "3548", "start": 1073289600000, "end": 1073290200000}"#,
        )
        .unwrap();
        assert_eq!(line(&rows, &stretches[0]), first);
    }

    #[test]
    fn the_windows_of_ten_years_add_up_to_the_hours_of_the_sheet() {
        let Some(rows) = sip() else { return };
        let stretches = lay_out(&rows, 10 * MINUTE);
        let keys: [fn(&Row) -> String; 3] =
            [|row| row.project.clone(), |row| row.task.to_string(), |row| row.developer.to_string()];
        for key in keys {
            let (mut sheet, mut laid_out) = (BTreeMap::new(), BTreeMap::new());
            for row in &rows {
                *sheet.entry(key(row)).or_insert(0) += row.millis;
            }
            for stretch in &stretches {
                *laid_out.entry(key(&rows[stretch.row])).or_insert(0) += stretch.end - stretch.start;
            }
            assert_eq!(laid_out, sheet);
        }
        assert_eq!(rows.iter().map(|row| row.millis).sum::<i64>(), 9_500_198 * HOUR / 100);
    }

    fn row(task: u32, developer: u32, millis: i64, day: i64) -> Row {
        let text = String::new;
        let day = Millis(day * DAY);
        Row { task, summary: text(), priority: text(), status: text(), project: text(), developer, millis, day }
    }

    proptest! {
        #[test]
        fn nobody_works_on_two_things_at_once_or_outside_the_day(
            rows in prop::collection::vec((0..9_u32, 0..3_u32, 0..40 * HOUR, 0..9_i64), 1..20),
            longest in 1..1_000 * MINUTE,
        ) {
            let longest = longest.max(MINUTE);
            let rows: Vec<Row> = rows.into_iter().map(|(task, who, millis, day)| row(task, who, millis, day)).collect();
            let mut last: HashMap<u32, Millis> = HashMap::new();
            let mut left: Vec<i64> = rows.iter().map(|row| row.millis).collect();
            for Stretch { row, start, end } in lay_out(&rows, longest) {
                prop_assert!(start < end && end - start <= longest);
                prop_assert!(start >= rows[row].day);
                prop_assert!(start.0.rem_euclid(DAY) >= DAY_START && (end.0 - 1).rem_euclid(DAY) < DAY_END);
                prop_assert_eq!(start.utc_day(), Millis(end.0 - 1).utc_day());
                if let Some(last) = last.insert(rows[row].developer, end) {
                    prop_assert!(last <= start);
                }
                left[row] -= end - start;
            }
            prop_assert!(left.iter().all(|left| *left == 0));
        }
    }
}
