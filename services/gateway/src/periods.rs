//! The pay periods of employees: what timetrack knows of them, with what analytics counts in them.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    Actor, AdjustedSum, Adjustment, Caller, Cents, EmployeeId, Failure, GetPeriodSums, GetSettings, KnownPeriod,
    ListAdjustments, ListPeriods, ListRoster, Millis, NOBODY, Note, PERIODS_MOST, PayRunId, PaySpan, PeriodId,
    PeriodStatus, PeriodSum, ROSTER_MOST, ShownActor, TimeMark, TimeRange,
};
use futures::try_join;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{App, auth::Asker};

/// An employee's pay period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Period {
    /// Its id: the employee's, and the local day on which it begins.
    pub(crate) id: PeriodId,
    /// Whose it is.
    pub(crate) employee_id: EmployeeId,
    /// Its first moment.
    pub(crate) start: Millis,
    /// The first moment after.
    pub(crate) end: Millis,
    /// How far it is on its way to be paid.
    pub(crate) status: PeriodStatus,
    /// Milliseconds that count; those of an approved period never change again.
    #[schema(example = 576_000_000)]
    pub(crate) time: i64,
    /// What they cost, rounded to cents.
    pub(crate) costs: Cents,
    /// What they earned, rounded to cents.
    pub(crate) income: Cents,
    /// What adjustments count for in it, beside its own sums: of windows that came when their own time was
    /// settled.
    pub(crate) adjustments: AdjustedSum,
    /// Each of these, in a list for pages.
    #[serde(skip)]
    pub(crate) late: Vec<Adjustment>,
    /// Which seconds count, on what, and at which rates, and which adjustments: an approver names it in `If-Match`.
    pub(crate) hash: TimeMark,
    /// When it was submitted last.
    pub(crate) submitted_at: Option<Millis>,
    /// The hash that it had then: with another one it has changed since.
    pub(crate) submitted_hash: Option<TimeMark>,
    /// When it was approved.
    pub(crate) approved_at: Option<Millis>,
    /// By whom.
    pub(crate) approved_by: Option<ShownActor>,
    /// Why it was sent back, or opened again.
    pub(crate) note: Option<Note>,
    /// The pay run that it is paid by.
    pub(crate) pay_run: Option<PayRunId>,
}

impl Period {
    /// A period of which somebody has asked timetrack.
    pub(crate) fn of(known: KnownPeriod) -> Self {
        let (sum, adjusted) = (known.sum.unwrap_or_default(), known.adjusted.unwrap_or_default());
        Self::with(known, sum, adjusted)
    }

    fn with(known: KnownPeriod, sum: PeriodSum, adjusted: AdjustedSum) -> Self {
        let PeriodSum { time, costs, income, hash } = known.sum.unwrap_or(sum);
        let adjustments = known.adjusted.unwrap_or(adjusted);
        let approved_by = known.approved_by.and_then(|actor| actor.parse::<Actor>().ok());
        Self {
            id: known.id,
            employee_id: known.id.employee,
            start: known.start,
            end: known.end,
            status: known.status,
            time,
            costs,
            income,
            adjustments,
            late: Vec::new(),
            hash,
            submitted_at: known.submitted_at,
            submitted_hash: known.submitted_hash,
            approved_at: known.approved_at,
            approved_by: approved_by.map(ShownActor::from),
            note: known.note,
            pay_run: known.pay_run,
        }
    }
}

/// A period about which nobody has done anything.
fn open(employee: EmployeeId, span: PaySpan) -> KnownPeriod {
    KnownPeriod {
        id: PeriodId { employee, first: span.first },
        start: span.range.start(),
        end: span.range.end(),
        status: PeriodStatus::Open,
        sum: None,
        adjusted: None,
        submitted_at: None,
        submitted_hash: None,
        approved_at: None,
        approved_by: None,
        note: None,
        pay_run: None,
    }
}

/// The pay periods that a range touches.
///
/// # Errors
/// 422 where they are too many.
pub(crate) async fn spans(app: &App, range: TimeRange) -> Result<Vec<PaySpan>, Failure> {
    let settings = app.ask(Caller::Service, &GetSettings {}).await?;
    let spans: Vec<PaySpan> = settings.pay_periods(range).take(PERIODS_MOST + 1).collect();
    match spans.len() > PERIODS_MOST {
        true => Err(Failure::field("end", format!("must not be so far from start: at most {PERIODS_MOST} periods"))),
        false => Ok(spans),
    }
}

/// The periods that a range touches, in the order of their beginnings and employees: of these employees;
/// where none are named, of all who are active, have time in it, or of whom something is known.
pub(crate) async fn list(
    app: &App,
    asker: &Asker,
    range: TimeRange,
    employees: Vec<EmployeeId>,
) -> Result<Vec<Period>, Failure> {
    let spans = spans(app, range).await?;
    let (mut known, sums, adjustments, people) = try_join!(
        known(app, asker, range, &employees),
        sums(app, asker, &spans, &employees),
        adjustments(app, asker, &spans, &employees),
        people(app, asker, &employees),
    )?;
    let everybody: BTreeSet<EmployeeId> = people.into_iter().chain(sums.keys().copied()).collect();
    let mut late: BTreeMap<EmployeeId, Vec<Adjustment>> = BTreeMap::new();
    for one in adjustments {
        late.entry(one.employee_id).or_default().push(one);
    }
    let with_known = known.keys().map(|id| id.employee).chain(late.keys().copied());
    let ids: BTreeSet<EmployeeId> = with_known.chain(everybody).collect();
    let mut periods = Vec::with_capacity(ids.len() * spans.len());
    for employee in ids {
        let of_one = sums.get(&employee);
        for (n, span) in spans.iter().enumerate() {
            let mut period = open(employee, *span);
            if let Some(told) = known.remove(&period.id) {
                // One that is approved has the edges that it had then, all others those of now.
                period = match told.status {
                    PeriodStatus::Approved => told,
                    _ => KnownPeriod { start: period.start, end: period.end, ..told },
                };
            }
            let mut sum = of_one.and_then(|sums| sums.get(n)).copied().unwrap_or_default();
            let mut adjusted = AdjustedSum::default();
            let counts = |one: &&Adjustment| (period.start..period.end).contains(&one.counts_at);
            let counting: Vec<Adjustment> = late.get(&employee).into_iter().flatten().filter(counts).cloned().collect();
            for one in &counting {
                sum.hash += one.hash;
                adjusted += one.sum;
            }
            periods.push(Period { late: counting, ..Period::with(period, sum, adjusted) });
        }
    }
    // Approved by the calendar of earlier settings.
    let former = known.into_values().filter(|known| known.status == PeriodStatus::Approved);
    periods.extend(former.map(Period::of));
    periods.sort_by_key(|period| (period.start, period.id));
    Ok(periods)
}

async fn known(
    app: &App,
    asker: &Asker,
    range: TimeRange,
    employees: &[EmployeeId],
) -> Result<BTreeMap<PeriodId, KnownPeriod>, Failure> {
    let ask = |after| asker.ask(app, ListPeriods { range, employees: employees.to_vec(), after });
    Ok(kit::all_pages(ask).await?.into_iter().map(|period| (period.id, period)).collect())
}

async fn sums(
    app: &App,
    asker: &Asker,
    spans: &[PaySpan],
    employees: &[EmployeeId],
) -> Result<BTreeMap<EmployeeId, Vec<PeriodSum>>, Failure> {
    let ranges: Vec<TimeRange> = spans.iter().map(|span| span.range).collect();
    let ask = |after| asker.ask(app, GetPeriodSums { ranges: ranges.clone(), employees: employees.to_vec(), after });
    Ok(kit::all_pages(ask).await?.into_iter().map(|one| (one.employee, one.sums)).collect())
}

async fn adjustments(
    app: &App,
    asker: &Asker,
    spans: &[PaySpan],
    employees: &[EmployeeId],
) -> Result<Vec<Adjustment>, Failure> {
    let ends = spans.first().zip(spans.last()).map(|(first, last)| (first.range.start(), last.range.end()));
    let Some(Ok(range)) = ends.map(|(start, end)| TimeRange::new(start, end)) else { return Ok(Vec::new()) };
    kit::all_pages(|after| asker.ask(app, ListAdjustments { range, employees: employees.to_vec(), after })).await
}

/// Who is shown although there may be nothing of them: whoever is named, else whoever is active.
async fn people(app: &App, asker: &Asker, employees: &[EmployeeId]) -> Result<Vec<EmployeeId>, Failure> {
    if !employees.is_empty() {
        return Ok(employees.iter().copied().filter(|employee| *employee != NOBODY).collect());
    }
    let now = app.clock.now();
    let range = TimeRange::new(now, now + 1).map_err(|error| Failure::field("end", error))?;
    let mut people = Vec::new();
    loop {
        let asked = ListRoster { range, employees: Vec::new(), skip: people.len(), limit: ROSTER_MOST };
        let part = asker.ask(app, asked).await?.people;
        let is_last = part.len() < ROSTER_MOST;
        people.extend(part.into_iter().map(|person| person.id));
        if is_last {
            return Ok(people);
        }
    }
}
