//! The pay periods of employees. Their states come from timetrack, their sums from analytics.

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

/// A pay period of an employee.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Period {
    /// The id of the period: the employee's id, and the local day on which the period begins.
    pub(crate) id: PeriodId,
    /// The employee.
    pub(crate) employee_id: EmployeeId,
    /// The first moment of the period.
    pub(crate) start: Millis,
    /// The end of the period: the first moment that no longer belongs to it.
    pub(crate) end: Millis,
    /// The state of the period: open, submitted or approved.
    pub(crate) status: PeriodStatus,
    /// The milliseconds of work that count. In an approved period they never change again.
    #[schema(example = 576_000_000)]
    pub(crate) time: i64,
    /// The cost of this time, rounded to cents.
    pub(crate) costs: Cents,
    /// The income of this time, rounded to cents.
    pub(crate) income: Cents,
    /// The sum of the adjustments that count in this period: of windows that arrived after their
    /// own time was settled. It is not part of the other sums.
    pub(crate) adjustments: AdjustedSum,
    /// The adjustments that count in this period, for pages.
    #[serde(skip)]
    pub(crate) late: Vec<Adjustment>,
    /// A hash of the seconds that count, of their work and rates, and of the adjustments. An
    /// approver sends it in `If-Match`.
    pub(crate) hash: TimeMark,
    /// When the period was last submitted.
    pub(crate) submitted_at: Option<Millis>,
    /// The hash of the period when it was submitted. If `hash` differs from it, the period has
    /// changed since.
    pub(crate) submitted_hash: Option<TimeMark>,
    /// When the period was approved.
    pub(crate) approved_at: Option<Millis>,
    /// Who approved the period.
    pub(crate) approved_by: Option<ShownActor>,
    /// The reason why the period was sent back, or opened again.
    pub(crate) note: Option<Note>,
    /// The pay run that pays the period.
    pub(crate) pay_run: Option<PayRunId>,
}

impl Period {
    /// Makes a period from the reply of timetrack about one period, which contains its sums.
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

/// A period about which timetrack knows nothing: nobody has submitted it or decided about it.
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

/// The pay periods that overlap a range.
///
/// # Errors
/// 422 when there are too many.
fn spans(settings: &Settings, range: TimeRange) -> Result<Vec<PaySpan>, Failure> {
    let spans: Vec<PaySpan> = settings.pay_periods(range).take(PERIODS_MOST + 1).collect();
    match spans.len() > PERIODS_MOST {
        true => Err(Failure::field("end", format!("must not be so far from start: at most {PERIODS_MOST} periods"))),
        false => Ok(spans),
    }
}

/// The periods that overlap a range, ordered by beginning and employee. They are those of the given
/// employees. If none is given, they are those of all employees who are active, have time or
/// adjustments in the range, or have a period in it that timetrack knows. For a manager they are
/// limited to the employees whom the manager sees.
pub(crate) async fn list(
    app: &App,
    asker: &Asker,
    range: TimeRange,
    employees: Vec<EmployeeId>,
) -> Result<Vec<Period>, Failure> {
    // The requests are sent with the cached settings, which are nearly always the current ones. If
    // they turn out to be old, the requests are repeated below with the current settings.
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
                // An approved period keeps the beginning and end that it had at the approval. All
                // other periods have those of the current settings.
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
    // These periods were approved while earlier settings divided the calendar into other periods.
    let touches = |known: &KnownPeriod| known.start < range.end() && known.end > range.start();
    let former = known.into_values().filter(|known| known.status == PeriodStatus::Approved && touches(known));
    periods.extend(former.map(Period::of));
    periods.sort_by_key(|period| (period.start, period.id));
    Ok(periods)
}

/// The replies of the services about the periods that overlap a range.
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

/// Requests the settings, and the periods and adjustments in a range that timetrack knows.
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

/// The range from the beginning of the first of these adjoining periods to the end of the last.
fn whole(spans: &[PaySpan]) -> Option<TimeRange> {
    Some(spans.first()?.range.until(spans.last()?.range.end()))
}

/// The open periods, with their sums, of those employees who have periods that were approved while
/// earlier settings divided the calendar differently. Such an approved period overlaps periods of
/// the current settings. These are cut, so that they contain no time of the approved period.
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
    // Employees whose periods are cut by equal approved periods have equal spans, so each span is
    // requested only once.
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

/// The employees whose periods are shown even if they have no time: the requested ones, or, when
/// none is named, all active ones.
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
