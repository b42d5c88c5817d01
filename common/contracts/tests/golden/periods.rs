//! Golden files of messages about pay periods, pay runs and locks.

use contracts::*;

use crate::{
    examples::{AT, id, note, on_condition, range},
    files::Golden,
};

pub(crate) fn periods(golden: &mut Golden) {
    let period = PeriodId { employee: id(1), first: jiff::civil::date(2025, 10, 1) };
    let sum = PeriodSum { time: HOUR, costs: Cents(4_050), income: Cents(5_000), hash: TimeMark(17) };
    let known = KnownPeriod {
        id: period,
        start: AT,
        end: AT + HOUR,
        status: PeriodStatus::Approved,
        sum: Some(sum),
        adjusted: Some(AdjustedSum { time: HOUR, costs: Cents(4_050), income: Cents(5_000) }),
        submitted_at: Some(AT),
        submitted_hash: Some(TimeMark(17)),
        approved_at: Some(AT),
        approved_by: Some("root".into()),
        note: Some(note("Friday was missing.")),
        pay_run: Some(id(12)),
    };
    golden.request(
        ListPeriods { range: range(), employees: vec![id(1)], after: Some(period) },
        Page { items: vec![known.clone()], next: Some(period) },
    );
    golden.request(
        GetPeriodStates { range: range(), employees: vec![id(1)] },
        PeriodStates {
            settings: Settings::default(),
            periods: Page { items: vec![known.clone()], next: Some(period) },
            adjustments: Some(Page { items: Vec::new(), next: Some(AdjustmentCursor { counts_at: AT, id: id(5) }) }),
        },
    );
    golden.request(GetPeriod { id: period }, known.clone());
    golden.request(SubmitPeriod { id: period }, known.clone());
    golden.request(on_condition(ApprovePeriod { id: period }), known.clone());
    golden.request(SendBackPeriod { id: period, note: note("Friday is missing.") }, known.clone());
    golden.request(ReopenPeriod { id: period, reason: note("A sheet was found.") }, known.clone());
    let timezone: Zone = "Europe/Berlin".parse().expect("a zone");
    let decision = PeriodDecision::SentBack;
    golden.event(PeriodDecided { period: known, version: 3, decision, timezone: timezone.clone() });
    golden.request(
        GetPeriodSums { ranges: vec![range()], employees: vec![id(1)], after: Some(id(2)) },
        Page { items: vec![EmployeeSums { employee: id(1), sums: vec![sum] }], next: Some(id(1)) },
    );
    let adjustment = Adjustment {
        id: id(5),
        employee_id: id(1),
        project_id: id(3),
        task_id: id(4),
        start: AT,
        end: AT + HOUR,
        counts_at: AT + 2 * HOUR,
        sum: AdjustedSum { time: HOUR, costs: Cents(4_050), income: Cents(5_000) },
        hash: TimeMark(18),
    };
    let after = AdjustmentCursor { counts_at: AT, id: id(5) };
    golden.request(
        ListAdjustments { range: range(), employees: vec![id(1)], after: Some(after) },
        Page { items: vec![adjustment.clone()], next: Some(after) },
    );
    golden.event(AdjustmentMade { adjustment, timezone });
    pay_runs(golden, period);
    let lock =
        Lock { project_id: Some(id(3)), locked_until: Some(AT), changed_by: Some("root".into()), changed_at: AT };
    golden.request(ListLocks {}, vec![lock.clone()]);
    golden.request(SetLock { project_id: Some(id(3)), locked_until: AT }, lock.clone());
    let reason = note("A sheet was found.");
    golden.request(ReopenLock { project_id: Some(id(3)), locked_until: Some(AT), reason }, lock);
    let settles = SettledTime { employee_id: Some(id(1)), project_id: None, start: Some(AT), end: AT + HOUR };
    golden.event(SettlementChanged { id: period.to_string(), version: 2, settles: Some(settles) });
}

fn pay_runs(golden: &mut Golden, period: PeriodId) {
    let run = PayRun {
        id: id(12),
        start: AT,
        end: AT + HOUR,
        created_at: AT,
        created_by: Some("root".into()),
        period_count: 1,
        time: HOUR,
        costs: Cents(4_050),
        income: Cents(5_000),
        adjustment_time: 0,
        adjustment_costs: Cents(0),
        adjustment_income: Cents(0),
    };
    golden.request(CreatePayRun { start: AT, end: AT + HOUR }, MadePayRun { run: run.clone(), is_new: true });
    golden.request(GetPayRun { id: id(12) }, run.clone());
    golden.request(ListPayRuns { after: Some(id(12)) }, Page { items: vec![run], next: Some(id(12)) });
    let paid = PaidPeriod {
        id: period,
        employee_id: id(1),
        start: AT,
        end: AT + HOUR,
        time: HOUR,
        costs: Cents(4_050),
        income: Cents(5_000),
        adjustment_time: 0,
        adjustment_costs: Cents(0),
        adjustment_income: Cents(0),
        hash: TimeMark(17),
    };
    golden
        .request(ListPaidPeriods { run: id(12), after: Some(period) }, Page { items: vec![paid], next: Some(period) });
}
