//! Compares the facts with timetrack's windows, by the sums of each employee's months, and where
//! those differ window by window.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use contracts::{
    Caller, EmployeeId, FactSum, FindFacts, ListFactsOf, ReconcileAnalytics, Reconciled, SumFacts, WindowFact, WindowId,
};
use futures::FutureExt;
use kit::{Call, Error, Shutdown, Tally, ask_page};

use crate::{
    App,
    consumers::recount,
    domain::{EmployeeMonth, Place, Touched, UtcMonth, is_sound},
};

/// How many extra windows are asked for at once.
const AT_ONCE: usize = 500;

/// Compares on schedule, and where events were missed.
pub(crate) fn keep(app: &Arc<App>, shutdown: &Shutdown) {
    let (app, reconciler) = (app.clone(), app.reconciler.clone());
    reconciler.keep(shutdown, move || {
        let app = app.clone();
        async move { round(&app).await }.boxed()
    });
}

/// Compares now.
pub(crate) async fn reconcile(app: Arc<App>, call: Call, _: ReconcileAnalytics) -> Result<Reconciled, Error> {
    call.require_admin()?;
    app.reconciler.run(round(&app)).await
}

async fn round(app: &App) -> Result<Vec<(&'static str, Tally)>, Error> {
    let mut tally = Tally::default();
    let suspects = suspects(app, &mut tally).await?;
    if !suspects.is_empty() {
        let mut different = Vec::new();
        for month in suspects {
            different.extend(differences(app, month).await?);
        }
        // A window is stored before its event is published: what lasts no longer than that is no
        // difference, nor is what is on its way.
        tokio::time::sleep(app.reconciler.settle()).await;
        app.reconciler.until_applied().await?;
        settle(app, different, &mut tally).await?;
    }
    Ok(vec![("facts", tally)])
}

/// The months of employees whose sums differ.
async fn suspects(app: &App, tally: &mut Tally) -> Result<Vec<EmployeeMonth>, Error> {
    let (mut suspects, mut after) = (Vec::new(), None);
    // Those of whom timetrack has no windows at all are found here.
    let mut others = app.store.facts.employees().await?;
    loop {
        let page = ask_page(&app.bus, &SumFacts { after }).await?;
        let mut told: BTreeMap<EmployeeId, BTreeMap<i32, FactSum>> = BTreeMap::new();
        for sum in page.items {
            told.entry(sum.employee_id).or_default().insert(sum.month, sum);
        }
        for (employee, told) in told {
            others.remove(&employee);
            tally.compared += told.len() as u64;
            let known = app.store.facts.sums(employee).await?;
            let months: BTreeSet<_> = told.keys().chain(known.keys()).copied().collect();
            let differ = months.into_iter().filter(|month| told.get(month) != known.get(month));
            suspects.extend(differ.map(|month| EmployeeMonth { employee, month: utc_month(month) }));
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    for employee in others {
        let months = app.store.facts.sums(employee).await?;
        suspects.extend(months.into_keys().map(|month| EmployeeMonth { employee, month: utc_month(month) }));
    }
    Ok(suspects)
}

fn utc_month(month: i32) -> UtcMonth {
    UtcMonth((month / 100 - 1970) * 12 + month % 100 - 1)
}

/// What timetrack says of a window, or nothing where only we know it.
type Difference = (WindowId, Option<WindowFact>);

/// The windows of a month that are not known as timetrack tells them.
async fn differences(app: &App, month: EmployeeMonth) -> Result<Vec<Difference>, Error> {
    let place = month.place();
    let known = app.store.facts.beginning(place).await?;
    let (mut told, mut after) = (Vec::new(), None);
    loop {
        let request = ListFactsOf { employee_id: place.employee, start: place.start, end: place.end, after };
        let page = ask_page(&app.bus, &request).await?;
        told.extend(page.items.into_iter().filter(is_sound));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let ids: HashSet<_> = told.iter().map(|fact| fact.id).collect();
    let extras: Vec<Difference> =
        known.iter().filter(|fact| !ids.contains(&fact.id)).map(|fact| (fact.id, None)).collect();
    let differ = told.into_iter().filter(|fact| !known.contains(fact)).map(|fact| (fact.id, Some(fact)));
    Ok(differ.chain(extras).collect())
}

/// Puts right what still differs.
async fn settle(app: &App, different: Vec<Difference>, tally: &mut Tally) -> Result<(), Error> {
    for some in different.chunks(AT_ONCE) {
        let ids: Vec<_> = some.iter().map(|(id, _)| *id).collect();
        let known = app.store.facts.known(&ids).await?;
        let told = app.bus.ask(Caller::Service, &FindFacts { ids }).await?;
        let live: HashSet<_> = told.iter().map(|fact| fact.id).collect();
        let mut places: Vec<Place> = Vec::new();
        let mut wrong = Vec::new();
        for (id, was_told) in some {
            match (known.get(id), was_told) {
                (None, None) => {}
                (Some(known), None) if !live.contains(id) => {
                    tracing::warn!(window = %id, "timetrack knows nothing of a window");
                    tally.found += 1;
                    tally.repaired += 1;
                    places.extend(app.store.facts.forget(known).await?);
                }
                (Some(_), None) => {}
                (known, Some(fact)) => {
                    let lasts = known.is_none_or(|known| {
                        known.revision < fact.revision || known.revision == fact.revision && known != fact
                    });
                    if lasts {
                        tracing::warn!(window = %id, "a window was not as timetrack knows it");
                        tally.found += 1;
                        tally.repaired += 1;
                        places.extend(known.map(Place::of));
                        wrong.push(fact.clone());
                    }
                }
            }
        }
        places.extend(app.store.facts.heal(wrong).await?);
        recount(app, Touched::by(places)).await?;
    }
    Ok(())
}
