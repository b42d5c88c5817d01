use contracts::{Code, IngestItem, Label, Price, RatedWork, TaskChanged, Term, TimeRange};

use super::Bindings;

/// The decision whether a window may be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The window may be recorded, with these values.
    Admitted(Admitted),
    /// The window names an employee, project or task that is unknown here. The window may be early:
    /// the event that makes it known may follow.
    Early(Code),
    /// The employee, project and task are known, but the employee's membership of the project, or
    /// assignment to the task, is not.
    Unbound(Code),
    /// The window may not be recorded.
    Refused(Code),
}

/// Why a window may not be recorded. The variants are those of [`Admission`].
#[derive(Clone, Copy, Debug)]
enum Hindrance {
    Early(Code),
    Unbound(Code),
    Refused(Code),
}

impl From<Hindrance> for Admission {
    fn from(hindrance: Hindrance) -> Self {
        match hindrance {
            Hindrance::Early(code) => Self::Early(code),
            Hindrance::Unbound(code) => Self::Unbound(code),
            Hindrance::Refused(code) => Self::Refused(code),
        }
    }
}

/// The values that a window gets when it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    pub(crate) billable: bool,
    pub(crate) status: Label,
    pub(crate) priority: Label,
    pub(crate) price: Price,
}

/// Decides whether a window may be recorded. There must be one moment in the window at which the
/// employee was active, the project was open, the task was part of the project, and the employee
/// was on both. Then the whole window is recorded.
pub(crate) fn admit(item: &IngestItem, range: TimeRange, bindings: &Bindings) -> Admission {
    match bound_task(item, range, bindings) {
        Ok(task) => Admission::Admitted(fixed(item, range, task, bindings)),
        Err(hindrance) => hindrance.into(),
    }
}

/// Admits a window if this part of it has a moment at which all conditions of [`admit`] are true.
/// The rates are those of the whole window.
pub(crate) fn admit_by(item: &IngestItem, part: TimeRange, whole: TimeRange, bindings: &Bindings) -> Option<Admitted> {
    let task = bound_task(item, part, bindings).ok()?;
    Some(fixed(item, whole, task, bindings))
}

/// The task of a window, if the employee could work on it at some moment of a range; otherwise the
/// reason why not.
fn bound_task<'a>(item: &IngestItem, range: TimeRange, bindings: &'a Bindings) -> Result<&'a TaskChanged, Hindrance> {
    use Hindrance::{Early, Refused, Unbound};
    let (employee, window) = (item.employee_id, &item.window);
    let Some(employee_state) = bindings.employee(employee) else { return Err(Early(Code::UnknownEmployee)) };
    let Some(project) = bindings.project(window.project_id) else { return Err(Early(Code::UnknownProject)) };
    let Some(task) = bindings.task(window.task_id) else { return Err(Early(Code::UnknownTask)) };

    // The moments of the range at which all conditions checked so far are true. The first condition
    // that leaves none of these moments is the reason for the refusal.
    let mut moments = vec![Term { from: Some(range.start()), until: Some(range.end()) }];
    let mut is_still_true = |terms: &[Term]| {
        moments = common(&moments, terms);
        !moments.is_empty()
    };
    if !is_still_true(&employee_state.0.active_terms()) {
        return Err(Refused(Code::EmployeeDeactivated));
    }
    if !is_still_true(&project.open_terms()) {
        return Err(Refused(if project.deleted { Code::UnknownProject } else { Code::ProjectArchived }));
    }
    if !is_still_true(&task.terms_on(window.project_id)) {
        return Err(Refused(Code::UnknownTask));
    }
    let Some(member) = bindings.member(window.project_id, employee) else { return Err(Unbound(Code::NotOnProject)) };
    if !is_still_true(&member.terms) {
        return Err(Refused(Code::NotOnProject));
    }
    let Some(assignment) = bindings.assignment(window.task_id, employee) else { return Err(Unbound(Code::NotOnTask)) };
    // A term on a task counts only within the term of membership that it belongs to. A later term
    // of membership does not renew it.
    let on_task = assignment.terms_on(window.project_id).iter().filter_map(|on_task| {
        let on_project = member.terms.get(on_task.member_term as usize)?;
        on_task.term.common(*on_project)
    });
    if !is_still_true(&on_task.collect::<Vec<_>>()) {
        return Err(Refused(Code::NotOnTask));
    }
    Ok(task)
}

/// The values of a window that an admin admits although [`admit`] refuses it. An unknown employee,
/// project or task is still an error, because reports could not show its name; so is an invalid
/// time range.
pub(crate) fn admit_anyway(item: &IngestItem, bindings: &Bindings) -> Result<Admitted, Code> {
    bindings.employee(item.employee_id).ok_or(Code::UnknownEmployee)?;
    bindings.project(item.window.project_id).ok_or(Code::UnknownProject)?;
    let task = bindings.task(item.window.task_id).ok_or(Code::UnknownTask)?;
    let range = TimeRange::new(item.window.start, item.window.end).map_err(|_| Code::Invalid)?;
    Ok(fixed(item, range, task, bindings))
}

fn fixed(item: &IngestItem, range: TimeRange, task: &TaskChanged, bindings: &Bindings) -> Admitted {
    let window = &item.window;
    let work = RatedWork { employee: item.employee_id, project: window.project_id, task: window.task_id };
    Admitted {
        billable: task.billable,
        status: window.task_status.clone().unwrap_or_else(|| task.status.clone()),
        priority: window.task_priority.clone().unwrap_or_else(|| task.priority.clone()),
        price: bindings.price(work, range),
    }
}

/// The terms that are common to two lists: every overlap of a term of one list with a term of the
/// other.
fn common(some: &[Term], others: &[Term]) -> Vec<Term> {
    some.iter().flat_map(|one| others.iter().filter_map(|other| one.common(*other))).collect()
}

/// The reason why a window is not recorded, as a sentence for the employee.
pub(crate) fn refusal(code: Code) -> &'static str {
    match code {
        Code::UnknownEmployee => "There is no such employee.",
        Code::UnknownProject => "There was no such project at the time. Choose another one, or ask an admin.",
        Code::UnknownTask => "There was no such task on this project at the time. Choose another one, or ask an admin.",
        Code::EmployeeDeactivated => "You were deactivated at the time. Ask an admin.",
        Code::ProjectArchived => "The project was archived at the time. Choose another one, or ask an admin.",
        Code::NotOnProject => "You were not on this project at the time. Ask an admin to put you on it.",
        Code::NotOnTask => "You were not on this task at the time. Ask an admin to put you on it.",
        Code::Unavailable => "It is not known yet who was on what at the time. The window is tried again by itself.",
        Code::ClockAhead => "The window ends ahead of the server's clock: check the clock of the computer.",
        Code::ClockBehind => "The window began long ago, so the clock of the computer was probably wrong: check it.",
        Code::Conflict => "Its id belongs to another window.",
        Code::PeriodLocked => "The time is settled already: it is locked, or the pay period is approved.",
        _ => "The window cannot be recorded.",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use contracts::{
        AssignmentChanged, ContentHash, EmployeeChanged, EmployeeId, EmployeeState, FormerTerms, HOUR, MemberChanged,
        Millis, Payee, Payroll, PayrollLine, ProjectChanged, ProjectId, ProjectTerm, Rate, TaskChanged, TaskId,
        TaskTerm, WindowId, WindowSent,
    };
    use uuid::Uuid;

    use super::*;
    use crate::domain::Binding;

    const NOON: i64 = 12 * HOUR;

    fn label(text: &str) -> Label {
        Label::parse(text).unwrap()
    }

    pub(crate) fn item(start: i64, end: i64) -> (IngestItem, TimeRange) {
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

    #[derive(Clone)]
    pub(crate) struct Case {
        pub(crate) employee: EmployeeChanged,
        pub(crate) project: ProjectChanged,
        pub(crate) task: TaskChanged,
        pub(crate) member: MemberChanged,
        pub(crate) assignment: AssignmentChanged,
        /// The project that the window names.
        pub(crate) window_on: ProjectId,
    }

    /// A case in which Ann has always been on the project and on the task, without an end.
    pub(crate) fn ann() -> Case {
        let (employee_id, project_id, task_id) =
            (EmployeeId(Uuid::from_u128(1)), ProjectId(Uuid::from_u128(2)), TaskId(Uuid::from_u128(3)));
        let term = Term { from: None, until: None };
        Case {
            employee: EmployeeChanged(EmployeeState {
                id: employee_id,
                version: 1,
                epoch: 0,
                deactivated_at: None,
                active: None,
            }),
            project: ProjectChanged {
                id: project_id,
                version: 1,
                payroll: Payroll::default(),
                archived: false,
                deleted: false,
                open: None,
            },
            task: TaskChanged {
                id: task_id,
                project_id,
                version: 1,
                billable: true,
                status: label("To Do"),
                priority: label("Low"),
                deleted: false,
                projects: None,
            },
            member: MemberChanged { project_id, employee_id, version: 1, terms: vec![term] },
            assignment: AssignmentChanged {
                task_id,
                project_id,
                employee_id,
                version: 1,
                terms: vec![TaskTerm { term, member_term: 0 }],
                former: Vec::new(),
            },
            window_on: project_id,
        }
    }

    impl Case {
        pub(crate) fn parties(self) -> [Binding; 5] {
            [
                Binding::Employee(self.employee),
                Binding::Project(self.project),
                Binding::Task(self.task),
                Binding::Member(self.member),
                Binding::Assignment(self.assignment),
            ]
        }

        fn bindings(self) -> Bindings {
            self.parties().into_iter().collect()
        }

        pub(crate) fn admit(self, start: i64, end: i64) -> Admission {
            let (mut item, range) = item(start, end);
            item.window.project_id = self.window_on;
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

    /// A term that ends at noon.
    fn ended() -> Term {
        Term { from: None, until: Some(Millis(NOON)) }
    }

    /// The refusal codes of three windows: before noon, across noon, and after noon. None means
    /// admitted.
    fn around_noon(change: fn(&mut Case)) -> [Option<Code>; 3] {
        [(NOON - HOUR, NOON), (NOON - 1, NOON + 1), (NOON, NOON + HOUR)].map(|(start, end)| {
            let mut case = ann();
            change(&mut case);
            match case.admit(start, end) {
                Admission::Admitted(_) => None,
                Admission::Refused(code) => Some(code),
                other => panic!("{other:?}"),
            }
        })
    }

    #[test]
    fn hours_from_before_a_project_was_archived_or_deleted_are_recorded_and_those_after_it_are_not() {
        let archived = around_noon(|case| {
            case.project.archived = true;
            case.project.open = Some(vec![ended()]);
        });
        assert_eq!(archived, [None, None, Some(Code::ProjectArchived)]);
        let deleted = around_noon(|case| {
            case.project.deleted = true;
            case.project.open = Some(vec![ended()]);
            case.member.terms = vec![ended()];
        });
        assert_eq!(deleted, [None, None, Some(Code::UnknownProject)]);
    }

    #[test]
    fn hours_from_before_a_task_was_deleted_are_recorded_and_those_after_it_are_not() {
        let deleted = around_noon(|case| {
            case.task.deleted = true;
            case.task.projects = Some(vec![ProjectTerm { project_id: case.task.project_id, term: ended() }]);
            case.assignment.terms[0].term = ended();
        });
        assert_eq!(deleted, [None, None, Some(Code::UnknownTask)]);
    }

    /// A case in which Ann's task moves to another project at noon, and she stays on it.
    fn moved() -> Case {
        let (mut case, old, new) = (ann(), ProjectId(Uuid::from_u128(2)), ProjectId(Uuid::from_u128(7)));
        let since = Term { from: Some(Millis(NOON)), until: None };
        case.task.project_id = new;
        case.task.projects =
            Some(vec![ProjectTerm { project_id: old, term: ended() }, ProjectTerm { project_id: new, term: since }]);
        case.assignment.project_id = new;
        case.assignment.former =
            vec![FormerTerms { project_id: old, terms: vec![TaskTerm { term: ended(), member_term: 0 }] }];
        case
    }

    #[test]
    fn hours_from_before_a_task_was_moved_go_to_its_former_project_and_those_after_it_to_the_new_one() {
        assert_eq!(around_noon(|case| *case = moved()), [None, None, Some(Code::UnknownTask)]);
        let on_the_new_one = around_noon(|case| {
            *case = moved();
            case.project.id = case.task.project_id;
            case.member.project_id = case.task.project_id;
            case.window_on = case.task.project_id;
        });
        assert_eq!(on_the_new_one, [Some(Code::UnknownTask), None, None]);
    }

    #[test]
    fn hours_from_before_a_deactivation_are_recorded_also_after_the_reactivation_and_those_between_are_not() {
        let back = around_noon(|case| {
            let since = Term { from: Some(Millis(NOON + 2 * HOUR)), until: None };
            case.employee.0.active = Some(vec![ended(), since]);
        });
        assert_eq!(back, [None, None, Some(Code::EmployeeDeactivated)]);
    }

    #[test]
    fn what_was_told_without_times_is_judged_by_what_holds_now() {
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
        assert_eq!(admitted.price.rates.bill_rate, Rate::try_from(10.0).ok());
        let mut case = ann();
        case.project.payroll.0.insert(Payee::Everybody, line(10.0));
        case.project.payroll.0.insert(Payee::Employee(case.employee.0.id), line(20.0));
        let Admission::Admitted(admitted) = case.admit(0, 1) else { panic!("admitted") };
        assert_eq!(admitted.price.rates.bill_rate, Rate::try_from(20.0).ok());
    }
}
