use contracts::{
    Code, Failure, Millis, RatePart, Rates, Term, TimeRange, WINDOW_AHEAD, Window, WindowCorrection, WindowSent, fitted,
};

use super::Bindings;

/// A window with an admin's changes. It must keep the limits that hold for every window, and may
/// end at most 5 minutes ahead of the server's clock. It may begin before `EARLIEST_WINDOW`.
/// Changes that name a project must name the task too.
pub(crate) fn correct(window: &Window, changes: &WindowCorrection, now: Millis) -> Result<Window, Failure> {
    let WindowCorrection { start, end, project_id, task_id, .. } = changes.clone();
    if project_id.is_some() && task_id.is_none() {
        return Err(Failure::field("taskId", "must be given with projectId: a task belongs to one project"));
    }
    let mut to = window.clone();
    to.start = start.unwrap_or(to.start);
    to.end = end.unwrap_or(to.end);
    to.project_id = project_id.unwrap_or(to.project_id);
    to.task_id = task_id.unwrap_or(to.task_id);
    to.start_translated = to.start - to.timezone_offset;
    to.end_translated = to.end - to.timezone_offset;
    to.task_status = changes.task_status.clone().unwrap_or(to.task_status);
    to.task_priority = changes.task_priority.clone().unwrap_or(to.task_priority);
    to.paid = changes.paid.unwrap_or(to.paid);
    to.billable = changes.billable.unwrap_or(to.billable);
    to.overtime = changes.overtime.unwrap_or(to.overtime);
    to.note = changes.note.clone().unwrap_or(to.note);
    to.updated_at = now;
    let range = WindowSent::check_limits(to.start, to.end, to.timezone_offset);
    correct_rates(&mut to, changes, range.map_err(|fault| Failure::fields(vec![fault]))?);
    if to.end > now + WINDOW_AHEAD {
        return Err(Failure::field("end", "must be at most 5 minutes ahead of the server's clock"));
    }
    Ok(to)
}

/// Sets, for the whole window, the rates that the admin has named. The other rates stay as they are
/// in each part.
fn correct_rates(window: &mut Window, changes: &WindowCorrection, range: TimeRange) {
    let corrected = |rates: Rates| Rates {
        bill_rate: changes.bill_rate.unwrap_or(rates.bill_rate),
        overtime_bill_rate: changes.overtime_bill_rate.unwrap_or(rates.overtime_bill_rate),
        pay_rate: changes.pay_rate.unwrap_or(rates.pay_rate),
        overtime_pay_rate: changes.overtime_pay_rate.unwrap_or(rates.overtime_pay_rate),
    };
    let (rates, parts) = fitted(window.rates(), std::mem::take(&mut window.rate_parts), range);
    let mut last = corrected(rates);
    let rates = last;
    let mut differs = |part: RatePart| {
        let is_other = part.rates() != last;
        last = part.rates();
        is_other.then_some(part)
    };
    let parts =
        parts.into_iter().filter_map(|part| differs(RatePart::new(part.from, corrected(part.rates())))).collect();
    window.set_rates(rates, parts);
}

/// Requires that the project of the corrected window exists, and that the task belongs to it: now,
/// or when the work was done. The project may be archived.
///
/// # Errors
/// 400 if, both now and when the work was done, there is no such project or no such task on it.
pub(crate) fn require_task_of_project(to: &Window, bindings: &Bindings) -> Result<(), Failure> {
    let worked = Term { from: Some(to.start), until: Some(to.end) };
    let held_then = |terms: Vec<Term>| terms.into_iter().any(|term| term.common(worked).is_some());
    let project = bindings.project(to.project_id);
    if !project.is_some_and(|project| !project.deleted || held_then(project.open_terms())) {
        return Err(Failure::new(Code::UnknownProject, "There is no such project, and was none at that time."));
    }
    let is_of_project = bindings.task(to.task_id).is_some_and(|task| {
        let is_now = !task.deleted && task.project_id == to.project_id;
        is_now || held_then(task.terms_on(to.project_id))
    });
    if !is_of_project {
        let detail = "There is no such task on this project, and was none at that time.";
        return Err(Failure::new(Code::UnknownTask, detail));
    }
    Ok(())
}
