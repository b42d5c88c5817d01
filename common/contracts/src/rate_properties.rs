//! Property tests of prices, with random rates, ranges and time zones.

use std::sync::Arc;

use jiff::civil::date;
use proptest::{prelude::*, sample::Index};
use uuid::Uuid;

use crate::{
    DAY, Millis, Money, Payee, Payroll, Price, RateBook, RateKind, RateSince, RatesChanged, TimeRange, WindowFact,
    Zone,
    rate_book::tests::{DAY_ONE, WORK, of, payroll, scopes, since},
};

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
        .map(|place| of(scopes()[place], all.iter().filter(|(of, _)| *of == place).map(|(_, rate)| *rate).collect()))
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
        // The sum of all days, each priced alone with the rates of that day.
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
