use std::collections::{BTreeMap, BTreeSet};

use bson::{Document, doc};
use contracts::{CountedSum, EmployeeId, TimeMark};
use futures::TryStreamExt;
use kit::{Error, mongo::one_of};
use mongodb::options::Hint;

use super::{
    EmployeeMonths,
    employees::{by_employee, by_month},
    months::{Row, days},
    packed,
};
use crate::domain::{DayPieces, EmployeeMonth, Stretch, Total, UtcMonth};

/// The most whole days whose fields a query names one by one. With more days, it takes MongoDB less
/// time to return the fields of the whole month.
const MOST_NAMED: i64 = 20;

/// For each employee, the days whose hash is not stored.
type Unmarked = BTreeMap<EmployeeId, BTreeSet<i64>>;

impl EmployeeMonths {
    /// The sums in each of these ranges, of these employees, or of all employees if the list is
    /// empty. Employees without time are left out.
    pub(crate) async fn period_sums(
        &self,
        ranges: &[DayPieces],
        employees: &[EmployeeId],
    ) -> Result<BTreeMap<EmployeeId, Vec<CountedSum>>, Error> {
        let months: BTreeSet<UtcMonth> = ranges.iter().flat_map(DayPieces::months).collect();
        let fields = fields(ranges);
        let mut filter = doc! { "_id.month": one_of(&months) };
        let mut keys = by_month();
        if !employees.is_empty() {
            filter.insert("_id.employee", one_of(employees));
            keys = by_employee();
        }
        let mut found = self.rows().find(filter).projection(fields).hint(Hint::Keys(keys)).await?;
        let mut all: BTreeMap<EmployeeId, Vec<CountedSum>> = BTreeMap::new();
        let mut unmarked = Unmarked::new();
        while let Some(row) = found.try_next().await? {
            let sums = all.entry(row.id.employee).or_insert_with(|| vec![CountedSum::default(); ranges.len()]);
            add(sums, ranges, &row, &mut unmarked)?;
        }
        self.mark(&mut all, ranges, unmarked).await?;
        all.retain(|_, sums| sums.iter().any(|sum| *sum != CountedSum::default()));
        Ok(all)
    }

    /// Adds the hashes of the days whose hash is not stored, because an earlier version of the
    /// program has computed the sums of these days. The hashes are computed from the stretches.
    async fn mark(
        &self,
        all: &mut BTreeMap<EmployeeId, Vec<CountedSum>>,
        ranges: &[DayPieces],
        unmarked: Unmarked,
    ) -> Result<(), Error> {
        for (employee, days_of_one) in unmarked {
            let ids = days_of_one.iter().map(|day| EmployeeMonth { employee, month: UtcMonth::of_day(*day) });
            let fields: Document = days_of_one.iter().map(|day| (format!("parts.{day}"), 1.into())).collect();
            let ids: BTreeSet<EmployeeMonth> = ids.collect();
            let mut found = self.rows().find(doc! { "_id": one_of(ids) }).projection(fields).await?;
            while let Some(row) = found.try_next().await? {
                for (day, stretches) in days(&row.parts, packed::unpack_stretches)? {
                    let mark: TimeMark = stretches.into_iter().map(Stretch::mark).sum();
                    let sums = all.entry(employee).or_insert_with(|| vec![CountedSum::default(); ranges.len()]);
                    let holding = ranges.iter().zip(sums).filter(|(range, _)| range.whole.contains(&day));
                    holding.for_each(|(_, sum)| sum.mark += mark);
                }
            }
        }
        Ok(())
    }
}

/// The fields of a month that must be read: the stretches of the days at the ends of the ranges,
/// and the sums and hashes of the whole days. If the ranges have more than [`MOST_NAMED`] whole
/// days, the sums and hashes of all days of the month.
fn fields(ranges: &[DayPieces]) -> Document {
    let edges = ranges.iter().flat_map(|range| range.edges.iter().map(|(day, _)| *day));
    let mut fields: Document = edges.map(|day| (format!("parts.{day}"), 1.into())).collect();
    let groups = ["sums", "marks"];
    match ranges.iter().map(|range| range.whole.end - range.whole.start).sum::<i64>() {
        ..=MOST_NAMED => {
            let days = ranges.iter().flat_map(|range| range.whole.clone());
            fields.extend(days.flat_map(|day| groups.map(|group| (format!("{group}.{day}"), 1.into()))));
        }
        _ => fields.extend(groups.map(|group| (group.to_owned(), 1.into()))),
    }
    fields
}

/// Adds the days of one month of an employee to the sums of each range, and the days without a
/// stored hash to `unmarked`.
fn add(
    sums: &mut [CountedSum],
    ranges: &[DayPieces],
    row: &Row<EmployeeMonth>,
    unmarked: &mut Unmarked,
) -> anyhow::Result<()> {
    let in_whole = |day: &i64| ranges.iter().any(|range| range.whole.contains(day));
    let mut totals: BTreeMap<i64, Total> = days(&row.sums, |_, sum| packed::unpack_sum(sum))?;
    totals.retain(|day, _| in_whole(day));
    let marks = days(&row.marks, |_, mark| packed::unpack_mark(mark))?;
    let without = totals.keys().filter(|day| !marks.contains_key(day)).copied();
    let without: BTreeSet<i64> = without.collect();
    if !without.is_empty() {
        unmarked.entry(row.id.employee).or_default().extend(without);
    }
    let stretches = days(&row.parts, packed::unpack_stretches)?;
    for (range, sum) in ranges.iter().zip(sums) {
        for (day, total) in totals.range(range.whole.clone()) {
            *sum += total.marked(marks.get(day).copied().unwrap_or_default());
        }
        for (day, edge) in &range.edges {
            let of_day = stretches.get(day).into_iter().flatten();
            of_day.filter_map(|stretch| stretch.within(*edge)).for_each(|stretch| *sum += stretch.sum());
        }
    }
    Ok(())
}
