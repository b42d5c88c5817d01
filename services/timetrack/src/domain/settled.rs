//! Settled time: locks, periods that are approved or closing, and adjustments. A window that
//! touches settled time may not be recorded or voided. It may be changed only if its settled part
//! stays the same.

use std::collections::{BTreeMap, HashMap};

use contracts::{
    EmployeeId, IngestItem, Millis, PeriodId, ProjectId, SettledTime, SettlementChanged, TimeRange, Window, WindowFact,
};

use super::SettledBy;

/// A time range of an employee on a project.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worked {
    pub(crate) employee: EmployeeId,
    pub(crate) project: ProjectId,
    pub(crate) range: TimeRange,
}

impl Worked {
    /// The time range of a window from the queue; none if it is invalid.
    pub(crate) fn of_item(item: &IngestItem) -> Option<Self> {
        let range = TimeRange::new(item.window.start, item.window.end).ok()?;
        Some(Self { employee: item.employee_id, project: item.window.project_id, range })
    }

    /// The time range of a recorded window; none if it is invalid.
    pub(crate) fn of_window(window: &Window) -> Option<Self> {
        let range = TimeRange::new(window.start, window.end).ok()?;
        Some(Self { employee: window.employee_id, project: window.project_id, range })
    }
}

/// The settled time that was read: all of it, or all that concerns some windows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settled {
    everybody: Option<Millis>,
    projects: HashMap<ProjectId, Millis>,
    periods: HashMap<EmployeeId, BTreeMap<Millis, (Millis, PeriodId)>>,
    /// The time that adjustments count or have reserved, by employee, start and settlement id.
    adjusted: HashMap<EmployeeId, BTreeMap<(Millis, String), Millis>>,
}

/// A settled range of an employee, and what has settled it.
type Stretch = (TimeRange, SettledBy);

impl FromIterator<SettlementChanged> for Settled {
    fn from_iter<I: IntoIterator<Item = SettlementChanged>>(all: I) -> Self {
        let mut settled = Self::default();
        all.into_iter().for_each(|one| settled.add(&one));
        settled
    }
}

impl Settled {
    pub(super) fn add(&mut self, settlement: &SettlementChanged) {
        let Some(settles) = settlement.settles else { return };
        match settles {
            SettledTime { employee_id: Some(employee), start: Some(start), end, .. } => {
                match settlement.id.parse::<PeriodId>() {
                    Ok(id) => drop(self.periods.entry(employee).or_default().insert(start, (end, id))),
                    Err(_) => {
                        let key = (start, settlement.id.clone());
                        self.adjusted.entry(employee).or_default().insert(key, end);
                    }
                }
            }
            SettledTime { project_id: Some(project), end, .. } => drop(self.projects.insert(project, end)),
            SettledTime { end, .. } => self.everybody = Some(end),
        }
    }

    pub(super) fn remove(&mut self, settlement: &SettlementChanged) {
        let Some(settles) = settlement.settles else { return };
        match settles {
            SettledTime { employee_id: Some(employee), start: Some(start), .. } => {
                if settlement.id.parse::<PeriodId>().is_err() {
                    let key = (start, settlement.id.clone());
                    self.adjusted.get_mut(&employee).and_then(|of_one| of_one.remove(&key));
                } else {
                    self.periods.get_mut(&employee).and_then(|of_one| of_one.remove(&start));
                }
            }
            SettledTime { project_id: Some(project), .. } => drop(self.projects.remove(&project)),
            SettledTime { .. } => self.everybody = None,
        }
    }

    /// Whether no time is settled.
    pub(crate) fn is_empty(&self) -> bool {
        self.everybody.is_none()
            && self.projects.is_empty()
            && self.periods.values().all(BTreeMap::is_empty)
            && self.adjusted.values().all(BTreeMap::is_empty)
    }

    /// What has settled at least one moment of this time range; none if nothing has.
    pub(crate) fn by(&self, worked: Worked) -> Option<SettledBy> {
        let Worked { employee, project, range } = worked;
        let before = |until: &Millis| *until > range.start();
        if let Some(until) = self.everybody.filter(before) {
            return Some(SettledBy::Organisation { until });
        }
        if let Some(until) = self.projects.get(&project).copied().filter(before) {
            return Some(SettledBy::Project { project, until });
        }
        self.stretches_of(employee, range).next().map(|(_, by)| by)
    }

    /// The periods and adjustments of an employee that touch a time range.
    fn stretches_of(&self, employee: EmployeeId, range: TimeRange) -> impl Iterator<Item = Stretch> + '_ {
        let periods = self.periods.get(&employee).into_iter().flat_map(move |of_one| of_one.range(..range.end()));
        let periods = periods.map(|(start, (end, id))| (*start, *end, SettledBy::Period(*id)));
        let until = (range.end(), String::new());
        let adjusted = self.adjusted.get(&employee).into_iter().flat_map(move |of_one| of_one.range(..until.clone()));
        let adjusted = adjusted.map(|((start, _), end)| (*start, *end, SettledBy::Adjustment));
        let stretch = move |(start, end, by)| Some((TimeRange::new(start, end).ok()?, by));
        periods.chain(adjusted).filter_map(stretch).filter(move |(stretch, _)| stretch.end() > range.start())
    }

    /// The first moment, `from` or later, that is not settled for work on this project.
    pub(crate) fn next_open(&self, employee: EmployeeId, project: ProjectId, from: Millis) -> Millis {
        let mut at = from;
        while let Ok(range) = TimeRange::new(at, at + 1)
            && let Some(part) = self.settled_around(Worked { employee, project, range })
        {
            at = part;
        }
        at
    }

    /// The end of the lock, period or adjustment that has settled this time; none if nothing has.
    fn settled_around(&self, worked: Worked) -> Option<Millis> {
        match self.by(worked)? {
            SettledBy::Organisation { until } | SettledBy::Project { until, .. } => Some(until),
            SettledBy::Period(_) | SettledBy::Adjustment => {
                self.stretches_of(worked.employee, worked.range).next().map(|(stretch, _)| stretch.end())
            }
        }
    }

    /// The settled parts of this time range, in order. Adjacent parts are joined.
    pub(crate) fn parts(&self, worked: Worked) -> Vec<TimeRange> {
        self.parts_up_to(self.everybody.max(self.projects.get(&worked.project).copied()), worked)
    }

    /// The parts of this time range that are settled for all projects. Where only the lock of one
    /// project has settled the time, the employee may still record work on other projects.
    pub(crate) fn parts_for_all(&self, worked: Worked) -> Vec<TimeRange> {
        self.parts_up_to(self.everybody, worked)
    }

    fn parts_up_to(&self, locked: Option<Millis>, Worked { employee, range, .. }: Worked) -> Vec<TimeRange> {
        let locked = locked.and_then(|until| TimeRange::new(Millis(i64::MIN), until).ok());
        let stretches = self.stretches_of(employee, range).map(|(stretch, _)| stretch);
        let mut parts: Vec<TimeRange> = locked.into_iter().chain(stretches).filter_map(|one| one.clip(range)).collect();
        parts.sort_by_key(|part| part.start());
        let mut joined: Vec<TimeRange> = Vec::with_capacity(parts.len());
        for part in parts {
            match joined.last_mut() {
                Some(last) if part.start() <= last.end() => {
                    *last = TimeRange::new(last.start(), last.end().max(part.end())).unwrap_or(*last);
                }
                _ => joined.push(part),
            }
        }
        joined
    }

    /// The periods that settle some of this time range.
    pub(crate) fn periods_of(&self, worked: Worked) -> impl Iterator<Item = PeriodId> + '_ {
        self.stretches_of(worked.employee, worked.range).filter_map(|(_, by)| match by {
            SettledBy::Period(id) => Some(id),
            _ => None,
        })
    }

    /// The locks of other projects that end after the start of this time range. If a window with
    /// this range were added or removed, a locked window that it overlaps would count for less or
    /// more.
    pub(crate) fn locks_beside(&self, worked: Worked) -> Vec<(ProjectId, Millis)> {
        let beside =
            |(project, until): &(&ProjectId, &Millis)| **project != worked.project && **until > worked.range.start();
        self.projects.iter().filter(beside).map(|(project, until)| (*project, *until)).collect()
    }

    /// Refuses a change of a window that would change settled time. Of the facts of a window that
    /// touches settled time, only the end and the rate parts may change, and only in unsettled
    /// time. The start may not change, because it decides which of two overlapping windows counts.
    ///
    /// # Errors
    /// What has settled the window.
    pub(crate) fn require_kept(&self, was: &WindowFact, now: &WindowFact) -> Result<(), SettledBy> {
        let worked = |fact: &WindowFact| {
            let range = TimeRange::new(fact.start, fact.end).ok()?;
            Some(Worked { employee: fact.employee_id, project: fact.project_id, range })
        };
        let both = [was, now].map(|fact| worked(fact).filter(|_| !fact.voided));
        let Some(by) = both.into_iter().flatten().find_map(|worked| self.by(worked)) else { return Ok(()) };
        let parts = both.map(|worked| worked.map(|worked| self.parts(worked)).unwrap_or_default());
        // Rate parts may differ here: a window that gets shorter or longer loses or gains such
        // parts. The prices of the settled parts are compared below.
        let alike =
            WindowFact { revision: now.revision, end: now.end, rate_parts: now.rate_parts.clone(), ..was.clone() };
        let is_priced_alike = |part: &TimeRange| was.parts_within(*part).eq(now.parts_within(*part));
        let counts_alike = alike == *now && parts[0] == parts[1] && parts[0].iter().all(is_priced_alike);
        if counts_alike { Ok(()) } else { Err(by) }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{Label, Rates, TaskId, WindowId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::{super::SettledCopy, *};

    fn employee(n: u128) -> EmployeeId {
        EmployeeId(Uuid::from_u128(n))
    }

    fn project(n: u128) -> ProjectId {
        ProjectId(Uuid::from_u128(n))
    }

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(Millis(start), Millis(end)).expect("a range")
    }

    fn worked(of: u128, on: u128, range: TimeRange) -> Worked {
        Worked { employee: employee(of), project: project(on), range }
    }

    /// A settlement by a lock, an adjustment or a period, or the end of one. The version is 0 here;
    /// `history` sets it.
    fn settlement() -> impl Strategy<Value = SettlementChanged> {
        let of = (0..4u128, 0..3u128, 0..4i64, 1..4i64);
        (0..4u8, of, any::<bool>()).prop_map(|(kind, (of, on, start, length), settles)| {
            let (id, time) = match kind {
                0 => ("all".to_owned(), (None, None, None, start * 10)),
                1 => (project(on).to_string(), (None, Some(project(on)), None, start * 10)),
                2 => {
                    let stretch = (Some(employee(of)), None, Some(Millis(start * 10)), start * 10 + length * 3);
                    (format!("late {of} {start}"), stretch)
                }
                _ => {
                    let first = jiff::civil::date(2026, 1, 1 + start as i8);
                    let id = PeriodId { employee: employee(of), first };
                    (id.to_string(), (Some(employee(of)), None, Some(Millis(start * 10)), start * 10 + length * 5))
                }
            };
            let (employee_id, project_id, start, end) = time;
            let time = SettledTime { employee_id, project_id, start, end: Millis(end) };
            SettlementChanged { id, version: 0, settles: settles.then_some(time) }
        })
    }

    fn history() -> impl Strategy<Value = Vec<SettlementChanged>> {
        prop::collection::vec(settlement(), 0..12).prop_map(|all| {
            all.into_iter().zip(1..).map(|(one, version)| SettlementChanged { version, ..one }).collect()
        })
    }

    /// Whether a moment is settled, computed directly from the list of settlements.
    fn is_settled(all: &[SettlementChanged], of: u128, on: u128, at: i64) -> bool {
        let latest = |one: &&SettlementChanged| !all.iter().any(|o| o.id == one.id && o.version > one.version);
        all.iter().filter(latest).filter_map(|one| one.settles).any(|time| {
            time.employee_id.is_none_or(|id| id == employee(of))
                && time.project_id.is_none_or(|id| id == project(on))
                && time.start.is_none_or(|start| start.0 <= at)
                && at < time.end.0
        })
    }

    #[test]
    fn of_two_that_settle_from_the_same_moment_one_stays_when_the_other_goes() {
        let time = |end| SettledTime { employee_id: Some(employee(1)), project_id: None, start: Some(Millis(0)), end };
        let one = |id: &str, version, end| SettlementChanged { id: id.into(), version, settles: end };
        let mut copy = SettledCopy::default();
        copy.apply(one("kept free", 1, Some(time(Millis(10)))));
        copy.apply(one("counts", 1, Some(time(Millis(5)))));
        copy.apply(one("kept free", 2, None));
        assert_eq!(copy.settled().parts(worked(1, 1, range(0, 20))), [range(0, 5)]);
    }

    proptest! {
        #[test]
        fn what_is_settled_is_that_of_brute_force_in_whatever_order_and_however_often_it_is_heard(
            all in history(),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
            (of, on) in (0..4u128, 0..3u128),
            (start, length) in (-5..45i64, 1..30i64),
        ) {
            let mut copy = SettledCopy::default();
            if !all.is_empty() {
                order.iter().for_each(|at| copy.apply(at.get(&all).clone()));
            }
            all.iter().rev().for_each(|one| copy.apply(one.clone()));
            let asked = worked(of, on, range(start, start + length));
            let settled: Vec<i64> = (start..start + length).filter(|at| is_settled(&all, of, on, *at)).collect();
            prop_assert_eq!(copy.settled().by(asked).is_some(), !settled.is_empty());
            let parts = copy.settled().parts(asked);
            prop_assert!(parts.windows(2).all(|pair| pair[0].end() < pair[1].start()));
            let told: Vec<i64> = parts.iter().flat_map(|part| part.start().0..part.end().0).collect();
            prop_assert_eq!(told, settled);
        }

        #[test]
        fn the_next_open_moment_is_the_first_that_nothing_has_settled(
            all in history(), (of, on) in (0..4u128, 0..3u128), from in -5..60i64,
        ) {
            let mut copy = SettledCopy::default();
            all.iter().for_each(|one| copy.apply(one.clone()));
            let next = copy.settled().next_open(employee(of), project(on), Millis(from));
            let expected = (from..).find(|at| !is_settled(&all, of, on, *at));
            prop_assert_eq!(Some(next.0), expected);
        }

        #[test]
        fn a_change_that_is_let_through_leaves_every_settled_second_as_it_was(
            all in history(),
            was in (0..3u128, 0..40i64, 1..20i64, 0..2i64),
            now in (0..3u128, 0..40i64, 1..20i64, 0..2i64, any::<bool>()),
            later in prop::collection::btree_map(0..60i64, 0..3i64, 0..3),
            alike in any::<bool>(),
        ) {
            let settled: Settled = {
                let mut copy = SettledCopy::default();
                all.iter().for_each(|one| copy.apply(one.clone()));
                copy.settled().clone()
            };
            let fact = |(on, start, length, rate): (u128, i64, i64, i64), voided| {
                let rates = |rate| Rates { pay_rate: contracts::Rate::from_units(rate).ok(), ..Rates::default() };
                let parts = later.iter().map(|(from, rate)| contracts::RatePart::new(Millis(*from), rates(*rate)));
                let (rates, rate_parts) = contracts::fitted(rates(rate), parts.collect(), range(start, start + length));
                WindowFact {
                    id: WindowId(Uuid::from_u128(9)),
                    revision: 1,
                    employee_id: employee(1),
                    project_id: project(on),
                    task_id: TaskId(Uuid::from_u128(on)),
                    shift_id: Label::parse("shift").expect("a label"),
                    start: Millis(start),
                    end: Millis(start + length),
                    billable: true,
                    overtime: false,
                    rates,
                    rate_parts,
                    voided,
                }
            };
            let now = match alike {
                true => fact((was.0, was.1, now.2, was.3), false),
                false => fact((now.0, now.1, now.2, now.3), now.4),
            };
            let was = fact(was, false);
            let counts = |fact: &WindowFact, at: i64| {
                let covers = !fact.voided && fact.start.0 <= at && at < fact.end.0;
                (covers && is_settled(&all, 1, fact.project_id.0.as_u128(), at)).then(|| {
                    let price = fact.parts_within(range(at, at + 1)).next().map(|part| (part.cost, part.income));
                    (fact.project_id, price, fact.start)
                })
            };
            let differs = (-1..70).find(|at| counts(&was, *at) != counts(&now, *at));
            match settled.require_kept(&was, &now) {
                Ok(()) => prop_assert_eq!(differs, None),
                Err(_) if alike => prop_assert!(differs.is_some(), "only its end moves, in time that is open"),
                Err(_) => {}
            }
        }

        #[test]
        fn what_is_settled_whatever_the_project_is_what_nobody_records_in(
            all in history(), of in 0..4u128, (start, length) in (-5..45i64, 1..30i64),
        ) {
            let mut copy = SettledCopy::default();
            all.iter().for_each(|one| copy.apply(one.clone()));
            // The project with this number has no lock.
            let on = 7;
            let parts = |on| copy.settled().parts_for_all(worked(of, on, range(start, start + length)));
            let told: Vec<i64> = parts(0).iter().flat_map(|part| part.start().0..part.end().0).collect();
            let settled: Vec<i64> = (start..start + length).filter(|at| is_settled(&all, of, on, *at)).collect();
            prop_assert_eq!(told, settled);
            prop_assert_eq!(parts(0), parts(on));
        }
    }
}
