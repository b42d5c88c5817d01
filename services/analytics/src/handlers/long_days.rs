use std::{collections::HashMap, sync::Arc};

use contracts::{Filter, Grouping, HOUR, ListLongDays, LongDay, Millis, Page, TimeCursor, TimeRange, TimeRow};
use jiff::civil::Date;
use kit::{Call, Error};

use crate::{
    App,
    domain::{CountedDay, Place, Question, explained, latest},
    engine,
};

/// The most rows (days of single employees) that are computed for one page: one month of 1,000
/// employees.
const MOST_SEEN: usize = 30_000;
/// The most long days of a page, because the windows of each of them are read.
const MOST_FOUND: usize = 200;

/// Lists the local days on which more time counts for an employee than the requested limit, page by
/// page. For admins.
pub(crate) async fn long_days(
    app: Arc<App>,
    call: Call,
    asked: ListLongDays,
) -> Result<Page<LongDay, TimeCursor>, Error> {
    call.require_admin()?;
    app.progress.caught_up(|| found(&app, &asked)).await
}

async fn found(app: &App, asked: &ListLongDays) -> Result<Page<LongDay, TimeCursor>, Error> {
    let ListLongDays { range, longer_than, timezone, employees, after } = asked.clone();
    let by = [Grouping::Day, Grouping::Employee].into();
    let filter = Filter { employees, ..Filter::default() };
    let question = Question { range, by, zone: timezone, filter, after };
    let Page { items: mut rows, mut next } = engine::answer_of(app, &question, MOST_SEEN).await?;
    rows.retain(|row| row.time > longer_than);
    let is_cut = rows.len() > MOST_FOUND;
    rows.truncate(MOST_FOUND);
    let ranges = days_of(&question, &rows);
    let counted = rows.into_iter().filter_map(|row| {
        let (day, employee) = (row.day?, row.employee?);
        Some(CountedDay { employee, day, range: *ranges.get(&day)?, time: row.time })
    });
    let items = explain(app, counted.collect()).await?;
    if is_cut {
        next = items.last().map(|day| asked.place(day));
    }
    Ok(Page { items, next })
}

/// The time range of each local day from the first to the last of these rows, clipped to the range
/// of the report. Days shortly before and after them may be included. The whole range is not
/// divided into days, because it may be centuries long.
fn days_of(question: &Question, rows: &[TimeRow]) -> HashMap<Date, TimeRange> {
    let ends = rows.first().and_then(|row| row.day).zip(rows.last().and_then(|row| row.day));
    let around = ends.and_then(|(first, last)| {
        let day = |day: Date, hours: i64| {
            let at = day.to_zoned(question.zone.rules().clone()).ok()?.timestamp();
            Some(Millis(at.as_millisecond()) + hours * HOUR)
        };
        let (first, last) = (day(first, -48)?, day(last, 72)?);
        let around = TimeRange::new(first, last).ok()?;
        question.range.clip(around)
    });
    let Some(range) = around else { return HashMap::new() };
    let days = Question { range, ..question.clone() }.buckets();
    days.into_iter().filter_map(|bucket| Some((bucket.day?, bucket.range))).collect()
}

async fn explain(app: &App, days: Vec<CountedDay>) -> Result<Vec<LongDay>, Error> {
    let place = |day: &CountedDay| Place { employee: day.employee, start: day.range.start(), end: day.range.end() };
    let facts = latest(app.store.facts.reaching_into(days.iter().map(place).collect()).await?);
    Ok(days.into_iter().map(|day| explained(day, facts.values())).collect())
}
