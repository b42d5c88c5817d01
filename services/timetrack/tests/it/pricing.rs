//! Tests that recorded windows get the rates of their days, in whatever order events arrive.

use contracts::{
    CorrectWindow, HOUR, IngestItem, LineSince, Millis, Payee, Payroll, PayrollLine, Rate, RateKind, RatePart,
    RateScope, RateSince, Rates, RatesChanged, Service, SetSettings, Settings, UpdateWindows, Window, WindowChanges,
    WindowCorrection, WindowSent, Zone, stream,
};
use jiff::civil::{Date, date};

use crate::support::{Fixture, NOON, spawn, window_of};

/// The day after [`NOON`], in UTC.
const NEXT_DAY: Date = date(2025, 10, 10);

pub fn amount(amount: f64) -> Option<Rate> {
    Rate::try_from(amount).ok()
}

pub fn bill(of: f64, valid_from: Date) -> RateSince {
    RateSince { kind: RateKind::Bill, amount: amount(of).unwrap(), valid_from, set_at: Millis(0) }
}

impl Fixture {
    pub fn rates(&self, scope: RateScope, version: i64, rates: Vec<RateSince>) -> RatesChanged {
        RatesChanged { scope, version, rates, payroll: Vec::new() }
    }

    pub fn of_project(&self, version: i64, rates: Vec<RateSince>) -> RatesChanged {
        self.rates(RateScope::project(self.project), version, rates)
    }

    /// Publishes rates, and waits until timetrack has applied them to its copy.
    pub async fn tell(&self, rates: &RatesChanged) {
        self.harness.publish(rates).await;
        self.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    }

    /// A window of Ann's with this start and end, in milliseconds since 1970.
    pub fn window_between(&self, start: i64, end: i64) -> IngestItem {
        let item = self.window(0);
        self.item(WindowSent { start: Millis(start), end: Millis(end), ..item.window })
    }

    pub async fn record(&self, start: i64, end: i64) -> Window {
        let outcomes = self.send(vec![self.window_between(start, end)]).await;
        window_of(&outcomes[0])
    }
}

fn midnight() -> i64 {
    Zone::default().beginning(NEXT_DAY).0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_counts_from_its_day_on_and_a_window_over_midnight_has_both() {
    let fixture = Fixture::with_ann().await;
    let before = fixture.record(NOON, NOON + HOUR).await;
    fixture.tell(&fixture.of_project(1, vec![bill(60.0, NEXT_DAY)])).await;
    let rates = |window: &Window| (window.bill_rate, window.overtime_bill_rate, window.rate_parts.clone());
    let today = fixture.record(NOON + HOUR, NOON + 2 * HOUR).await;
    assert_eq!(rates(&today), (amount(50.0), amount(75.0), vec![]));
    let both = fixture.record(midnight() - HOUR, midnight() + HOUR).await;
    let next = Rates { bill_rate: amount(60.0), overtime_bill_rate: amount(75.0), ..Rates::default() };
    assert_eq!(rates(&both), (amount(50.0), amount(75.0), vec![RatePart::new(Millis(midnight()), next)]));
    let tomorrow = fixture.record(midnight() + HOUR, midnight() + 2 * HOUR).await;
    assert_eq!(rates(&tomorrow), (amount(60.0), amount(75.0), vec![]));
    assert_eq!(fixture.stored().await, [before, today, both, tomorrow], "what is recorded keeps its own");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_that_are_told_twice_late_or_out_of_order_are_those_of_the_newest_version() {
    let fixture = Fixture::with_ann().await;
    let day = date(2025, 1, 1);
    for version in [2, 1, 3, 2, 1] {
        fixture.harness.publish_twice(&fixture.of_project(version, vec![bill(version as f64, day)])).await;
    }
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    assert_eq!(fixture.record(NOON, NOON + HOUR).await.bill_rate, amount(3.0));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_that_came_while_nobody_was_there_is_that_of_the_next_window() {
    let mut fixture = Fixture::with_ann().await;
    let day = date(2025, 1, 1);
    fixture.tell(&fixture.of_project(1, vec![bill(1.0, day)])).await;
    fixture.timetrack.take().unwrap().stop().await;
    fixture.harness.publish(&fixture.of_project(2, vec![bill(2.0, day)])).await;
    fixture.timetrack = Some(spawn(&fixture.harness).await);
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    for hour in 0..5 {
        let start = NOON + hour * HOUR;
        assert_eq!(fixture.record(start, start + HOUR).await.bill_rate, amount(2.0));
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_that_the_copy_has_is_that_of_the_next_window_of_every_worker_whatever_they_remember() {
    let fixture = Fixture::with_ann().await;
    let second = spawn(&fixture.harness).await;
    let day = date(2025, 1, 1);
    let mut start = NOON;
    for version in 1..12 {
        fixture.tell(&fixture.of_project(version, vec![bill(version as f64, day)])).await;
        for _ in 0..4 {
            assert_eq!(fixture.record(start, start + HOUR).await.bill_rate, amount(version as f64), "{version}");
            start += HOUR;
        }
    }
    second.stop().await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_begin_where_the_organisation_is_from_the_moment_on_that_this_was_answered() {
    let fixture = Fixture::with_ann().await;
    fixture.tell(&fixture.of_project(1, vec![bill(60.0, NEXT_DAY)])).await;
    let mut start = midnight();
    for name in ["Asia/Kathmandu", "America/St_Johns", "Europe/Berlin", "UTC"] {
        let zone: Zone = name.parse().unwrap();
        let settings = Settings { timezone: zone.clone(), ..Settings::default() };
        fixture.harness.ask(&SetSettings { settings }).await.unwrap();
        start += 1;
        let begins = zone.beginning(NEXT_DAY);
        let window = fixture.record(start - 12 * HOUR, start + 12 * HOUR - 1).await;
        assert_eq!(window.bill_rate, amount(50.0));
        assert_eq!(window.rate_parts.iter().map(|part| part.from).collect::<Vec<_>>(), [begins], "{name}");
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_member_s_backlog_is_paid_by_the_line_of_its_days() {
    let fixture = Fixture::with_ann().await;
    let line = |of| PayrollLine { bill_rate: amount(of), ..PayrollLine::default() };
    let since = |at: Option<i64>, line| LineSince { since: at.map(Millis), line };
    let left_at = midnight() + HOUR;
    let own = RatesChanged {
        payroll: vec![since(None, Some(line(80.0))), since(Some(left_at), None)],
        ..fixture.rates(RateScope::project(fixture.project).of(fixture.ann), 1, Vec::new())
    };
    fixture.harness.publish(&own).await;
    let payroll = Payroll([(Payee::Everybody, line(50.0))].into());
    fixture.harness.publish(&contracts::ProjectChanged { payroll, ..fixture.project_changed(2) }).await;
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    assert_eq!(fixture.record(NOON, NOON + HOUR).await.bill_rate, amount(80.0));
    assert_eq!(fixture.record(left_at - HOUR, left_at).await.bill_rate, amount(80.0), "the day on which she left");
    let day_after = midnight() + 24 * HOUR;
    assert_eq!(fixture.record(day_after, day_after + HOUR).await.bill_rate, amount(50.0));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_and_a_correction_change_the_rates_of_all_days_of_a_window() {
    let fixture = Fixture::with_ann().await;
    fixture.tell(&fixture.of_project(1, vec![bill(60.0, NEXT_DAY)])).await;
    let (one, two) = (
        fixture.record(midnight() - HOUR, midnight() + HOUR).await,
        fixture.record(midnight() - 2 * HOUR, midnight() + 2 * HOUR).await,
    );
    let pays = |window: &Window| {
        let parts = window.rate_parts.iter().map(|part| (part.bill_rate, part.pay_rate));
        ((window.bill_rate, window.pay_rate), parts.collect::<Vec<_>>())
    };
    let changes = WindowChanges { pay_rate: Some(amount(20.0)), ..Default::default() };
    let update = UpdateWindows { employees: vec![fixture.ann], changes, ..Default::default() };
    assert_eq!(fixture.harness.ask(&update).await.unwrap().modified, 2);
    let both = ((amount(50.0), amount(20.0)), vec![(amount(60.0), amount(20.0))]);
    assert!(fixture.stored().await.iter().all(|window| pays(window) == both));

    let correct = async |id, changes| fixture.harness.ask(&CorrectWindow { id, changes, reason: None }).await.unwrap();
    let shorter = WindowCorrection { end: Some(Millis(midnight())), ..Default::default() };
    assert_eq!(pays(&correct(one.id, shorter).await), ((amount(50.0), amount(20.0)), vec![]));
    let later = WindowCorrection { start: Some(Millis(midnight())), ..Default::default() };
    assert_eq!(pays(&correct(two.id, later).await), ((amount(60.0), amount(20.0)), vec![]));
    let billed =
        WindowCorrection { bill_rate: Some(amount(1.0)), start: Some(Millis(midnight() + 1)), ..Default::default() };
    assert_eq!(pays(&correct(two.id, billed).await), ((amount(1.0), amount(20.0)), vec![]));
    fixture.harness.finish().await;
}
