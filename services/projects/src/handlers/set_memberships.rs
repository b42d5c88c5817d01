use std::sync::Arc;

use contracts::{
    Action, AuditSubject, Conditional, Failure, PROJECTS_MOST, ProjectId, SetMemberships, changed, projects_tag,
};
use kit::{Call, Error};
use serde_json::json;

use crate::{
    App, WAIT, bindings,
    domain::{Move, distinct, unknown_project},
    payroll,
};

/// Makes an employee a member of exactly these projects, in one transaction. The condition of the
/// request applies only if this changes a membership. With `only_check`, for an employee who does
/// not exist yet, only checks that the projects accept another member.
pub(crate) async fn set_memberships(
    app: Arc<App>,
    call: Call,
    Conditional { change: SetMemberships { employee_id: employee, projects, only_check }, if_match }: Conditional<
        SetMemberships,
    >,
) -> Result<Vec<ProjectId>, Error> {
    call.require_admin()?;
    let listed = distinct(projects);
    if listed.len() > PROJECTS_MOST {
        return Err(Failure::field("projects", format!("must be at most {PROJECTS_MOST} projects")).into());
    }
    // No request goes to directory when no project is listed, because every employee may leave, and
    // none with `only_check`, because the employee may not exist yet.
    let asked = if listed.is_empty() || only_check { &[][..] } else { &[employee] };
    let employee_state = bindings::employee_states(&app, asked).await?.pop();
    kit::change!(app.db.awaited(WAIT), tx => {
        let on = app.store.members.of_employee(tx, employee).await?;
        let Move { leaving, joining } = Move::between(&on, &listed, employee_state.as_ref());
        if !leaving.is_empty() || !joining.is_empty() {
            if_match.require(|| projects_tag(on.iter().map(|member| member.project).collect()))?;
        }
        let mut projects = app.store.projects.lock_all(tx, leaving.iter().chain(&joining).copied()).await?;
        // Two concurrent calls for the same employee conflict here, even if they have no project in
        // common.
        app.store.employee_refs.touch(tx, &[employee]).await?;
        let now = app.clock.now();
        for id in &leaving {
            let Some(project) = projects.get_mut(id) else { continue };
            if !joining.contains(id) {
                let was = project.state.payroll.clone();
                project.take_off(employee);
                payroll::keep(&app, tx, *id, &was, &project.state.payroll, now).await?;
            }
            bindings::take_off(&app, tx, *id, &[employee], now).await?;
        }
        for id in &joining {
            projects.get_mut(id).ok_or_else(unknown_project)?.put_on(employee)?;
            if !only_check {
                bindings::put_on(&app, tx, *id, &[employee], now).await?;
            }
        }
        if only_check {
            return Ok(listed.clone());
        }
        for project in projects.values() {
            app.store.projects.replace(tx, project).await?;
        }
        tx.emit_all(&projects.values().map(|project| project.changed()).collect::<Vec<_>>()).await?;
        let was: Vec<_> = on.iter().map(|member| member.project).collect();
        let changes = changed(&json!({ "projects": was }), &json!({ "projects": listed }));
        tx.audit(Action::MembershipsSet, AuditSubject::new("employee", employee), changes).await?;
        Ok(listed.clone())
    })
}
