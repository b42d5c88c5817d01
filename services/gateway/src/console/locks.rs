//! The page of the locks of the organisation and of projects, with the forms that move them.

use axum::response::Response;
use contracts::{
    Code, Failure, ListLocks, ListProjects, Lock, Millis, Project, ProjectId, ReopenLock, Resource, Scope, SetLock,
    Zone,
};
use futures::try_join;
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    doers::{actor, doer, want},
    errors,
    forms::said,
    inputs::{self, Input, alert, beside, text},
    lanes,
    notice::{Done, notice},
    places,
    visitor::Visitor,
};
use crate::{
    extract::{Form, Params},
    names::{Ids, KnownNames},
    routes::LOCK_PATIENCE,
};

/// The largest number of projects that the form offers.
const MOST: usize = 5_000;
/// The error message for an invalid day.
const DAY: &str = "must be a day such as 2026-03-01";

/// The values of both forms: what to lock, up to which day, and the reason for moving a lock back.
#[derive(Default, Deserialize)]
pub(super) struct Filled {
    project: Option<String>,
    day: Option<String>,
    reason: Option<String>,
}

/// A submitted form that failed: whether it moves a lock back, its values, and the failure.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    reopens: bool,
    filled: &'a Filled,
    failure: &'a Failure,
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params, None).await;
    visitor.page(&places::LOCKS, content)
}

/// Moves a lock forward.
pub(super) async fn set(visitor: Visitor, params: Params, Form(filled): Form<Filled>) -> Response {
    let outcome = async {
        let project_id = filled.project()?;
        let locked_until = filled.until(&visitor).await?.ok_or_else(|| Failure::field("day", DAY))?;
        visitor.asker.ask_within(&visitor.app, LOCK_PATIENCE, SetLock { project_id, locked_until }).await
    };
    match outcome.await {
        Ok(_) => errors::see(&places::after(places::LOCKS.path, Done::Locked)),
        Err(failure) => again(&visitor, &params, Attempt { reopens: false, filled: &filled, failure: &failure }).await,
    }
}

/// Moves a lock back to an earlier day, or removes it if the form has no day.
pub(super) async fn reopen(visitor: Visitor, params: Params, Form(filled): Form<Filled>) -> Response {
    let outcome = async {
        let project_id = filled.project()?;
        let locked_until = filled.until(&visitor).await?;
        let reason = inputs::note(text(&filled.reason).trim()).map_err(|error| Failure::field("reason", error))?;
        let reason = reason.ok_or_else(|| Failure::field("reason", "must say why"))?;
        visitor.ask(ReopenLock { project_id, locked_until, reason }).await
    };
    match outcome.await {
        Ok(_) => errors::see(&places::after(places::LOCKS.path, Done::Reopened)),
        Err(failure) => again(&visitor, &params, Attempt { reopens: true, filled: &filled, failure: &failure }).await,
    }
}

impl Filled {
    /// The project whose lock is moved; `None` for the lock of the organisation.
    fn project(&self) -> Result<Option<ProjectId>, Failure> {
        match text(&self.project) {
            "" => Ok(None),
            id => id.parse().map(Some).map_err(|_| Failure::field("project", "must be one of those")),
        }
    }

    /// The first moment of the chosen day in the organisation's time zone; `None` without a day.
    async fn until(&self, visitor: &Visitor) -> Result<Option<Millis>, Failure> {
        match text(&self.day).trim() {
            "" => Ok(None),
            day => {
                let day: Date = day.parse().map_err(|_| Failure::field("day", DAY))?;
                Ok(Some(visitor.app.organisation.settings().await.timezone.beginning(day)))
            }
        }
    }
}

async fn again(visitor: &Visitor, params: &Params, attempt: Attempt<'_>) -> Response {
    let content = content(visitor, params, Some(attempt)).await;
    visitor.again(&places::LOCKS, attempt.failure, content)
}

async fn content(visitor: &Visitor, params: &Params, attempt: Option<Attempt<'_>>) -> Result<Markup, Failure> {
    let may_move = visitor.may_for_all(Resource::Periods);
    let projects = async {
        if may_move && visitor.may(Scope::read(Resource::Projects)) {
            Ok::<_, Failure>(visitor.first(ListProjects::default(), MOST).await?.0)
        } else {
            Ok(Vec::new())
        }
    };
    let (mut locks, projects) = try_join!(visitor.ask(ListLocks {}), projects)?;
    let mut ids = Ids { projects: locks.iter().filter_map(|lock| lock.project_id).collect(), ..Ids::default() };
    locks.iter().for_each(|lock| want(&mut ids, actor(lock.changed_by.as_ref())));
    let names = visitor.names(ids).await;
    locks.sort_by_cached_key(|lock| (lock.project_id.is_some(), what(&names, lock).to_lowercase(), lock.project_id));
    let zone = visitor.app.organisation.settings().await.timezone.clone();
    Ok(html! {
        (notice(params))
        p { "What lies before a lock is settled for everybody: nothing of it is recorded, corrected or priced anew. Hours that come late for it are never lost: they are held back until somebody decides." }
        @if may_move { (form(visitor, &zone, &projects, attempt.filter(|attempt| !attempt.reopens))) }
        section {
            @if locks.is_empty() { p.empty { "Nothing is locked." } }
            @else {
                div.wide tabindex="0" role="region" aria-label="Locks" { table {
                    thead { tr {
                        th scope="col" { "Of" } th scope="col" { "Settled is what lies before" } th scope="col" { "Moved last" }
                        @if may_move { th scope="col" { "Open again" } }
                    } }
                    tbody { @for lock in &locks { tr {
                        th.text scope="row" { (what(&names, lock)) }
                        td { @match lock.locked_until { Some(until) => (visitor.reader.moment(until)), None => "nothing" } }
                        td.text { (visitor.reader.moment(lock.changed_at)) " by " (doer(visitor, &names, actor(lock.changed_by.as_ref()))) }
                        @if may_move { td { @if lock.locked_until.is_some() { (opening(visitor, &names, lock, attempt)) } } }
                    } } }
                } }
            }
        }
    })
}

/// The name of the locked project, or "Everything" for the lock of the organisation.
fn what<'a>(names: &'a KnownNames, lock: &Lock) -> &'a str {
    lock.project_id.map_or("Everything", |id| lanes::project(names, id))
}

/// The error message for the field of the day, from the failure's code or its field errors.
fn wrong_day(failure: Option<&Failure>) -> Option<&str> {
    let of_rule = failure.filter(|failure| failure.code == Code::LockMovesBack).map(|failure| failure.detail.as_str());
    of_rule.or(said(failure, "lockedUntil")).or(said(failure, "day"))
}

fn form(visitor: &Visitor, zone: &Zone, projects: &[Project], attempt: Option<Attempt<'_>>) -> Markup {
    let (filled, failure) = attempt.map(|attempt| (attempt.filled, attempt.failure)).unzip();
    let typed = |of: fn(&Filled) -> &Option<String>| filled.map_or("", |filled| text(of(filled)));
    let input = |name, label, value, error| Input { form: "lock", name, label, value, error, hint: None };
    let mut options = vec![(String::new(), "Everything".to_owned())];
    options.extend(projects.iter().map(|project| (project.id.to_string(), project.name.to_string())));
    let hint = format!(
        "Days are those of {zone}, where the organisation is. A lock only moves forward; to move it back, open it again."
    );
    html! {
        section {
            h2 { "Lock" }
            (alert(failure))
            form method="post" action=(visitor.address(places::LOCKS.path)) {
                (input("project", "What", typed(|f| &f.project), beside(failure, "project")).choice(&options))
                (Input { hint: Some(&hint), ..input("day", "Settled is what lies before this day", typed(|f| &f.day), wrong_day(failure)) }.day())
                p { button type="submit" { "Lock it" } }
            }
        }
    }
}

/// Renders the form that moves a lock back.
fn opening(visitor: &Visitor, names: &KnownNames, lock: &Lock, attempt: Option<Attempt<'_>>) -> Markup {
    let project = lock.project_id.map(|id| id.to_string()).unwrap_or_default();
    let attempt = attempt.filter(|attempt| attempt.reopens && text(&attempt.filled.project) == project);
    let (filled, failure) = attempt.map(|attempt| (attempt.filled, attempt.failure)).unzip();
    let typed = |of: fn(&Filled) -> &Option<String>| filled.map_or("", |filled| text(of(filled)));
    let name = format!("reopen-{}", if project.is_empty() { "all" } else { &project });
    let input = |field, label, value, error| Input { form: &name, name: field, label, value, error, hint: None };
    let back = Input {
        hint: Some("Left out, nothing of it stays locked."),
        ..input("day", "Back to this day", typed(|f| &f.day), wrong_day(failure))
    };
    let of = what(names, lock);
    html! {
        details open[attempt.is_some()] {
            summary { "Open again" span.unseen { ": " (of) } "…" }
            (alert(failure))
            form method="post" action=(visitor.address(places::REOPEN_LOCK.path)) {
                input type="hidden" name="project" value=(project);
                (back.any_day())
                (input("reason", "Why", typed(|f| &f.reason), beside(failure, "reason")).line())
                p { button type="submit" { "Open it again" span.unseen { ": " (of) } } }
            }
        }
    }
}
