//! The rule for which rates an hour of work has. Everything that sets or explains a price uses it.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    EmployeeId, LineSince, Millis, Payee, Payroll, PayrollLine, ProjectId, Rate, RateKind, RatePart, RateScope, Rates,
    RatesChanged, TaskId, TimeRange, Zone,
};

/// The index in [`RateScope::of_work`] of the project with the employee.
const OWN: usize = 2;
const EVERYBODY: usize = 3;

/// An employee's work on a task of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatedWork {
    /// The id of the employee.
    pub employee: EmployeeId,
    /// The id of the project.
    pub project: ProjectId,
    /// The id of the task.
    pub task: TaskId,
}

/// The rates of a range: at its start, and each change within it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// The rates at the start.
    pub rates: Rates,
    /// The changes, in order.
    pub parts: Vec<RatePart>,
}

/// The known rates, by scope.
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
    /// Stores the rates of a scope, unless the same or a newer version is stored.
    pub fn learn(&mut self, news: Arc<RatesChanged>) {
        let known = self.0.get(&news.scope);
        if known.is_none_or(|known| known.version < news.version) {
            self.0.insert(news.scope, news);
        }
    }

    /// The approximate number of rates in it, as a measure of its memory.
    pub fn weight(&self) -> usize {
        self.0.values().map(|known| 1 + known.rates.len() + known.payroll.len()).sum()
    }

    /// The rates of this work on each day of a range. `payroll` is the project's present one.
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

/// The rates of a day. For each kind the most specific scope with a rate counts, and in it the rate with the
/// latest first day. Of two with the same first day the one that was set later counts.
///
/// A line of the payroll counts like rates of the project, or of the project and the employee, from the day on
/// which it was set. An employee with an own line has no part in the line of everybody.
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

/// The line of the payroll that counts on a day.
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
        // In the order of setting, not of days: an employee who loses a line and gets one again on the same day
        // has it from then on.
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

/// The first day on which a line that was set at a moment counts. A line that was removed counts until the end of
/// the day, for the hours worked on it.
fn first_day(at: Millis, is_set: bool, zone: &Zone) -> Date {
    let day = zone.day(at);
    if is_set { day } else { day.tomorrow().unwrap_or(day) }
}

/// The history of a payroll line, in the order of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineHistory(pub Vec<LineSince>);

/// The shortest time between two midnights of different time zones, in milliseconds. Two changes within it happen
/// on the same day in every zone.
const QUARTER: i64 = 15 * 60 * crate::SECOND;
/// The most changes that are kept; the oldest one then counts for all time before.
const MOST_LINES: usize = 500;

impl LineHistory {
    /// Records a change of the line. The line before the first change counts for all time before.
    pub fn set(&mut self, was: Option<PayrollLine>, now: Option<PayrollLine>, at: Millis) {
        if self.0.is_empty() {
            self.0.push(LineSince { since: None, line: was });
        }
        // A change is never earlier than the previous one, whatever the clocks of several machines say.
        let at = self.0.last().and_then(|last| last.since).map_or(at, |last| last.max(at));
        let quarter = |at: Millis| at.0.div_euclid(QUARTER);
        // A line that counts on no day need not be kept.
        while let Some(LineSince { since: Some(since), line }) = self.0.last()
            && quarter(*since) == quarter(at)
            && (now.is_some() || line.is_none())
        {
            self.0.pop();
        }
        self.0.push(LineSince { since: Some(at), line: now });
        if self.0.len() > MOST_LINES {
            self.0.remove(0);
            self.0[0].since = None;
        }
    }
}

/// Sorts the rates of a scope for people: the latest first.
pub fn latest_first(rates: &mut [crate::DatedRate]) {
    rates.sort_by_key(|rate| (rate.scope, rate.kind, Reverse(rate.valid_from)));
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::{prelude::*, sample::Index};
    use uuid::Uuid;

    use super::*;
    use crate::{DAY, HOUR, Money, RateSince, WindowFact};

    const WORK: RatedWork = RatedWork {
        employee: EmployeeId(Uuid::from_u128(1)),
        project: ProjectId(Uuid::from_u128(2)),
        task: TaskId(Uuid::from_u128(3)),
    };

    fn scopes() -> [RateScope; 6] {
        RateScope::of_work(WORK.employee, WORK.project, WORK.task)
    }

    fn amount(units: i64) -> Rate {
        Rate::from_units(units).expect("a rate")
    }

    fn since(kind: RateKind, units: i64, valid_from: Date) -> RateSince {
        RateSince { kind, amount: amount(units), valid_from, set_at: Millis(units) }
    }

    fn of(scope: RateScope, rates: Vec<RateSince>) -> Arc<RatesChanged> {
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

    fn payroll(lines: &[(Payee, i64)]) -> Payroll {
        Payroll(lines.iter().map(|(payee, units)| (*payee, line(*units))).collect())
    }

    const DAY_ONE: Date = date(2026, 2, 1);
    const OWN_LINE: Payee = Payee::Employee(WORK.employee);

    #[test]
    fn of_every_two_scopes_the_more_specific_counts_however_old_its_rate_is() {
        for (specific, general) in (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b))) {
            let old = since(RateKind::Bill, 1, date(2000, 1, 1));
            let new = since(RateKind::Bill, 2, DAY_ONE);
            let book: RateBook =
                [of(scopes()[specific], vec![old]), of(scopes()[general], vec![new])].into_iter().collect();
            assert_eq!(bill(&book, &Payroll::default(), DAY_ONE), Some(1), "{specific} before {general}");
            // Before the more specific one begins, the other counts.
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
        // A rate somewhere, so that the days are looked at.
        let book: RateBook = [of(scopes()[5], vec![since(RateKind::OvertimePay, 1, DAY_ONE)])].into_iter().collect();
        assert_eq!(rates(&book, &payroll, DAY_ONE).pay_rate, None);
    }

    /// A book that knows what the payroll said since moments of UTC days.
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

    #[test]
    fn a_client_that_changes_the_payroll_all_the_time_fills_no_event() {
        let mut history = LineHistory::default();
        for minute in 0..100_000 {
            history.set(Some(line(minute)), Some(line(minute + 1)), at(1, 0) + minute * 60_000);
        }
        assert_eq!((history.0.len(), history.0[0].since), (MOST_LINES, None));
    }

    fn any_rate() -> impl Strategy<Value = (usize, RateSince)> {
        (0..6usize, prop::sample::select(&RateKind::ALL[..]), 0..9i64, 0..30i8, 0..9i64).prop_map(
            |(place, kind, units, day, set)| {
                let valid_from = date(2026, 2, 1).checked_add(jiff::Span::new().days(day)).expect("a day");
                (place, RateSince { set_at: Millis(set), ..since(kind, units, valid_from) })
            },
        )
    }

    fn with(all: &[(usize, RateSince)]) -> RateBook {
        (0..6)
            .map(|place| {
                of(scopes()[place], all.iter().filter(|(of, _)| *of == place).map(|(_, rate)| *rate).collect())
            })
            .collect()
    }

    fn zones() -> impl Strategy<Value = Zone> {
        prop::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"])
            .prop_map(|name| name.parse().expect("a zone"))
    }

    fn fact(range: TimeRange, price: &Price, overtime: bool) -> WindowFact {
        let json = serde_json::json!({
            "id": Uuid::nil(), "revision": 1, "employeeId": WORK.employee, "projectId": WORK.project, "taskId": WORK.task,
            "shiftId": "s", "start": range.start(), "end": range.end(), "billable": true, "overtime": overtime,
            "rates": price.rates, "rateParts": price.parts,
        });
        serde_json::from_value(json).expect("a fact")
    }

    fn money(fact: &WindowFact, range: TimeRange) -> (Money, Money) {
        let parts: Vec<_> = fact.parts_within(range).collect();
        let costs = parts.iter().map(|part| Money::of(part.cost, part.range.length())).sum();
        let income = parts.iter().map(|part| Money::of(part.income, part.range.length())).sum();
        (costs, income)
    }

    proptest! {
        #[test]
        fn a_rate_for_the_future_changes_no_price_of_the_past(
            known in prop::collection::vec(any_rate(), 0..12), new in any_rate(), start in 0..40 * DAY,
            length in 1..DAY, zone in zones(),
        ) {
            let start = zone.beginning(date(2026, 1, 25)) + start;
            let range = TimeRange::new(start, start + length).expect("a range");
            prop_assume!(zone.day(range.end() - 1) < new.1.valid_from);
            let payroll = payroll(&[(Payee::Everybody, 3)]);
            let before = with(&known).price(WORK, range, &payroll, &zone);
            let after = with(&[known, vec![new]].concat()).price(WORK, range, &payroll, &zone);
            prop_assert_eq!(before, after);
        }

        #[test]
        fn the_order_in_which_events_arrive_does_not_matter_nor_how_often(
            states in prop::collection::vec((0..6usize, prop::collection::vec(any_rate(), 0..4)), 1..10),
            order in prop::collection::vec(any::<Index>(), 0..30), day in 0..40i64,
        ) {
            let events: Vec<Arc<RatesChanged>> = states.iter().zip(1..).map(|((place, rates), version)| {
                let rates = rates.iter().map(|(_, rate)| *rate).collect();
                Arc::new(RatesChanged { scope: scopes()[*place], version, rates, payroll: Vec::new() })
            }).collect();
            let in_order: RateBook = events.iter().cloned().collect();
            let mut shuffled: RateBook = order.iter().map(|at| at.get(&events).clone()).collect();
            events.iter().rev().cloned().for_each(|event| shuffled.learn(event));
            let start = Zone::default().beginning(DAY_ONE) + day * DAY;
            let range = TimeRange::new(start, start + DAY).expect("a range");
            let price = |book: &RateBook| book.price(WORK, range, &Payroll::default(), &Zone::default());
            prop_assert_eq!(price(&in_order), price(&shuffled));
        }

        #[test]
        fn parts_add_up_to_the_whole_and_so_do_adjoining_ranges(
            known in prop::collection::vec(any_rate(), 0..12), start in 0..40 * DAY, length in 2..DAY,
            cut in any::<Index>(), overtime: bool, zone in zones(),
        ) {
            let start = zone.beginning(date(2026, 1, 25)) + start;
            let range = TimeRange::new(start, start + length).expect("a range");
            let price = with(&known).price(WORK, range, &Payroll::default(), &zone);
            let fact = fact(range, &price, overtime);
            let parts: Vec<_> = fact.parts_within(range).collect();
            prop_assert_eq!(parts.iter().map(|part| part.range.length()).sum::<i64>(), length);
            prop_assert!(parts.windows(2).all(|two| two[0].range.end() == two[1].range.start()));
            // Day by day, each by the rates of the day alone.
            let mut whole = (Money::default(), Money::default());
            for (_, from) in zone.days_of(range) {
                let end = zone.beginning(zone.day(from).tomorrow().expect("a day")).min(range.end());
                let of_day = TimeRange::new(from, end).expect("a range");
                let alone = with(&known).price(WORK, of_day, &Payroll::default(), &zone);
                prop_assert_eq!(&alone.parts, &[]);
                let (costs, income) = money(&self::fact(of_day, &alone, overtime), of_day);
                whole = (whole.0 + costs, whole.1 + income);
            }
            prop_assert_eq!(money(&fact, range), whole);
            let middle = range.start() + 1 + cut.index(length as usize - 1) as i64;
            let (a, b) = (TimeRange::new(range.start(), middle).unwrap(), TimeRange::new(middle, range.end()).unwrap());
            let (a, b) = (money(&fact, a), money(&fact, b));
            prop_assert_eq!((a.0 + b.0, a.1 + b.1), whole);
        }

        #[test]
        fn overtime_without_a_rate_of_its_own_has_the_normal_one(
            known in prop::collection::vec(any_rate(), 0..12), day in 0..40i64,
        ) {
            let normal: Vec<_> = known.into_iter()
                .filter(|(_, rate)| matches!(rate.kind, RateKind::Bill | RateKind::Pay)).collect();
            let start = Zone::default().beginning(DAY_ONE) + day * DAY;
            let range = TimeRange::new(start, start + DAY).expect("a range");
            let price = with(&normal).price(WORK, range, &Payroll::default(), &Zone::default());
            prop_assert_eq!(money(&fact(range, &price, true), range), money(&fact(range, &price, false), range));
        }
    }
}
