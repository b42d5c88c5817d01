//! The rule that determines the rates of an hour of work. All code that sets or explains a price
//! uses this rule.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use jiff::civil::Date;

use crate::{
    EmployeeId, LineSince, Millis, Payee, Payroll, PayrollLine, ProjectId, Rate, RateKind, RatePart, RateScope, Rates,
    RatesChanged, TaskId, TimeRange, Zone,
};

/// The index, in [`RateScope::of_work`], of the scope of a project and an employee.
const OWN: usize = 2;
const EVERYBODY: usize = 3;

/// An employee, and the task and project that they worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatedWork {
    /// The id of the employee.
    pub employee: EmployeeId,
    /// The id of the project.
    pub project: ProjectId,
    /// The id of the task.
    pub task: TaskId,
}

/// The rates of a range of time: at its start, and after each change within it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// The rates at the start of the range.
    pub rates: Rates,
    /// The changes of the rates within the range, in order.
    pub parts: Vec<RatePart>,
}

/// The rates that are known, by scope.
#[derive(Clone, Debug, Default)]
pub struct RateBook(HashMap<RateScope, Arc<RatesChanged>>);

impl FromIterator<Arc<RatesChanged>> for RateBook {
    fn from_iter<I: IntoIterator<Item = Arc<RatesChanged>>>(all: I) -> Self {
        let mut book = Self::default();
        all.into_iter().for_each(|rates| book.learn(rates));
        book
    }
}

impl RateBook {
    /// Stores the rates of a scope, unless the same version or a newer one is stored already.
    pub fn learn(&mut self, news: Arc<RatesChanged>) {
        let known = self.0.get(&news.scope);
        if known.is_none_or(|known| known.version < news.version) {
            self.0.insert(news.scope, news);
        }
    }

    /// The approximate number of rates in the book, as a measure of the memory that the book needs.
    pub fn weight(&self) -> usize {
        self.0.values().map(|known| 1 + known.rates.len() + known.payroll.len()).sum()
    }

    /// The rates of this work on each day of a range. `payroll` is the present payroll of the
    /// project.
    pub fn price(&self, work: RatedWork, range: TimeRange, payroll: &Payroll, zone: &Zone) -> Price {
        let scopes = RateScope::of_work(work.employee, work.project, work.task);
        let known = scopes.map(|scope| self.0.get(&scope).map(Arc::as_ref));
        if known.iter().all(Option::is_none) {
            let rates = payroll.line(work.employee).into();
            return Price { rates, parts: Vec::new() };
        }
        let mut price: Option<Price> = None;
        for (day, from) in zone.days_of(range) {
            let rates = rates_on(day, &known, payroll, work.employee, zone);
            match &mut price {
                None => price = Some(Price { rates, parts: Vec::new() }),
                Some(price) if price.last() != rates => price.parts.push(RatePart::new(from, rates)),
                Some(_) => {}
            }
        }
        price.unwrap_or_default()
    }
}

impl Price {
    fn last(&self) -> Rates {
        self.parts.last().map_or(self.rates, |part| part.rates())
    }
}

/// The rates of one day. For each kind, the most specific scope applies that has a rate of this
/// kind whose first day has come. Of several such rates of that scope, the one with the latest
/// first day applies. Of several with the same first day, the one that was set last applies.
///
/// A line of the payroll is treated like rates: the line `*` like rates of the project, and an
/// employee's own line like rates of the project and the employee. A line is valid from the day on
/// which it was set. A line without a record of when it was set is valid from the beginning. If an
/// employee has an own line, the line `*` does not apply to them.
fn rates_on(
    day: Date,
    known: &[Option<&RatesChanged>; 6],
    payroll: &Payroll,
    employee: EmployeeId,
    zone: &Zone,
) -> Rates {
    let own = Line::on(day, known[OWN], payroll, Payee::Employee(employee), zone).map(|line| (OWN, line));
    let line = own.or_else(|| Some((EVERYBODY, Line::on(day, known[EVERYBODY], payroll, Payee::Everybody, zone)?)));
    let rate = |kind: RateKind| {
        known.iter().enumerate().find_map(|(place, known)| {
            let set = known.iter().flat_map(|known| &known.rates).filter(|set| set.kind == kind);
            let set = set.filter(|set| set.valid_from <= day).map(|set| (set.valid_from, set.set_at, set.amount));
            let of_payroll = line.filter(|(of, _)| *of == place).and_then(|(_, line)| line.rate(kind));
            set.chain(of_payroll).max().map(|(_, _, amount)| amount)
        })
    };
    Rates {
        bill_rate: rate(RateKind::Bill),
        overtime_bill_rate: rate(RateKind::OvertimeBill),
        pay_rate: rate(RateKind::Pay),
        overtime_pay_rate: rate(RateKind::OvertimePay),
    }
}

/// The line of a payroll that applies on a day, with its first day and when it was set.
#[derive(Clone, Copy, Debug)]
struct Line {
    from: Date,
    set_at: Millis,
    line: PayrollLine,
}

impl Line {
    fn on(day: Date, known: Option<&RatesChanged>, payroll: &Payroll, of: Payee, zone: &Zone) -> Option<Self> {
        let always = |line| Self { from: Date::MIN, set_at: Millis(i64::MIN), line };
        let history = known.map_or(&[][..], |known| &known.payroll);
        if history.is_empty() {
            return payroll.0.get(&of).copied().map(always);
        }
        // Of the changes whose first day has come, the one that was made last applies, not the one
        // with the latest first day. Otherwise the removal of a line, which takes effect the next
        // day, would undo a line that was set later on the same day.
        let began = history.iter().rev().find_map(|LineSince { since, line }| {
            let from = since.map_or(Date::MIN, |at| first_day(at, line.is_some(), zone));
            (from <= day).then_some((from, since.unwrap_or(Millis(i64::MIN)), *line))
        });
        let (from, set_at, line) = began?;
        line.map(|line| Self { from, set_at, line })
    }

    fn rate(self, kind: RateKind) -> Option<(Date, Millis, Rate)> {
        let PayrollLine { bill_rate, overtime_bill_rate, pay_rate, overtime_pay_rate } = self.line;
        let amount = match kind {
            RateKind::Bill => bill_rate,
            RateKind::Pay => pay_rate,
            RateKind::OvertimeBill => overtime_bill_rate,
            RateKind::OvertimePay => overtime_pay_rate,
        };
        amount.map(|amount| (self.from, self.set_at, amount))
    }
}

/// The first day on which a change of a line applies, for a change at this moment. A new line
/// applies from the day of the change on. The removal of a line applies from the next day on, so
/// that the hours of the day of the removal keep their rates.
fn first_day(at: Millis, is_set: bool, zone: &Zone) -> Date {
    let day = zone.day(at);
    if is_set { day } else { day.tomorrow().unwrap_or(day) }
}

/// Sorts rates for people: by scope and kind, and then the latest first day first.
pub fn latest_first(rates: &mut [crate::DatedRate]) {
    rates.sort_by_key(|rate| (rate.scope, rate.kind, Reverse(rate.valid_from)));
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;
    use crate::{HOUR, LineHistory, RateSince};

    pub(crate) const WORK: RatedWork = RatedWork {
        employee: EmployeeId(Uuid::from_u128(1)),
        project: ProjectId(Uuid::from_u128(2)),
        task: TaskId(Uuid::from_u128(3)),
    };

    pub(crate) fn scopes() -> [RateScope; 6] {
        RateScope::of_work(WORK.employee, WORK.project, WORK.task)
    }

    fn amount(units: i64) -> Rate {
        Rate::from_units(units).expect("a rate")
    }

    pub(crate) fn since(kind: RateKind, units: i64, valid_from: Date) -> RateSince {
        RateSince { kind, amount: amount(units), valid_from, set_at: Millis(units) }
    }

    pub(crate) fn of(scope: RateScope, rates: Vec<RateSince>) -> Arc<RatesChanged> {
        Arc::new(RatesChanged { scope, version: 1, rates, payroll: Vec::new() })
    }

    fn an_hour_on(day: Date) -> TimeRange {
        let noon = Zone::default().beginning(day) + 12 * HOUR;
        TimeRange::new(noon, noon + HOUR).expect("a range")
    }

    fn rates(book: &RateBook, payroll: &Payroll, day: Date) -> Rates {
        let price = book.price(WORK, an_hour_on(day), payroll, &Zone::default());
        assert_eq!(price.parts, []);
        price.rates
    }

    fn bill(book: &RateBook, payroll: &Payroll, day: Date) -> Option<i64> {
        rates(book, payroll, day).bill_rate.map(Rate::units)
    }

    fn line(units: i64) -> PayrollLine {
        PayrollLine { bill_rate: Some(amount(units)), ..PayrollLine::default() }
    }

    pub(crate) fn payroll(lines: &[(Payee, i64)]) -> Payroll {
        Payroll(lines.iter().map(|(payee, units)| (*payee, line(*units))).collect())
    }

    pub(crate) const DAY_ONE: Date = date(2026, 2, 1);
    const OWN_LINE: Payee = Payee::Employee(WORK.employee);

    #[test]
    fn of_every_two_scopes_the_more_specific_counts_however_old_its_rate_is() {
        for (specific, general) in (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b))) {
            let old = since(RateKind::Bill, 1, date(2000, 1, 1));
            let new = since(RateKind::Bill, 2, DAY_ONE);
            let book: RateBook =
                [of(scopes()[specific], vec![old]), of(scopes()[general], vec![new])].into_iter().collect();
            assert_eq!(bill(&book, &Payroll::default(), DAY_ONE), Some(1), "{specific} before {general}");
            // The rate of the other scope applies until the rate of the more specific scope begins.
            let later = since(RateKind::Bill, 3, date(2026, 2, 2));
            let new = since(RateKind::Bill, 2, DAY_ONE);
            let book: RateBook =
                [of(scopes()[specific], vec![later]), of(scopes()[general], vec![new])].into_iter().collect();
            assert_eq!(bill(&book, &Payroll::default(), DAY_ONE), Some(2), "{general} until {specific} begins");
            assert_eq!(bill(&book, &Payroll::default(), date(2026, 2, 2)), Some(3));
        }
    }

    #[test]
    fn a_kind_that_a_specific_scope_does_not_name_comes_from_a_more_general_one() {
        let book: RateBook = [
            of(scopes()[0], vec![since(RateKind::Bill, 9, DAY_ONE)]),
            of(scopes()[5], vec![since(RateKind::Pay, 4, DAY_ONE), since(RateKind::Bill, 1, DAY_ONE)]),
        ]
        .into_iter()
        .collect();
        let found = rates(&book, &Payroll::default(), DAY_ONE);
        assert_eq!((found.bill_rate, found.pay_rate), (Some(amount(9)), Some(amount(4))));
        assert_eq!((found.overtime_bill_rate, found.overtime_pay_rate), (None, None), "the normal ones count");
    }

    #[test]
    fn rates_of_others_and_of_other_work_count_for_nothing() {
        let (somebody, other) = (EmployeeId(Uuid::from_u128(11)), Uuid::from_u128(12));
        let theirs = [
            RateScope::employee(somebody),
            RateScope::project(WORK.project).of(somebody),
            RateScope::task(WORK.task).of(somebody),
            RateScope::project(ProjectId(other)),
            RateScope::task(TaskId(other)).of(WORK.employee),
        ];
        let book: RateBook =
            theirs.into_iter().map(|scope| of(scope, vec![since(RateKind::Bill, 1, DAY_ONE)])).collect();
        assert_eq!(bill(&book, &Payroll::default(), DAY_ONE), None);
    }

    #[test]
    fn where_no_rate_was_ever_set_the_payroll_counts_as_ever() {
        let book = RateBook::default();
        let both = payroll(&[(Payee::Everybody, 10), (OWN_LINE, 20)]);
        assert_eq!(bill(&book, &both, DAY_ONE), Some(20));
        assert_eq!(bill(&book, &payroll(&[(Payee::Everybody, 10)]), DAY_ONE), Some(10));
        assert_eq!(bill(&book, &Payroll::default(), DAY_ONE), None);
    }

    #[test]
    fn the_payroll_is_a_rate_of_its_project_and_rates_of_tasks_come_before_it() {
        let both = payroll(&[(Payee::Everybody, 10), (OWN_LINE, 20)]);
        let with = |place: usize| {
            let book: RateBook = [of(scopes()[place], vec![since(RateKind::Bill, 7, DAY_ONE)])].into_iter().collect();
            bill(&book, &both, DAY_ONE)
        };
        assert_eq!([0, 1, 2, 3, 4, 5].map(with), [Some(7), Some(7), Some(7), Some(20), Some(20), Some(20)]);
    }

    #[test]
    fn whoever_has_a_line_of_their_own_has_no_part_in_that_of_everybody() {
        let all = PayrollLine { pay_rate: Some(amount(5)), ..line(10) };
        let payroll = Payroll([(Payee::Everybody, all), (OWN_LINE, line(20))].into());
        // The book has a rate of another kind, because without any rate `price` would take the
        // payroll's line and not call `rates_on`, which this test checks.
        let book: RateBook = [of(scopes()[5], vec![since(RateKind::OvertimePay, 1, DAY_ONE)])].into_iter().collect();
        assert_eq!(rates(&book, &payroll, DAY_ONE).pay_rate, None);
    }

    /// Makes a book that contains only this history of a payroll line, for the scope at index
    /// `place`.
    fn book_of(place: usize, history: LineHistory) -> RateBook {
        [Arc::new(RatesChanged { scope: scopes()[place], version: 1, rates: Vec::new(), payroll: history.0 })]
            .into_iter()
            .collect()
    }

    fn at(day: i8, hour: i64) -> Millis {
        Zone::default().beginning(date(2026, 2, day)) + hour * HOUR
    }

    #[test]
    fn a_removed_member_s_backlog_is_paid_by_the_line_of_its_days_and_so_is_the_last_day() {
        let mut history = LineHistory::default();
        history.set(Some(line(20)), None, at(10, 15));
        let (book, now) = (book_of(OWN, history), payroll(&[(Payee::Everybody, 10)]));
        let on = |day| bill(&book, &now, date(2026, 2, day));
        assert_eq!([on(1), on(9), on(10), on(11)], [Some(20), Some(20), Some(20), Some(10)]);
    }

    #[test]
    fn a_line_that_replaces_another_counts_from_its_day_on_and_the_first_one_before_it() {
        let mut history = LineHistory::default();
        history.set(Some(line(10)), Some(line(12)), at(10, 15));
        let (book, now) = (book_of(EVERYBODY, history), payroll(&[(Payee::Everybody, 12)]));
        let on = |day| bill(&book, &now, date(2026, 2, day));
        assert_eq!([on(1), on(9), on(10), on(11)], [Some(10), Some(10), Some(12), Some(12)]);
    }

    #[test]
    fn the_first_line_of_one_s_own_replaces_that_of_everybody_from_its_day_on() {
        let mut history = LineHistory::default();
        history.set(None, Some(line(20)), at(10, 15));
        let (book, now) = (book_of(OWN, history), payroll(&[(Payee::Everybody, 10), (OWN_LINE, 20)]));
        let on = |day| bill(&book, &now, date(2026, 2, day));
        assert_eq!([on(9), on(10), on(11)], [Some(10), Some(20), Some(20)]);
    }

    #[test]
    fn whoever_is_removed_and_put_back_on_one_day_keeps_the_new_line() {
        let mut history = LineHistory::default();
        history.set(Some(line(20)), None, at(10, 9));
        history.set(None, Some(line(30)), at(10, 15));
        let book = book_of(OWN, history);
        let on = |day| bill(&book, &payroll(&[(OWN_LINE, 30)]), date(2026, 2, day));
        assert_eq!([on(9), on(10), on(11)], [Some(20), Some(30), Some(30)]);
    }

    #[test]
    fn of_a_payroll_and_a_rate_of_the_same_scope_the_later_day_counts_and_of_one_day_what_was_set_later() {
        let mut history = LineHistory::default();
        history.set(Some(line(10)), Some(line(12)), at(10, 15));
        let with = |valid_from, set_at| {
            let rate = RateSince { set_at, ..since(RateKind::Bill, 99, valid_from) };
            let known =
                RatesChanged { scope: scopes()[EVERYBODY], version: 1, rates: vec![rate], payroll: history.0.clone() };
            let book: RateBook = [Arc::new(known)].into_iter().collect();
            bill(&book, &payroll(&[(Payee::Everybody, 12)]), date(2026, 2, 20))
        };
        assert_eq!(with(date(2026, 2, 9), at(20, 0)), Some(12));
        assert_eq!(with(date(2026, 2, 11), at(1, 0)), Some(99));
        assert_eq!(with(date(2026, 2, 10), at(10, 16)), Some(99));
        assert_eq!(with(date(2026, 2, 10), at(10, 14)), Some(12));
    }
}
