//! Compares how employees stand, as far as we have heard, with directory, who knows.

use std::{collections::HashSet, sync::Arc};

use contracts::{ListStandings, ReconcileProjects, Reconciled, Standing};
use futures::FutureExt;
use kit::{Call, Delivery, Error, Shutdown, Tally, ask_page, new_id};

use crate::{App, consumers};

/// Compares on schedule, and where events were missed.
pub(crate) fn keep(app: &Arc<App>, shutdown: &Shutdown) {
    let (app, reconciler) = (app.clone(), app.reconciler.clone());
    reconciler.keep(shutdown, move || {
        let app = app.clone();
        async move { round(&app).await }.boxed()
    });
}

/// Compares now.
pub(crate) async fn reconcile(app: Arc<App>, call: Call, _: ReconcileProjects) -> Result<Reconciled, Error> {
    call.require_admin()?;
    app.reconciler.run(round(&app)).await
}

async fn round(app: &App) -> Result<Vec<(&'static str, Tally)>, Error> {
    Ok(vec![("employees", employees(app).await?)])
}

async fn employees(app: &App) -> Result<Tally, Error> {
    let (mut tally, mut after) = (Tally::default(), None);
    loop {
        let page = ask_page(&app.bus, &ListStandings { after }).await?;
        tally.compared += page.items.len() as u64;
        let known = app.store.employee_refs.between(after, page.next).await?;
        let suspects: Vec<_> = page.items.iter().filter(|told| says_else(known.get(&told.id), told)).collect();
        let told: HashSet<_> = page.items.iter().map(|told| told.id).collect();
        let extras: Vec<_> = known.values().filter(|known| !told.contains(&known.id)).collect();
        if !suspects.is_empty() || !extras.is_empty() {
            // What is on its way is no difference.
            app.reconciler.until_applied().await?;
            for told in suspects {
                if says_else(app.store.employee_refs.find(told.id).await?.as_ref(), told) {
                    tally.found += 1;
                    tally.repaired += u64::from(heal(app, told).await?);
                }
            }
            if !extras.is_empty() {
                let again = ask_page(&app.bus, &ListStandings { after }).await?;
                let told: HashSet<_> = again.items.iter().map(|told| told.id).collect();
                let in_page = |known: &Standing| again.next.is_none_or(|next| known.id <= next);
                for known in extras.into_iter().filter(|known| in_page(known) && !told.contains(&known.id)) {
                    tracing::warn!(employee = %known.id, "directory knows nothing of an employee");
                    tally.found += 1;
                    tally.repaired += u64::from(app.store.employee_refs.forget(known).await?);
                }
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(tally);
        }
    }
}

/// Whether something else is known, and nothing newer. What earlier versions did not say is no
/// difference.
fn says_else(known: Option<&Standing>, told: &Standing) -> bool {
    known.is_none_or(|known| {
        let told = Standing { active: known.active.as_ref().and(told.active.clone()), ..told.clone() };
        known.version < told.version || known.version == told.version && *known != told
    })
}

/// As an event would: with the sweep of what a deactivation ended.
async fn heal(app: &App, told: &Standing) -> Result<bool, Error> {
    tracing::warn!(employee = %told.id, "an employee did not stand as directory knows it");
    let healed = app.store.employee_refs.heal(told).await?;
    let of_ours = Delivery { id: new_id(), applied_to: None, deliveries: 1 };
    consumers::sweep_all(app, &of_ours, told.clone()).await?;
    Ok(healed)
}
