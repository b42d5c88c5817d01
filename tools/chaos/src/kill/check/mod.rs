//! Checks the invariants in the databases and streams themselves. Only types are shared with the
//! services: the rules are implemented here a second time.

pub(crate) mod bindings;
mod counts;
mod deactivated;
mod finding;
mod freshness;
mod invitations;
mod projections;
mod recomputed;
mod reconciled;
pub(crate) mod state;
mod stored;

pub(crate) use finding::{Finding, Outcome};

use super::ledger::Book;

/// Checks all invariants.
pub(crate) fn all(book: &Book, state: &state::State) -> Vec<Outcome> {
    vec![
        stored::kept(book, state),
        stored::refused(book, state),
        counts::counted(state),
        bindings::bound(book, state),
        deactivated::gone(book, state),
        projections::equal(book, state),
        reconciled::nothing_found(state),
        invitations::used_once(book, state),
        freshness::fresh(book),
    ]
}

/// Small made-up histories and states for tests.
#[cfg(test)]
pub(crate) mod tests {
    use contracts::{
        AssignmentChanged, Code, EmployeeChanged, EmployeeId, EmployeeState, MemberChanged, Millis, ProjectChanged,
        ProjectId, TaskChanged, TaskId, TaskTerm, Term, WindowId,
    };
    use serde_json::json;
    use uuid::Uuid;

    use super::{
        Outcome,
        state::{
            AssignmentKey, AssignmentRow, BindingRow, Edges, EmployeeRow, MemberKey, MemberRow, ProjectRow,
            QuarantineItem, QuarantineRow, QuarantineWindow, State, TaskRow, WindowRow,
        },
    };
    use crate::kill::ledger::{Attempt, Sent, Word};

    pub(crate) const ANN: EmployeeId = EmployeeId(Uuid::from_u128(1));
    pub(crate) const PROJECT: ProjectId = ProjectId(Uuid::from_u128(2));
    pub(crate) const TASK: TaskId = TaskId(Uuid::from_u128(3));

    /// Returns the text of the only finding.
    pub(crate) fn only(outcome: &Outcome) -> &str {
        assert_eq!(outcome.findings.len(), 1, "{outcome:?}");
        &outcome.findings[0].says
    }

    pub(crate) fn attempt(word: Word) -> Attempt {
        Attempt { sent: Millis(1), answered: Millis(2), word }
    }

    /// Returns the start and end of the nth window. Windows are ten minutes long and do not
    /// overlap.
    fn times(n: u128) -> (Millis, Millis) {
        let start = Millis(1_420_070_400_000 + n as i64 * 600_000);
        (start, start + 600_000)
    }

    pub(crate) fn sent(n: u128, words: &[Word]) -> Sent {
        let (start, end) = times(n);
        let attempts = words.iter().cloned().map(attempt).collect();
        let id = Some(WindowId(Uuid::from_u128(n)));
        Sent { employee: ANN, id, start, end, project: PROJECT, task: TASK, attempts, voids: Vec::new() }
    }

    /// Returns the nth window as it is stored, with its serial number in the note.
    pub(crate) fn window(n: u128, serial: u64) -> WindowRow {
        let (start, end) = times(n);
        let window = json!({
            "id": Uuid::from_u128(n), "employeeId": ANN, "shiftId": "s", "organizationId": "default-org", "type": "tracked",
            "start": start, "end": end, "timezoneOffset": 0, "startTranslated": start, "endTranslated": end,
            "negativeTime": 0, "projectId": PROJECT, "taskId": TASK, "taskStatus": "To Do", "taskPriority": "Low",
            "note": serial.to_string(), "billable": true, "overtime": false, "paid": false, "billRate": 50.0,
            "overtimeBillRate": null, "payRate": 20.0, "overtimePayRate": null, "computer": "c", "user": "u",
            "domain": null, "os": "o", "osVersion": "1", "hwid": "h", "createdAt": end, "updatedAt": end,
        });
        WindowRow { revision: 1, voided: false, window: serde_json::from_value(window).unwrap() }
    }

    pub(crate) fn quarantined(serial: u64) -> QuarantineRow {
        let window = QuarantineWindow { note: Some(serial.to_string()) };
        QuarantineRow { item: QuarantineItem { window }, code: Code::NotOnTask }
    }

    /// Returns the edges of a state in which Ann is on the task of the project.
    pub(crate) fn edges() -> Edges {
        let ann = EmployeeRow {
            id: ANN,
            version: 4,
            epoch: 0,
            email: "Ann@x.org".into(),
            projects: vec![PROJECT],
            deactivated_at: None,
        };
        let project = ProjectRow { id: PROJECT, employees: vec![ANN], archived: false, version: 2 };
        let task = TaskRow { id: TASK, project_id: PROJECT, employees: vec![ANN] };
        let key = MemberKey { project: PROJECT, employee: ANN };
        let member = MemberRow { key, epoch: 0, open: true, terms: vec![Term::ALWAYS], version: 3 };
        let (key, terms) =
            (AssignmentKey { task: TASK, employee: ANN }, vec![TaskTerm { term: Term::ALWAYS, member_term: 0 }]);
        Edges {
            projects: [(PROJECT, project)].into(),
            tasks: [(TASK, task)].into(),
            members: vec![member],
            assignments: vec![AssignmentRow { key, project: PROJECT, open: true, terms }],
            employees: [(ANN, ann)].into(),
        }
    }

    /// Returns a state in which all copies are up to date.
    pub(crate) fn settled() -> State {
        let employee_state = EmployeeState { id: ANN, version: 4, epoch: 0, deactivated_at: None, active: None };
        let project = json!({ "id": PROJECT, "version": 2, "payroll": {}, "archived": false, "deleted": false });
        let project: ProjectChanged = serde_json::from_value(project).unwrap();
        let task = json!({
            "id": TASK, "projectId": PROJECT, "version": 1, "billable": true, "status": "To Do", "priority": "Low",
            "deleted": false,
        });
        let task: TaskChanged = serde_json::from_value(task).unwrap();
        let terms = vec![Term::ALWAYS];
        let member = MemberChanged { project_id: PROJECT, employee_id: ANN, version: 3, terms };
        let terms = vec![TaskTerm { term: Term::ALWAYS, member_term: 0 }];
        let former = Vec::new();
        let assignment =
            AssignmentChanged { task_id: TASK, project_id: PROJECT, employee_id: ANN, version: 1, terms, former };
        State {
            edges: edges(),
            bindings: vec![
                BindingRow::Employee(EmployeeChanged(employee_state)),
                BindingRow::Project(project),
                BindingRow::Task(task),
                BindingRow::Member(member),
                BindingRow::Assignment(assignment),
            ],
            mailed: ["ann@x.org".to_owned()].into(),
            ..State::default()
        }
    }
}
