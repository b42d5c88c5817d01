//! Compares the employees' lists of projects with projects, who knows.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use contracts::{EmployeeId, ListMembers, MemberChanged, MemberKey, ReconcileDirectory, Reconciled};
use futures::FutureExt;
use kit::{Call, Delivery, Error, Shutdown, Tally, ask_page, new_id};

use crate::App;

/// Compares on schedule, and where events were missed.
pub(crate) fn keep(app: &Arc<App>, shutdown: &Shutdown) {
    let (app, reconciler) = (app.clone(), app.reconciler.clone());
    reconciler.keep(shutdown, move || {
        let app = app.clone();
        async move { round(&app).await }.boxed()
    });
}

/// Compares now.
pub(crate) async fn reconcile(app: Arc<App>, call: Call, _: ReconcileDirectory) -> Result<Reconciled, Error> {
    call.require_admin()?;
    app.reconciler.run(round(&app)).await
}

async fn round(app: &App) -> Result<Vec<(&'static str, Tally)>, Error> {
    Ok(vec![("memberships", edges(app).await?), ("projects of employees", lists(app).await?)])
}

/// Who is on what, edge by edge.
async fn edges(app: &App) -> Result<Tally, Error> {
    let (mut tally, mut after) = (Tally::default(), None);
    loop {
        let page = ask_page(&app.bus, &ListMembers { after }).await?;
        tally.compared += page.items.len() as u64;
        let mut suspects = Vec::new();
        for edge in &page.items {
            if app.store.memberships.differs(edge).await? {
                suspects.push(edge);
            }
        }
        let extras = extras(app, after, page.next, &page.items).await?;
        if !suspects.is_empty() || !extras.is_empty() {
            // What is on its way is no difference.
            app.reconciler.until_applied().await?;
            for edge in suspects {
                if app.store.memberships.differs(edge).await? {
                    tally.found += 1;
                    tally.repaired += u64::from(heal(app, edge).await?);
                }
            }
            if !extras.is_empty() {
                let again = ask_page(&app.bus, &ListMembers { after }).await?;
                let known: HashSet<_> = again.items.iter().map(key).collect();
                let in_page = |edge: &MemberKey| again.next.is_none_or(|next| *edge <= next);
                for (edge, version) in extras.into_iter().filter(|(edge, _)| in_page(edge) && !known.contains(edge)) {
                    tally.found += 1;
                    tally.repaired += u64::from(forget(app, edge, version).await?);
                }
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(tally);
        }
    }
}

fn key(edge: &MemberChanged) -> MemberKey {
    MemberKey { project: edge.project_id, employee: edge.employee_id }
}

/// The edges of this page that only we know.
async fn extras(
    app: &App,
    after: Option<MemberKey>,
    upto: Option<MemberKey>,
    told: &[MemberChanged],
) -> Result<Vec<(MemberKey, i64)>, Error> {
    let told: HashSet<_> = told.iter().map(key).collect();
    let mut known = app.store.memberships.between(after, upto).await?;
    known.retain(|(edge, _)| !told.contains(edge));
    Ok(known)
}

async fn heal(app: &App, edge: &MemberChanged) -> Result<bool, Error> {
    tracing::warn!(project = %edge.project_id, employee = %edge.employee_id, "a membership was not as projects knows it");
    let mut taken = false;
    kit::follow!(app.db.following(&of_ours()), tx => {
        taken = app.store.memberships.heal(tx, edge).await?;
        if taken {
            app.store.employees.set_project(tx, edge.employee_id, edge.project_id, edge.is_on()).await?;
        }
        Ok(())
    })?;
    Ok(taken)
}

async fn forget(app: &App, edge: MemberKey, version: i64) -> Result<bool, Error> {
    tracing::warn!(project = %edge.project, employee = %edge.employee, "projects knows nothing of a membership");
    let mut forgotten = false;
    kit::follow!(app.db.following(&of_ours()), tx => {
        forgotten = app.store.memberships.forget(tx, edge, version).await?;
        if forgotten {
            app.store.employees.set_project(tx, edge.employee, edge.project, false).await?;
        }
        Ok(())
    })?;
    Ok(forgotten)
}

/// The lists, each against the edges that it is made of: both change in one transaction.
async fn lists(app: &App) -> Result<Tally, Error> {
    let shown = app.store.employees.lists().await?;
    let right = app.store.memberships.lists().await?;
    let mut tally = Tally { compared: shown.len() as u64, ..Tally::default() };
    for (id, projects) in shown {
        let projects: BTreeSet<_> = projects.into_iter().collect();
        if right.get(&id).map_or(!projects.is_empty(), |right| *right != projects) && renew(app, id).await? {
            tally.found += 1;
            tally.repaired += 1;
        }
    }
    Ok(tally)
}

/// Makes a list anew, and says whether it was another one.
async fn renew(app: &App, id: EmployeeId) -> Result<bool, Error> {
    let mut differed = false;
    kit::follow!(app.db.following(&of_ours()), tx => {
        let right = app.store.memberships.list_of(tx, id).await?;
        let shown = app.store.employees.load(tx, id).await?;
        differed = shown.is_some_and(|shown| shown.projects.into_iter().collect::<BTreeSet<_>>() != right);
        if differed {
            app.store.employees.set_projects(tx, id, &right).await?;
        }
        Ok(())
    })?;
    Ok(differed)
}

/// No event caused this.
fn of_ours() -> Delivery {
    Delivery { id: new_id(), applied_to: None, deliveries: 1 }
}
