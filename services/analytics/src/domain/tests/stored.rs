use std::collections::{BTreeMap, BTreeSet, HashMap};

use contracts::{EmployeeId, WindowFact, WindowId};

use crate::domain::*;

/// The data that the service stores, in memory.
#[derive(Default)]
pub(super) struct Stored {
    facts: HashMap<WindowId, WindowFact>,
    days: BTreeMap<EmployeeDay, Vec<Stretch>>,
}

impl Stored {
    /// The stored data after these facts have arrived, three in a batch.
    pub(super) fn after(arrivals: &[WindowFact], overlaps: Overlaps) -> Self {
        let mut stored = Self::default();
        for batch in arrivals.chunks(3) {
            let mut places = Vec::new();
            for (id, fact) in latest(batch.iter().cloned()) {
                places.push(Place::of(&fact));
                let known = stored.facts.get(&id);
                places.extend(known.into_iter().map(Place::of));
                if known.is_none_or(|known| known.revision < fact.revision) {
                    stored.facts.insert(id, fact);
                }
            }
            let touched = Touched::by(places);
            let before =
                touched.days_touched_partly().map(|day| (day, stored.days.get(&day).cloned().unwrap_or_default()));
            let days = anew(&touched, before.collect(), &parts(stored.reaching_into(&touched), overlaps));
            stored.days.extend(days);
        }
        stored
    }

    fn reaching_into(&self, touched: &Touched) -> Vec<WindowFact> {
        let reaches = |fact: &&WindowFact| {
            let into =
                |place: Place| fact.employee_id == place.employee && fact.start < place.end && fact.end > place.start;
            touched.places().any(into)
        };
        self.facts.values().filter(reaches).cloned().collect()
    }

    /// The data that the service would read for this report.
    pub(super) fn sheets(&self, question: &Question, overlaps: Overlaps) -> Vec<Sheet> {
        let filter = &question.filter;
        let named = |who: EmployeeId| filter.employees.is_empty() || filter.employees.contains(&who);
        let mut of_employees = self.days.clone();
        of_employees.retain(|day, _| named(day.employee));
        let apart = question.tells_work_apart();
        match question.source() {
            Source::Employees => {
                let mut sheets = Sheet::of_days(of_employees);
                sheets.iter_mut().for_each(|sheet| sum_up(sheet, apart));
                sheets
            }
            Source::Company => {
                // The documents of all employees together have no stretches, so the stretches of
                // single employees are read for parts of days.
                let edges = Sheet::of_days(of_employees.clone());
                let mut together: BTreeMap<EmployeeDay, Vec<Stretch>> = BTreeMap::new();
                for (EmployeeDay { day, .. }, stretches) in of_employees {
                    let employee = EmployeeId(uuid::Uuid::nil());
                    together.entry(EmployeeDay { employee, day }).or_default().extend(stretches);
                }
                let mut sheets = Sheet::of_days(together);
                for sheet in &mut sheets {
                    sum_up(sheet, apart);
                    (sheet.employee, sheet.stretches) = (None, BTreeMap::new());
                }
                sheets.extend(edges);
                sheets
            }
            Source::Facts => {
                let in_shift = |fact: &&WindowFact| !fact.voided && filter.shifts.contains(&fact.shift_id);
                let facts = self.facts.values().filter(in_shift).filter(|fact| named(fact.employee_id));
                let days: BTreeSet<_> = facts.flat_map(|fact| Place::of(fact).days()).collect();
                let touched = Touched::by(days.iter().map(|day| day.place()));
                let mut parts = parts(self.reaching_into(&touched), overlaps);
                parts.retain(|part| filter.shifts.contains(&part.fact.shift_id));
                Sheet::of_days(stretches(&days, &parts))
            }
        }
    }
}

/// Adds the sums to a sheet, from its stretches: by project and task if `apart`, otherwise one sum
/// for each day.
fn sum_up(sheet: &mut Sheet, apart: bool) {
    let by_work: BTreeMap<i64, Cells> = sheet.stretches.iter().map(|(day, all)| (*day, cells(all))).collect();
    if apart {
        sheet.total = add_up(by_work.values());
        sheet.cells = by_work;
    } else {
        for (day, cells) in by_work {
            let sum = sheet.sums.entry(day).or_default();
            cells.iter().for_each(|(_, total)| *sum += *total);
        }
    }
}
