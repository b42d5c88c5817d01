//! Shows time, cost and income of a range of days, as bars and as a table.

use std::{cmp::Reverse, collections::BTreeSet};

use contracts::{Cents, Failure, Filter, GetTime, Grouping, TimeRow};
use jiff::civil::Date;
use maud::{Markup, html};

use super::{
    charts::{Bar, Figure, bars, figure},
    no_rate,
    reader::{Reader, lacks_rate},
    visitor::Visitor,
};
use crate::extract::Params;

/// The largest number of rows of a report that are read.
pub(super) const MOST: usize = 10_000;
/// The largest number of bars in a chart.
const BARS: usize = 25;
/// The largest number of lines in a table.
const LINES: usize = 500;

/// The quantity that the bars of a chart show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Time,
    Costs,
    Income,
}

impl Measure {
    const ALL: [Self; 3] = [Self::Time, Self::Costs, Self::Income];

    fn word(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Costs => "costs",
            Self::Income => "income",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Time => "Hours",
            Self::Costs => "Cost",
            Self::Income => "Income",
        }
    }

    fn of(self, sums: Sums) -> i64 {
        match self {
            Self::Time => sums.time,
            Self::Costs => sums.costs.0,
            Self::Income => sums.income.0,
        }
    }

    fn shown(self, reader: &Reader, sums: Sums) -> String {
        match self {
            Self::Time => reader.hours(sums.time),
            Self::Costs => reader.cost(sums.time, sums.costs),
            Self::Income => reader.money(sums.income),
        }
    }
}

/// A sum of time (in milliseconds), costs and income.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) time: i64,
    pub(super) costs: Cents,
    pub(super) income: Cents,
}

impl Sums {
    /// The sum in a row of a report.
    pub(super) fn of(row: &TimeRow) -> Self {
        Self { time: row.time, costs: row.costs, income: row.income }
    }

    /// The sum of a report without grouping, which has one row or, if nothing is recorded, none.
    pub(super) fn whole(rows: &[TimeRow]) -> Self {
        rows.first().map(Self::of).unwrap_or_default()
    }

    /// Renders the table cells of the sum.
    pub(super) fn cells(self, reader: &Reader) -> Markup {
        html! { @for measure in Measure::ALL { td.number { (measure.shown(reader, self)) } } }
    }
}

/// Renders the headings of the columns that [`Sums::cells`] fills.
pub(super) fn heads(reader: &Reader) -> Markup {
    let head = |measure: Measure| match measure {
        Measure::Time => measure.name().to_owned(),
        Measure::Costs | Measure::Income => reader.in_currency(measure.name()),
    };
    html! { @for measure in Measure::ALL { th.number scope="col" { (head(measure)) } } }
}

/// A line of a table: the name of a project, task or employee, and its sum.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// The URL of the name's link.
    pub(super) link: Option<String>,
    pub(super) sums: Sums,
}

/// The days and the measure that the reader has chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) from: Date,
    pub(super) to: Date,
    measure: Measure,
}

impl Asked {
    /// Reads the query parameters. Without them the days are those of the current month up to
    /// today, and the measure is time.
    pub(super) fn of(visitor: &Visitor, params: &Params) -> Result<Self, Failure> {
        let today = visitor.reader.day(visitor.app.clock.now());
        let must = "must be a day such as 2026-03-01";
        let from = params.get("from", must)?.unwrap_or(today.first_of_month());
        let to: Date = params.get("to", must)?.unwrap_or(today);
        if to < from {
            return Err(Failure::field("to", "must not be before the first day"));
        }
        let word: Option<String> = params.get("bars", "must be a word")?;
        let measure = match &word {
            None => Measure::Time,
            Some(word) => Measure::ALL
                .into_iter()
                .find(|measure| measure.word() == word)
                .ok_or_else(|| Failure::field("bars", "must be time, costs or income"))?,
        };
        Ok(Self { from, to, measure })
    }

    /// The request to analytics for the sums of these days.
    pub(super) fn request(self, visitor: &Visitor, by: &[Grouping], filter: &Filter) -> Result<GetTime, Failure> {
        let range = visitor.reader.days(self.from, (self.to - self.from).get_days() + 1);
        Ok(GetTime {
            range: range.ok_or_else(|| Failure::field("to", "must be a day of the calendar"))?,
            group_by: by.iter().copied().collect::<BTreeSet<_>>(),
            timezone: visitor.reader.zone.clone(),
            filter: filter.clone(),
            after: None,
        })
    }

    /// Renders the form fields to choose the days and the measure.
    pub(super) fn fields(self) -> Markup {
        html! {
            label { "From " input type="date" name="from" value=(self.from) required; }
            label { "To " input type="date" name="to" value=(self.to) required; }
            label { "Bars of "
                select name="bars" {
                    @for measure in Measure::ALL {
                        option value=(measure.word()) selected[measure == self.measure] { (measure.name()) }
                    }
                }
            }
        }
    }

    /// The query parameters for a link to another page that shows the same days and measure.
    pub(super) fn query(self) -> String {
        format!("from={}&to={}&bars={}", self.from, self.to, self.measure.word())
    }

    /// The first and the last day, in words.
    pub(super) fn days(self, reader: &Reader) -> String {
        format!("{} to {}", reader.date(self.from), reader.date(self.to))
    }

    /// Renders the lines with the largest values as bars.
    pub(super) fn drawn(self, reader: &Reader, lines: &[Line]) -> Markup {
        let mut lines: Vec<&Line> = lines.iter().filter(|line| line.sums != Sums::default()).collect();
        lines.sort_by_key(|line| Reverse(self.measure.of(line.sums)));
        lines.truncate(BARS);
        let bar = |line: &&Line| Bar {
            label: line.name.clone(),
            value: self.measure.of(line.sums),
            shown: self.measure.shown(reader, line.sums),
        };
        bars(&lines.iter().map(bar).collect::<Vec<_>>())
    }

    /// A sentence about the whole sum, and about what the bars show.
    pub(super) fn sentence(self, reader: &Reader, count: usize, whole: Sums) -> String {
        let (time, income) = (reader.hours(whole.time), reader.sum(whole.income));
        let costs = match lacks_rate(whole.time, whole.costs) {
            true => "have no rate that says what they cost".to_owned(),
            false => format!("cost {}", reader.sum(whole.costs)),
        };
        let bars = match self.measure {
            Measure::Time => "hours",
            Measure::Costs => "cost",
            Measure::Income => "income",
        };
        let which = if count > BARS { format!("the {BARS} with the most") } else { "each".to_owned() };
        format!("{time} hours, which {costs} and earn {income}. The bars show the {bars} of {which}.")
    }

    /// Renders the bars and the table of the lines as a figure. `noun` says what a line stands for.
    pub(super) fn figure(
        self,
        visitor: &Visitor,
        title: &str,
        noun: &str,
        mut lines: Vec<Line>,
        whole: Sums,
    ) -> Markup {
        let reader = &visitor.reader;
        let drawing = self.drawn(reader, &lines);
        let sentence = self.sentence(reader, lines.len(), whole);
        lines.sort_by_key(|line| Reverse(self.measure.of(line.sums)));
        let left_out = lines.len().saturating_sub(LINES);
        lines.truncate(LINES);
        let table = html! {
            table {
                thead { tr { th scope="col" { (noun) } (heads(reader)) } }
                tbody { @for line in &lines { tr {
                    th.text scope="row" { @if let Some(link) = &line.link { a href=(link) { (line.name) } } @else { (line.name) } }
                    (line.sums.cells(reader))
                } }
                    @if left_out > 0 { tr { td colspan="4" { "and " (reader.count(left_out)) " more: Reports have all." } } }
                }
                tfoot { tr { th scope="row" { "All" } (whole.cells(reader)) } }
            }
        };
        let sums = lines.iter().map(|line| (line.sums.time, line.sums.costs));
        html! {
            (figure(Figure { title, sentence: &sentence, drawing, table }))
            (no_rate::hint(visitor, sums))
        }
    }
}
