use std::collections::{BTreeMap, BTreeSet};

use contracts::{EmployeeId, Millis, Rate, Window};

use super::state::{Group, Sum, WindowRow};

const DAY: i64 = 86_400_000;
/// A cent in the unit of exact amounts: ten-thousandths of the currency per hour, times
/// milliseconds.
const CENT: i128 = 10_000 * 3_600_000 / 100;

/// Returns the sums of all windows that are not voided, by employee, UTC day, project and task.
/// They are computed in another way than by analytics: from the window that counts at each moment.
pub(super) fn recomputed(windows: &[WindowRow]) -> BTreeMap<Group, Sum> {
    let mut of_employees: BTreeMap<EmployeeId, Vec<&Window>> = BTreeMap::new();
    for row in windows.iter().filter(|row| !row.voided) {
        of_employees.entry(row.window.employee_id).or_default().push(&row.window);
    }
    let mut exact: BTreeMap<Group, (i64, i128, i128)> = BTreeMap::new();
    for windows in of_employees.values() {
        for (window, from, until) in counting(windows) {
            let mut at = from;
            while at < until {
                let day = at.div_euclid(DAY);
                let next = until.min((day + 1) * DAY);
                let group = Group {
                    employee: window.employee_id,
                    day: Millis(at).utc_date().to_string(),
                    project: window.project_id,
                    task: window.task_id,
                };
                let sum = exact.entry(group).or_default();
                sum.0 += next - at;
                sum.1 += i128::from(next - at) * cost(window);
                sum.2 += i128::from(next - at) * income(window);
                at = next;
            }
        }
    }
    let rounded = |(time, costs, income)| Sum { time, costs: cents(costs), income: cents(income) };
    exact.into_iter().map(|(group, sum)| (group, rounded(sum))).collect()
}

/// Divides one employee's time into parts, each with the window that counts in it. Of the windows
/// that cover a part, the one that began first counts, and of several such windows the one with the
/// smallest id.
fn counting<'a>(windows: &[&'a Window]) -> Vec<(&'a Window, i64, i64)> {
    let mut edges: Vec<(i64, bool, usize)> = Vec::with_capacity(2 * windows.len());
    for (place, window) in windows.iter().enumerate() {
        edges.push((window.start.0, true, place));
        edges.push((window.end.0, false, place));
    }
    edges.sort_unstable();
    let (mut last, mut stretches) = (i64::MIN, Vec::new());
    let mut open: BTreeSet<(Millis, contracts::WindowId, usize)> = BTreeSet::new();
    for (at, begins, place) in edges {
        if let Some((.., first)) = open.first()
            && at > last
            && let Some(window) = windows.get(*first)
        {
            stretches.push((*window, last, at));
        }
        last = at;
        let Some(window) = windows.get(place) else { continue };
        let key = (window.start, window.id, place);
        if begins {
            open.insert(key);
        } else {
            open.remove(&key);
        }
    }
    stretches
}

fn units(overtime: bool, over: Option<Rate>, normal: Option<Rate>) -> i128 {
    let rate = if overtime { over.or(normal) } else { normal };
    i128::from(rate.map_or(0, Rate::units))
}

fn cost(window: &Window) -> i128 {
    units(window.overtime, window.overtime_pay_rate, window.pay_rate)
}

fn income(window: &Window) -> i128 {
    if window.billable { units(window.overtime, window.overtime_bill_rate, window.bill_rate) } else { 0 }
}

/// Rounds an exact amount to cents. Half a cent is rounded up. There are no negative amounts.
fn cents(exact: i128) -> i64 {
    ((2 * exact + CENT) / (2 * CENT)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kill::check::tests::window;

    #[test]
    fn every_millisecond_counts_once_and_for_the_window_that_began_first() {
        let mut windows = vec![window(1, 0), window(2, 1)];
        let [first, second] = &mut windows[..] else { panic!("two") };
        (first.window.start, first.window.end) = (Millis(0), Millis(3_600_000));
        (second.window.start, second.window.end) = (Millis(1_800_000), Millis(5_400_000));
        second.window.task_id = contracts::TaskId(uuid::Uuid::from_u128(99));
        let sums: Vec<_> = recomputed(&windows).into_values().map(|sum| (sum.time, sum.income)).collect();
        assert_eq!(sums, [(3_600_000, 5_000), (1_800_000, 2_500)]);
    }

    #[test]
    fn a_window_over_midnight_counts_on_both_days_and_a_voided_one_on_none() {
        let mut over = window(1, 0);
        (over.window.start, over.window.end) = (Millis(DAY - 10), Millis(DAY + 5));
        let mut voided = window(2, 1);
        voided.voided = true;
        let sums: Vec<_> = recomputed(&[over, voided]).into_values().map(|sum| sum.time).collect();
        assert_eq!(sums, [10, 5]);
    }

    #[test]
    fn half_a_cent_is_a_whole_one() {
        assert_eq!([CENT / 2 - 1, CENT / 2, CENT, 3 * CENT / 2].map(cents), [0, 1, 1, 2]);
    }
}
