use contracts::{Code, IngestItem, Label, Payroll, Rates, Term, TimeRange};

use super::Bindings;

/// Whether a window may be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may, with what is fixed at this moment.
    Admitted(Admitted),
    /// It names somebody or something that we have not heard of, so it may only be early.
    Early(Code),
    /// We know everybody concerned, and have not heard that they belong together.
    Unbound(Code),
    /// It may not.
    Refused(Code),
}

/// What is fixed on a window when it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    pub(crate) billable: bool,
    pub(crate) status: Label,
    pub(crate) priority: Label,
    pub(crate) rates: Rates,
}

/// Who may track: whoever was on the project and the task at any moment of the window.
pub(crate) fn admit(item: &IngestItem, range: TimeRange, bindings: &Bindings) -> Admission {
    use Admission::{Early, Refused, Unbound};
    let (employee, window) = (item.employee_id, &item.window);
    let Some(standing) = bindings.employee(employee) else { return Early(Code::UnknownEmployee) };
    let Some(project) = bindings.project(window.project_id) else { return Early(Code::UnknownProject) };
    let Some(task) = bindings.task(window.task_id) else { return Early(Code::UnknownTask) };
    if standing.0.deactivated_at.is_some_and(|at| range.start() >= at) {
        return Refused(Code::EmployeeDeactivated);
    }
    if project.deleted {
        return Refused(Code::UnknownProject);
    }
    if project.archived {
        return Refused(Code::ProjectArchived);
    }
    if task.deleted || task.project_id != window.project_id {
        return Refused(Code::UnknownTask);
    }
    let Some(member) = bindings.member(window.project_id, employee) else { return Unbound(Code::NotOnProject) };
    if !member.terms.iter().any(|term| term.touches(range)) {
        return Refused(Code::NotOnProject);
    }
    let Some(assignment) = bindings.assignment(window.task_id, employee) else { return Unbound(Code::NotOnTask) };
    // A task's term lasts no longer than the membership that it hangs on.
    let was_on_task = assignment.terms.iter().any(|on_task| {
        let member_term = member.terms.get(on_task.member_term as usize);
        let on_both = member_term.and_then(|on_project| both(on_task.term, *on_project));
        on_both.is_some_and(|term| term.touches(range))
    });
    if assignment.project_id != window.project_id || !was_on_task {
        return Refused(Code::NotOnTask);
    }
    Admission::Admitted(Admitted {
        billable: task.billable,
        status: window.task_status.clone().unwrap_or_else(|| task.status.clone()),
        priority: window.task_priority.clone().unwrap_or_else(|| task.priority.clone()),
        rates: rates(&project.payroll, item),
    })
}

/// The time that lies in both terms, if there is any.
fn both(a: Term, b: Term) -> Option<Term> {
    let (from, until) = (a.from.max(b.from), a.until.into_iter().chain(b.until).min());
    let is_empty = from.zip(until).is_some_and(|(from, until)| from >= until);
    (!is_empty).then_some(Term { from, until })
}

/// The project's line for the employee, else that of everybody.
fn rates(payroll: &Payroll, item: &IngestItem) -> Rates {
    let line = payroll.line(item.employee_id);
    Rates {
        bill_rate: line.bill_rate,
        overtime_bill_rate: line.overtime_bill_rate,
        pay_rate: line.pay_rate,
        overtime_pay_rate: line.overtime_pay_rate,
    }
}

/// Why, as a sentence for the person whose window it is.
pub(crate) fn refusal(code: Code) -> &'static str {
    match code {
        Code::UnknownEmployee => "There is no such employee.",
        Code::UnknownProject => "There is no such project.",
        Code::UnknownTask => "There is no such task on this project.",
        Code::EmployeeDeactivated => "The employee was deactivated before this window began.",
        Code::ProjectArchived => "The project is archived: it takes no more time.",
        Code::NotOnProject => "You were not on this project at the time. Ask an admin to put you on it.",
        Code::NotOnTask => "You were not on this task at the time. Ask an admin to put you on it.",
        _ => "The window cannot be recorded.",
    }
}

#[cfg(test)]
mod tests {
    use contracts::{
        AssignmentChanged, ContentHash, EmployeeChanged, EmployeeId, HOUR, MemberChanged, Millis, Payee, PayrollLine,
        ProjectChanged, ProjectId, Rate, Standing, TaskChanged, TaskId, TaskTerm, WindowId, WindowSent,
    };
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::Binding;

    const NOON: i64 = 12 * HOUR;

    fn label(text: &str) -> Label {
        Label::parse(text).unwrap()
    }

    fn item(start: i64, end: i64) -> (IngestItem, TimeRange) {
        let json = serde_json::json!({
            "start": start, "end": end, "timezoneOffset": 0, "projectId": Uuid::from_u128(2), "taskId": Uuid::from_u128(3),
            "computer": "c", "user": "u", "os": "o", "osVersion": "1", "hwid": "h",
        });
        let window: WindowSent = serde_json::from_value(json).unwrap();
        let (id, hash) = (WindowId(Uuid::from_u128(9)), ContentHash(Uuid::nil()));
        let item = IngestItem {
            id,
            employee_id: EmployeeId(Uuid::from_u128(1)),
            received_at: Millis(end),
            hash,
            window,
            traceparent: None,
        };
        (item, TimeRange::new(Millis(start), Millis(end)).unwrap())
    }

    struct Case {
        employee: EmployeeChanged,
        project: ProjectChanged,
        task: TaskChanged,
        member: MemberChanged,
        assignment: AssignmentChanged,
    }

    /// Ann is on the project and the task, for good.
    fn ann() -> Case {
        let (employee_id, project_id, task_id) =
            (EmployeeId(Uuid::from_u128(1)), ProjectId(Uuid::from_u128(2)), TaskId(Uuid::from_u128(3)));
        let term = Term { from: None, until: None };
        Case {
            employee: EmployeeChanged(Standing { id: employee_id, version: 1, epoch: 0, deactivated_at: None }),
            project: ProjectChanged {
                id: project_id,
                version: 1,
                payroll: Payroll::default(),
                archived: false,
                deleted: false,
            },
            task: TaskChanged {
                id: task_id,
                project_id,
                version: 1,
                billable: true,
                status: label("To Do"),
                priority: label("Low"),
                deleted: false,
            },
            member: MemberChanged { project_id, employee_id, version: 1, terms: vec![term] },
            assignment: AssignmentChanged {
                task_id,
                project_id,
                employee_id,
                version: 1,
                terms: vec![TaskTerm { term, member_term: 0 }],
            },
        }
    }

    impl Case {
        fn bindings(self) -> Bindings {
            [
                Binding::Employee(self.employee),
                Binding::Project(self.project),
                Binding::Task(self.task),
                Binding::Member(self.member),
                Binding::Assignment(self.assignment),
            ]
            .into_iter()
            .collect()
        }

        fn admit(self, start: i64, end: i64) -> Admission {
            let (item, range) = item(start, end);
            admit(&item, range, &self.bindings())
        }
    }

    #[test]
    fn whoever_is_on_project_and_task_may_track_also_earlier_hours() {
        assert!(matches!(ann().admit(0, HOUR), Admission::Admitted(_)));
    }

    #[test]
    fn hours_worked_before_a_removal_count_and_those_after_it_do_not() {
        let removed = || {
            let mut case = ann();
            case.member.terms[0].until = Some(Millis(NOON));
            case
        };
        assert!(matches!(removed().admit(NOON - 2, NOON - 1), Admission::Admitted(_)));
        assert!(matches!(removed().admit(NOON - 1, NOON + 1), Admission::Admitted(_)));
        assert_eq!(removed().admit(NOON, NOON + 1), Admission::Refused(Code::NotOnProject));
    }

    #[test]
    fn coming_back_does_not_bring_the_tasks_of_the_first_time_back() {
        let mut case = ann();
        case.member.terms[0].until = Some(Millis(NOON));
        case.member.terms.push(Term { from: Some(Millis(NOON + HOUR)), until: None });
        assert_eq!(case.admit(NOON + HOUR, NOON + 2 * HOUR), Admission::Refused(Code::NotOnTask));
    }

    #[test]
    fn the_time_between_two_memberships_does_not_count() {
        let mut case = ann();
        case.member.terms[0].until = Some(Millis(NOON));
        case.member.terms.push(Term { from: Some(Millis(NOON + HOUR)), until: None });
        assert_eq!(case.admit(NOON, NOON + HOUR), Admission::Refused(Code::NotOnProject));
    }

    #[test]
    fn what_nobody_has_told_us_of_may_be_early() {
        let (item, range) = item(0, HOUR);
        assert_eq!(admit(&item, range, &Bindings::default()), Admission::Early(Code::UnknownEmployee));
        let known = [Binding::Employee(ann().employee)].into_iter().collect();
        assert_eq!(admit(&item, range, &known), Admission::Early(Code::UnknownProject));
    }

    #[test]
    fn archived_deleted_foreign_and_deactivated_are_refused() {
        let refused = |change: fn(&mut Case)| {
            let mut case = ann();
            change(&mut case);
            case.admit(NOON, NOON + HOUR)
        };
        assert_eq!(refused(|c| c.project.archived = true), Admission::Refused(Code::ProjectArchived));
        assert_eq!(refused(|c| c.project.deleted = true), Admission::Refused(Code::UnknownProject));
        assert_eq!(refused(|c| c.task.deleted = true), Admission::Refused(Code::UnknownTask));
        assert_eq!(refused(|c| c.task.project_id = ProjectId(Uuid::nil())), Admission::Refused(Code::UnknownTask));
        let deactivated = |c: &mut Case| c.employee.0.deactivated_at = Some(Millis(NOON));
        assert_eq!(refused(deactivated), Admission::Refused(Code::EmployeeDeactivated));
    }

    #[test]
    fn the_own_line_of_the_payroll_comes_before_that_of_everybody() {
        let line = |rate| PayrollLine { bill_rate: Rate::try_from(rate).ok(), ..Default::default() };
        let mut case = ann();
        case.project.payroll.0.insert(Payee::Everybody, line(10.0));
        let Admission::Admitted(admitted) = case.admit(0, 1) else { panic!("admitted") };
        assert_eq!(admitted.rates.bill_rate, Rate::try_from(10.0).ok());
        let mut case = ann();
        case.project.payroll.0.insert(Payee::Everybody, line(10.0));
        case.project.payroll.0.insert(Payee::Employee(case.employee.0.id), line(20.0));
        let Admission::Admitted(admitted) = case.admit(0, 1) else { panic!("admitted") };
        assert_eq!(admitted.rates.bill_rate, Rate::try_from(20.0).ok());
    }

    proptest! {
        /// Brute force: some millisecond of the window lies in a member term and in a task term on it.
        #[test]
        fn a_window_is_admitted_exactly_when_some_moment_of_it_was_on_project_and_task(
            ends in prop::collection::vec((0..30i64, 1..10i64), 1..4),
            task in (0..30i64, 1..30i64, 0..4u32),
            window in (0..40i64, 1..10i64),
        ) {
            let mut case = ann();
            let mut at = 0;
            case.member.terms = ends.iter().enumerate().map(|(n, (length, gap))| {
                let from = (n > 0).then_some(Millis(at));
                at += length + 1;
                let until = Some(Millis(at));
                at += gap;
                Term { from, until }
            }).collect();
            let term = Term { from: Some(Millis(task.0)), until: Some(Millis(task.0 + task.1)) };
            case.assignment.terms = vec![TaskTerm { term, member_term: task.2 }];
            let holds = |term: &Term, at: i64| term.from.is_none_or(|f| f.0 <= at) && term.until.is_none_or(|u| at < u.0);
            let terms = case.member.terms.clone();
            let expected = (window.0..window.0 + window.1).any(|at| {
                terms.get(task.2 as usize).is_some_and(|on| holds(on, at)) && holds(&term, at)
            });
            let admitted = matches!(case.admit(window.0, window.0 + window.1), Admission::Admitted(_));
            prop_assert_eq!(admitted, expected);
        }
    }
}
