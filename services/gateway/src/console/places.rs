//! The pages of the console: their paths and titles, and who may open them.

use axum::http::Method;
use contracts::{
    EmployeeId, PayRunId, ProjectId,
    Resource::{Analytics, Audit, Employees, Keys, Periods, Projects, Rates, Settings, Tasks, Time},
    TaskId, WindowId,
};

use super::notice::Done;
use crate::auth::Access::{self, Open, Own, Scoped, ScopedForAll, ScopedOrOwn};

/// A page or the target of a form.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) access: Access,
}

const fn place(path: &'static str, name: &'static str, access: Access) -> Place {
    Place { path, name, access }
}

pub(super) const NOW: Place = place("/console", "Now", Scoped(Analytics));
pub(super) const DAY: Place = place("/console/day", "Day", Scoped(Analytics));
pub(super) const WEEK: Place = place("/console/week", "Week", Scoped(Analytics));
pub(super) const PROJECTS: Place = place("/console/projects", "Projects", Scoped(Projects));
pub(super) const PROJECT: Place = place("/console/projects/{id}", "Project", Scoped(Projects));
pub(super) const PROJECT_UPDATE: Place = place("/console/projects/{id}/update", "Project", Scoped(Projects));
pub(super) const PROJECT_ARCHIVE: Place = place("/console/projects/{id}/archive", "Project", Scoped(Projects));
pub(super) const PROJECT_RESTORE: Place = place("/console/projects/{id}/restore", "Project", Scoped(Projects));
pub(super) const PROJECT_DELETE: Place = place("/console/projects/{id}/delete", "Project", Scoped(Projects));
pub(super) const PROJECT_PUT_ON: Place = place("/console/projects/{id}/put-on", "Project", Scoped(Projects));
pub(super) const PROJECT_TAKE_OFF: Place = place("/console/projects/{id}/take-off", "Project", Scoped(Projects));
pub(super) const PROJECT_RATES: Place = place("/console/projects/{id}/rates", "Project", Scoped(Projects));
pub(super) const RATES: Place = place("/console/rates", "Rates", Scoped(Rates));
pub(super) const RATE_SET: Place = place("/console/rates/set", "Rates", Scoped(Rates));
pub(super) const RATE_DELETE: Place = place("/console/rates/delete", "Rates", Scoped(Rates));
pub(super) const REPRICE: Place = place("/console/reprice", "Price anew", Scoped(Rates));
pub(super) const PROJECT_TASKS: Place = place("/console/projects/{id}/tasks", "Project", Scoped(Tasks));
pub(super) const TASK: Place = place("/console/tasks/{id}", "Task", Scoped(Tasks));
pub(super) const TASK_UPDATE: Place = place("/console/tasks/{id}/update", "Task", Scoped(Tasks));
pub(super) const TASK_PUT_ON: Place = place("/console/tasks/{id}/put-on", "Task", Scoped(Tasks));
pub(super) const TASK_TAKE_OFF: Place = place("/console/tasks/{id}/take-off", "Task", Scoped(Tasks));
pub(super) const TASK_MOVE: Place = place("/console/tasks/{id}/move", "Task", Scoped(Tasks));
pub(super) const TASK_DELETE: Place = place("/console/tasks/{id}/delete", "Task", Scoped(Tasks));
pub(super) const PEOPLE: Place = place("/console/people", "People", Scoped(Employees));
pub(super) const PERSON: Place = place("/console/people/{id}", "Person", Scoped(Employees));
pub(super) const UPDATE: Place = place("/console/people/{id}/update", "Person", Scoped(Employees));
pub(super) const INVITE: Place = place("/console/people/{id}/invite", "Person", Scoped(Employees));
pub(super) const DEACTIVATE: Place = place("/console/people/{id}/deactivate", "Person", Scoped(Employees));
pub(super) const REACTIVATE: Place = place("/console/people/{id}/reactivate", "Person", Scoped(Employees));
pub(super) const SET_ROLE: Place = place("/console/people/{id}/role", "Person", Scoped(Keys));
pub(super) const ATTENTION: Place = place("/console/attention", "Needs attention", Scoped(Time));
pub(super) const REPLAY: Place = place("/console/attention/replay", "Needs attention", Scoped(Time));
pub(super) const ASSIGN: Place = place("/console/attention/assign", "Needs attention", Scoped(Time));
pub(super) const ADMIT: Place = place("/console/attention/admit", "Needs attention", Scoped(Time));
pub(super) const DISCARD: Place = place("/console/attention/discard", "Needs attention", Scoped(Time));
pub(super) const CORRECTIONS: Place = place("/console/corrections", "Corrections", Scoped(Time));
pub(super) const ACCEPT_CORRECTION: Place = place("/console/corrections/accept", "Corrections", Scoped(Time));
pub(super) const REFUSE_CORRECTION: Place = place("/console/corrections/refuse", "Corrections", Scoped(Time));
pub(super) const APPROVALS: Place = place("/console/approvals", "Approvals", Scoped(Periods));
pub(super) const APPROVE: Place = place("/console/approvals/approve", "Approvals", Scoped(Periods));
pub(super) const SEND_BACK: Place = place("/console/approvals/send-back", "Approvals", Scoped(Periods));
pub(super) const REOPEN: Place = place("/console/approvals/reopen", "Approvals", Scoped(Periods));
pub(super) const PAY_RUNS: Place = place("/console/pay-runs", "Pay runs", ScopedForAll(Periods));
pub(super) const PAY_RUN: Place = place("/console/pay-runs/{id}", "Pay run", ScopedForAll(Periods));
pub(super) const PAY_RUN_JSON: Place = place("/console/pay-runs/{id}/json", "Pay run", ScopedForAll(Periods));
pub(super) const PAY_RUN_CSV: Place = place("/console/pay-runs/{id}/csv", "Pay run", ScopedForAll(Periods));
pub(super) const PAY_RUN_XLSX: Place = place("/console/pay-runs/{id}/xlsx", "Pay run", ScopedForAll(Periods));
pub(super) const LOCKS: Place = place("/console/locks", "Locks", Scoped(Periods));
pub(super) const REOPEN_LOCK: Place = place("/console/locks/reopen", "Locks", ScopedForAll(Periods));
pub(super) const REPORTS: Place = place("/console/reports", "Reports", Scoped(Analytics));
pub(super) const REPORTS_CSV: Place = place("/console/reports/csv", "Reports", Scoped(Analytics));
pub(super) const REPORTS_XLSX: Place = place("/console/reports/xlsx", "Reports", Scoped(Analytics));
pub(super) const WINDOWS: Place = place("/console/windows", "Windows", ScopedOrOwn(Analytics));
pub(super) const WINDOW: Place = place("/console/windows/{id}", "Window", Scoped(Time));
pub(super) const VOID: Place = place("/console/windows/{id}/void", "Window", Scoped(Time));
pub(super) const AUDIT: Place = place("/console/audit", "Audit", Scoped(Audit));
pub(super) const AUDIT_CSV: Place = place("/console/audit/csv", "Audit", Scoped(Audit));
pub(super) const SETTINGS: Place = place("/console/settings", "Settings", Scoped(Settings));
pub(super) const MAKE_KEY: Place = place("/console/settings/key", "A new key", Scoped(Keys));
pub(super) const REVOKE_KEY: Place = place("/console/settings/revoke", "Settings", Scoped(Keys));
pub(super) const ACCOUNT: Place = place("/console/account", "My account", Own);
pub(super) const PASSWORD: Place = place("/console/account/password", "My account", Own);
pub(super) const END_SESSION: Place = place("/console/account/end", "My account", Own);
pub(super) const END_OTHERS: Place = place("/console/account/end-others", "My account", Own);
pub(super) const MY_DAY: Place = place("/me", "My day", Own);
pub(super) const ASK: Place = place("/me/correction", "Ask for a correction", Own);
pub(super) const ASK_VOID: Place = place("/me/correction/void", "Ask for a correction", Own);
pub(super) const MY_SUBMIT: Place = place("/me/submit", "My day", Own);
pub(super) const ZONE: Place = place("/console/zone", "Time zone", Own);
pub(super) const LOG_IN: Place = place("/console/log-in", "Log in", Open);
/// The path for logging out, which accepts only POST.
pub(super) const LOG_OUT: &str = "/console/log-out";

/// The pages in the menu, in this order. A visitor sees those that they may open.
pub(super) const MENU: [&Place; 14] = [
    &NOW,
    &DAY,
    &WEEK,
    &PROJECTS,
    &PEOPLE,
    &ATTENTION,
    &CORRECTIONS,
    &APPROVALS,
    &PAY_RUNS,
    &REPORTS,
    &AUDIT,
    &SETTINGS,
    &MY_DAY,
    &ACCOUNT,
];

/// The paths of all pages, each with who may open it: `anybody`, `own`, a scope, a scope followed
/// by ` or own`, or a scope followed by ` for all`, which managers do not have. Tests use it to
/// open every page with every role.
pub fn console_pages() -> impl Iterator<Item = (&'static str, String)> {
    let all = [
        &NOW,
        &DAY,
        &WEEK,
        &PROJECTS,
        &PROJECT,
        &TASK,
        &PEOPLE,
        &PERSON,
        &ATTENTION,
        &APPROVALS,
        &PAY_RUNS,
        &PAY_RUN,
        &LOCKS,
        &REPORTS,
        &WINDOWS,
        &WINDOW,
        &AUDIT,
        &SETTINGS,
        &MY_DAY,
        &ACCOUNT,
        &ZONE,
        &LOG_IN,
        &RATES,
        &REPRICE,
        &CORRECTIONS,
        &ASK,
    ];
    all.into_iter().map(|place| {
        let word = match (place.access, place.access.scope(&Method::GET)) {
            (Access::ScopedOrOwn(_), Some(scope)) => format!("{scope} or own"),
            (Access::ScopedForAll(_), Some(scope)) => format!("{scope} for all"),
            (_, Some(scope)) => scope.to_string(),
            (Access::Own, None) => "own".to_owned(),
            (_, None) => "anybody".to_owned(),
        };
        (place.path, word)
    })
}

/// The path of a window's page.
pub(super) fn window(id: WindowId) -> String {
    format!("{}/{id}", WINDOWS.path)
}

/// The path of a page, with the name of a notice in the query.
pub(super) fn after(path: &str, done: Done) -> String {
    format!("{path}?done={}", done.word())
}

/// The path of an employee's page.
pub(super) fn person(id: EmployeeId) -> String {
    format!("{}/{id}", PEOPLE.path)
}

/// The path of an employee's page, with the name of a notice in the query.
pub(super) fn person_after(id: EmployeeId, done: Done) -> String {
    format!("{}?done={}", person(id), done.word())
}

/// The path to which a form on the employee's page is submitted.
pub(super) fn person_action(id: EmployeeId, word: &str) -> String {
    format!("{}/{word}", person(id))
}

/// The path of a pay run's page.
pub(super) fn pay_run(id: PayRunId) -> String {
    format!("{}/{id}", PAY_RUNS.path)
}

/// The path of a project's page.
pub(super) fn project(id: ProjectId) -> String {
    format!("{}/{id}", PROJECTS.path)
}

/// The path of a project's page, with the name of a notice in the query.
pub(super) fn project_after(id: ProjectId, done: Done) -> String {
    format!("{}?done={}", project(id), done.word())
}

/// The path of a task's page.
pub(super) fn task(id: TaskId) -> String {
    TASK.path.replace("{id}", &id.to_string())
}

/// The path of a task's page, with the name of a notice in the query.
pub(super) fn task_after(id: TaskId, done: Done) -> String {
    format!("{}?done={}", task(id), done.word())
}
