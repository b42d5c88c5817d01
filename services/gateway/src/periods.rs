//! The pay periods of employees: what timetrack knows of them, with what analytics counts in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use contracts::{
    Actor, AdjustedSum, Adjustment, Caller, Cents, EmployeeId, Failure, GetPeriodStates, GetPeriodSums, GetSettings,
    KnownPeriod, ListAdjustments, ListPeriods, ListRoster, Millis, NOBODY, Note, PERIODS_AROUND, PERIODS_MOST,
    PayRunId, PaySpan, PeriodId, PeriodStates, PeriodStatus, PeriodSum, ROSTER_MOST, Roster, Settings, ShownActor,
    TimeMark, TimeRange,
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

/// A period about which nobody has decided or submitted anything.
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
fn spans(settings: &Settings, range: TimeRange) -> Result<Vec<PaySpan>, Failure> {
    let spans: Vec<PaySpan> = settings.pay_periods(range).take(PERIODS_MOST + 1).collect();
    match spans.len() > PERIODS_MOST {
        true => Err(Failure::field("end", format!("must not be so far from start: at most {PERIODS_MOST} periods"))),
        false => Ok(spans),
    }
}

/// The periods that a range touches, ordered by beginning and employee: of the named employees, or else of all who are
/// active, have time in it, or have a known period.
pub(crate) async fn list(
    app: &App,
    asker: &Asker,
    range: TimeRange,
    employees: Vec<EmployeeId>,
) -> Result<Vec<Period>, Failure> {
    // The reads begin with the settings of a few seconds ago, which are nearly always the present ones.
    let mut likely = app.organisation.settings().await;
    if spans(&likely, range).is_err() {
        likely = Arc::new(app.ask(Caller::Service, &GetSettings {}).await?);
    }
    let mut looked = look(app, asker, &likely, range, &employees).await?;
    if looked.settings != *likely {
        looked = look(app, asker, &looked.settings, range, &employees).await?;
    }
    let Looked { settings, spans, mut known, sums, adjustments, people } = looked;
    let everybody: BTreeSet<EmployeeId> = people.into_iter().chain(sums.keys().copied()).collect();
    let mut late: BTreeMap<EmployeeId, Vec<Adjustment>> = BTreeMap::new();
    for one in adjustments {
        late.entry(one.employee_id).or_default().push(one);
    }
    let with_known = known.keys().map(|id| id.employee).chain(late.keys().copied());
    let ids: BTreeSet<EmployeeId> = with_known.chain(everybody).collect();
    let cut = cut_periods(app, asker, &settings, range, &known).await?;
    let mut periods = Vec::with_capacity(ids.len() * spans.len());
    for employee in ids {
        let of_one = sums.get(&employee);
        let of_calendar =
            || spans.iter().enumerate().map(|(n, span)| (*span, of_one.and_then(|sums| sums.get(n)).copied()));
        let own = cut.get(&employee).cloned().unwrap_or_else(|| of_calendar().collect());
        for (span, sum) in own {
            let mut period = open(employee, span);
            if let Some(told) = known.remove(&period.id) {
                // One that is approved has the edges that it had then, all others those of now.
                period = match told.status {
                    PeriodStatus::Approved => told,
                    _ => KnownPeriod { start: period.start, end: period.end, ..told },
                };
            }
            let mut sum = sum.unwrap_or_default();
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
    // The period may have been approved under the calendar of earlier settings.
    let touches = |known: &KnownPeriod| known.start < range.end() && known.end > range.start();
    let former = known.into_values().filter(|known| known.status == PeriodStatus::Approved && touches(known));
    periods.extend(former.map(Period::of));
    periods.sort_by_key(|period| (period.start, period.id));
    Ok(periods)
}

/// What services know of the periods that a range touches.
struct Looked {
    settings: Settings,
    spans: Vec<PaySpan>,
    known: BTreeMap<PeriodId, KnownPeriod>,
    sums: BTreeMap<EmployeeId, Vec<PeriodSum>>,
    adjustments: Vec<Adjustment>,
    people: Vec<EmployeeId>,
}

async fn look(
    app: &App,
    asker: &Asker,
    settings: &Settings,
    range: TimeRange,
    employees: &[EmployeeId],
) -> Result<Looked, Failure> {
    let spans = spans(settings, range)?;
    let (states, sums, people) = try_join!(
        states(app, asker, whole(&spans).unwrap_or(range), employees),
        sums(app, asker, &spans, employees),
        people(app, asker, employees),
    )?;
    let (settings, known, adjustments) = states;
    Ok(Looked { settings, spans, known, sums, adjustments, people })
}

/// The settings, and the known periods and adjustments of a range.
async fn states(
    app: &App,
    asker: &Asker,
    range: TimeRange,
    employees: &[EmployeeId],
) -> Result<(Settings, BTreeMap<PeriodId, KnownPeriod>, Vec<Adjustment>), Failure> {
    let asked = GetPeriodStates { range, employees: employees.to_vec() };
    let PeriodStates { settings, periods, adjustments } = asker.ask(app, asked).await?;
    let more = |after| asker.ask(app, ListPeriods { range, employees: employees.to_vec(), after });
    let known = kit::pages_from(periods, more).await?.into_iter().map(|period| (period.id, period)).collect();
    let more = |after| asker.ask(app, ListAdjustments { range, employees: employees.to_vec(), after });
    let adjustments = match adjustments {
        Some(first) => kit::pages_from(first, more).await?,
        None => kit::all_pages(more).await?,
    };
    Ok((settings, known, adjustments))
}

/// The time of some periods that adjoin.
fn whole(spans: &[PaySpan]) -> Option<TimeRange> {
    Some(spans.first()?.range.until(spans.last()?.range.end()))
}

/// The open periods of employees with periods that were approved under the calendar of earlier settings, with their
/// sums: the approved periods cut the open ones.
async fn cut_periods(
    app: &App,
    asker: &Asker,
    settings: &Settings,
    range: TimeRange,
    known_of_all: &BTreeMap<PeriodId, KnownPeriod>,
) -> Result<BTreeMap<EmployeeId, Vec<(PaySpan, Option<PeriodSum>)>>, Failure> {
    let when = |known: &KnownPeriod| {
        let range = TimeRange::new(known.start, known.end).ok().filter(|_| known.status == PeriodStatus::Approved)?;
        Some(PaySpan { first: known.id.first, range })
    };
    let is_former = |span: &PaySpan| settings.pay_period_on(span.first) != Some(*span);
    let of_former = known_of_all.values().filter(|known| when(known).is_some_and(|span| is_former(&span)));
    let employees: BTreeSet<EmployeeId> = of_former.map(|known| known.id.employee).collect();
    if employees.is_empty() {
        return Ok(BTreeMap::new());
    }
    let employees: Vec<EmployeeId> = employees.into_iter().collect();
    let mut settled: BTreeMap<EmployeeId, Vec<PaySpan>> = BTreeMap::new();
    for known in known(app, asker, range.widened(PERIODS_AROUND), &employees).await?.into_values() {
        settled.entry(known.id.employee).or_default().extend(when(&known));
    }
    let open =
        |employee: &EmployeeId| settings.open_periods(range, settled.get(employee).map_or(&[][..], Vec::as_slice));
    let mut cut: BTreeMap<EmployeeId, Vec<(PaySpan, Option<PeriodSum>)>> = BTreeMap::new();
    for employee in &employees {
        cut.insert(*employee, open(employee).into_iter().map(|span| (span, None)).collect());
    }
    // Employees whose periods are cut by the same settled periods have the same spans.
    let mut spans: Vec<PaySpan> = cut.values().flatten().map(|(span, _)| *span).collect();
    spans.sort_unstable_by_key(|span| (span.range.start(), span.range.end()));
    spans.dedup_by_key(|span| span.range);
    for spans in spans.chunks(PERIODS_MOST) {
        let sums = sums(app, asker, spans, &employees).await?;
        for (employee, periods) in &mut cut {
            let Some(of_one) = sums.get(employee) else { continue };
            for (own, sum) in periods {
                let n = spans.iter().position(|span| span.range == own.range);
                *sum = n.and_then(|n| of_one.get(n)).copied().or(*sum);
            }
        }
    }
    Ok(cut)
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

/// The employees who are shown even without hours: those whom the request names, else all active ones.
async fn people(app: &App, asker: &Asker, employees: &[EmployeeId]) -> Result<Vec<EmployeeId>, Failure> {
    if !employees.is_empty() {
        return Ok(employees.iter().copied().filter(|employee| *employee != NOBODY).collect());
    }
    let now = app.clock.now();
    let range = TimeRange::new(now, now + 1).map_err(|error| Failure::field("end", error))?;
    let mut people = Vec::new();
    loop {
        let asked = ListRoster { range, employees: Vec::new(), skip: people.len(), limit: ROSTER_MOST };
        let Roster { count, people: part } = asker.ask(app, asked).await?;
        let is_last = part.is_empty() || people.len() + part.len() >= count;
        people.extend(part.into_iter().map(|person| person.id));
        if is_last {
            return Ok(people);
        }
    }
}
