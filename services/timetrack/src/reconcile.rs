//! Compares the copy of who may track on what with directory and projects, who know.

use std::{collections::HashMap, sync::Arc};

use contracts::{
    AssignmentChanged, AssignmentKey, EmployeeChanged, ListAssignments, ListMembers, ListProjectStates, ListStandings,
    ListTaskStates, MemberKey, Page, ReconcileTimetrack, Reconciled, Request,
};
use futures::FutureExt;
use kit::{Call, Error, Shutdown, Tally, ask_page};

use crate::{
    App,
    domain::{Binding, BindingKey},
};

/// Compares on schedule, and where events were missed.
pub(crate) fn keep(app: &Arc<App>, shutdown: &Shutdown) {
    let (app, reconciler) = (app.clone(), app.reconciler.clone());
    reconciler.keep(shutdown, move || {
        let app = app.clone();
        async move { round(&app).await }.boxed()
    });
}

/// Compares now.
pub(crate) async fn reconcile(app: Arc<App>, call: Call, _: ReconcileTimetrack) -> Result<Reconciled, Error> {
    call.require_admin()?;
    app.reconciler.run(round(&app)).await
}

/// Projects before tasks, members before assignments: the latter are judged by the former.
async fn round(app: &App) -> Result<Vec<(&'static str, Tally)>, Error> {
    let employees = compare(
        app,
        "e:",
        |after| ListStandings { after },
        |told| Binding::Employee(EmployeeChanged(told)),
        BindingKey::Employee,
    );
    let employees = employees.await?;
    let projects =
        compare(app, "p:", |after| ListProjectStates { after }, Binding::Project, BindingKey::Project).await?;
    let tasks = compare(app, "t:", |after| ListTaskStates { after }, Binding::Task, BindingKey::Task).await?;
    let member = |at: MemberKey| BindingKey::Member(at.project, at.employee);
    let members = compare(app, "m:", |after| ListMembers { after }, Binding::Member, member).await?;
    let assignment = |at: AssignmentKey| BindingKey::Assignment(at.task, at.employee);
    let assignments = compare(app, "a:", |after| ListAssignments { after }, Binding::Assignment, assignment).await?;
    Ok(vec![
        ("employees", employees),
        ("projects", projects),
        ("tasks", tasks),
        ("members", members),
        ("assignments", assignments),
    ])
}

/// Compares all parties of one kind, page by page.
async fn compare<R, T, C>(
    app: &App,
    kind: &str,
    ask: impl Fn(Option<C>) -> R,
    binding: impl Fn(T) -> Binding,
    key: impl Fn(C) -> BindingKey,
) -> Result<Tally, Error>
where
    R: Request<Reply = Page<T, C>>,
    C: Copy,
{
    let (mut tally, mut after) = (Tally::default(), None);
    loop {
        let page = ask_page(&app.bus, &ask(after)).await?;
        // No key of this kind comes after this one.
        let upto = page.next.map_or_else(|| format!("{kind}~"), |next| key(next).to_string());
        let from = after.map_or_else(|| kind.to_owned(), |after| key(after).to_string());
        let told: HashMap<_, _> = page.items.into_iter().map(&binding).map(|told| (told.key(), told)).collect();
        tally.compared += told.len() as u64;
        let known = app.store.bindings.between(&from, &upto).await?;
        let known: HashMap<_, _> = known.into_iter().map(|known| (known.0.key(), known)).collect();
        let mut suspects = Vec::new();
        for told in told.values() {
            if says_else(app, known.get(&told.key()), told).await? {
                suspects.push(told);
            }
        }
        let mut extras = Vec::new();
        for (binding, version) in known.values().filter(|(known, _)| !told.contains_key(&known.key())) {
            if is_live(app, binding).await? {
                extras.push((binding, *version));
            }
        }
        if !suspects.is_empty() || !extras.is_empty() {
            // What is on its way is no difference.
            app.reconciler.until_applied().await?;
            for told in suspects {
                if says_else(app, app.store.bindings.get(told.key()).await?.as_ref(), told).await? {
                    tracing::warn!(key = %told.key(), "a binding was not as its service knows it");
                    tally.found += 1;
                    tally.repaired += u64::from(app.store.bindings.heal(told.clone()).await?);
                }
            }
            if !extras.is_empty() {
                let again = ask_page(&app.bus, &ask(after)).await?;
                let upto = again.next.map_or_else(|| format!("{kind}~"), |next| key(next).to_string());
                let told: Vec<_> = again.items.into_iter().map(|told| binding(told).key()).collect();
                for (extra, version) in extras {
                    let key = extra.key();
                    // It may have been deleted meanwhile, and that is what we then know.
                    let now = app.store.bindings.get(key).await?;
                    let as_before = now.is_some_and(|(_, now)| now == version) && is_live(app, extra).await?;
                    if as_before && key.to_string() <= upto && !told.contains(&key) {
                        tracing::warn!(%key, "no service knows of a binding");
                        tally.found += 1;
                        tally.repaired += u64::from(bury(app, extra, version).await?);
                    }
                }
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(tally);
        }
    }
}

/// Whether its service must know of it: it keeps no deleted projects and tasks, and deletes the tasks
/// of a project without a word.
async fn is_live(app: &App, binding: &Binding) -> Result<bool, Error> {
    Ok(match binding {
        Binding::Project(project) => !project.deleted,
        Binding::Task(task) if task.deleted => false,
        Binding::Task(task) => {
            let project = app.store.bindings.get(BindingKey::Project(task.project_id)).await?;
            !matches!(project, Some((Binding::Project(project), _)) if project.deleted)
        }
        Binding::Employee(_) | Binding::Member(_) | Binding::Assignment(_) => true,
    })
}

/// Ends what its service has deleted, as the missed event would have; forgets what is never deleted.
async fn bury(app: &App, extra: &Binding, version: i64) -> Result<bool, Error> {
    let now = app.clock.now();
    let deleted = match extra.clone() {
        Binding::Project(mut project) => {
            (project.deleted, project.version) = (true, version + 1);
            project.open.iter_mut().flat_map(|open| open.last_mut()).for_each(|last| last.end(now));
            Binding::Project(project)
        }
        Binding::Task(mut task) => {
            (task.deleted, task.version) = (true, version + 1);
            task.projects.iter_mut().flat_map(|on| on.last_mut()).for_each(|last| last.term.end(now));
            Binding::Task(task)
        }
        other => return app.store.bindings.forget(other.key(), version).await,
    };
    app.store.bindings.heal(deleted).await
}

/// Whether something else is known, and nothing newer. What earlier versions did not say, and what
/// is changed without a word because it follows from something else, is no difference.
async fn says_else(app: &App, known: Option<&(Binding, i64)>, told: &Binding) -> Result<bool, Error> {
    let Some((known, version)) = known else { return Ok(true) };
    if *version > told.version() {
        return Ok(false);
    }
    if *version != known.version() {
        return Ok(true);
    }
    Ok(match (known, told) {
        (Binding::Employee(known), Binding::Employee(told)) => {
            let mut told = told.clone();
            told.0.active = known.0.active.as_ref().and(told.0.active);
            *known != told
        }
        (Binding::Project(known), Binding::Project(told)) => {
            let mut told = told.clone();
            told.open = known.open.as_ref().and(told.open);
            *known != told
        }
        (Binding::Task(known), Binding::Task(told)) => {
            let mut told = told.clone();
            told.projects = known.projects.as_ref().and(told.projects);
            // Who is taken off with a membership raises it.
            told.version = known.version;
            *known != told
        }
        (Binding::Assignment(known), Binding::Assignment(told)) => known != told && !follows(app, known, told).await?,
        (known, told) => known != told,
    })
}

/// Whether the edge only ended with its membership, as we know that.
async fn follows(app: &App, known: &AssignmentChanged, told: &AssignmentChanged) -> Result<bool, Error> {
    let mut ended = known.clone();
    ended.version = told.version;
    let Some(last) = ended.terms.last_mut().filter(|last| last.term.is_open()) else { return Ok(false) };
    last.term.until = told.terms.last().and_then(|last| last.term.until);
    let term = last.member_term as usize;
    if ended != *told {
        return Ok(false);
    }
    let member = app.store.bindings.get(BindingKey::Member(told.project_id, told.employee_id)).await?;
    Ok(
        matches!(member, Some((Binding::Member(member), _)) if member.terms.get(term).is_some_and(|term| !term.is_open())),
    )
}
