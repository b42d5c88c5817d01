//! Compares the facts with timetrack's windows. First the sums of each employee and month are
//! compared (the number of windows, their revisions and lengths), then the windows of the months
//! whose sums differ.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use contracts::{
    FACTS_AT_ONCE, FactSum, FindFacts, ListFactsOf, ReconcileAnalytics, Reconciled, SumFacts, WindowFact, WindowId,
};
use kit::{Call, Copies, Error, Reconciler, Tally};

use crate::{
    App,
    consumers::recount,
    domain::{EmployeeMonth, Place, Touched, UtcMonth, is_sound},
};

/// The names of the copies that are compared, as metrics and logs show them.
pub(crate) const COPIES: [&str; 1] = ["facts"];
/// How often a page of sums is compared at most. The windows of a month are compared only if its
/// sums differ each time: while an employee tracks time, a month may differ in one comparison and
/// not in the next.
const LOOKS: usize = 3;

impl Copies for App {
    fn reconciler(&self) -> &Reconciler {
        &self.reconciler
    }

    async fn compare_all(&self) -> Result<Vec<(&'static str, Tally)>, Error> {
        let [facts] = COPIES;
        Ok(vec![(facts, compare(self).await?)])
    }
}

/// Compares all facts now, repairs the differences, and returns the result. For admins.
pub(crate) async fn reconcile(app: Arc<App>, call: Call, _: ReconcileAnalytics) -> Result<Reconciled, Error> {
    call.require_admin()?;
    Reconciler::now(app).await
}

async fn compare(app: &App) -> Result<Tally, Error> {
    finish(app).await?;
    let mut tally = Tally::default();
    let mut ids = BTreeSet::new();
    for month in suspects(app, &mut tally).await? {
        ids.extend(differing(app, month).await?);
    }
    let mut wrong = Vec::new();
    for some in chunks(ids) {
        wrong.extend(still_differing(app, some).await?.into_iter().map(|difference| difference.id));
    }
    if wrong.is_empty() {
        return Ok(tally);
    }
    // Timetrack stores a window before it publishes the event. Without this pause, a window whose
    // event is not published yet would count as a difference.
    tokio::time::sleep(app.reconciler.settle()).await;
    for some in chunks(wrong) {
        let wrong = still_differing(app, some).await?;
        mend(app, wrong, &mut tally).await?;
    }
    Ok(tally)
}

fn chunks(ids: impl IntoIterator<Item = WindowId>) -> Vec<Vec<WindowId>> {
    ids.into_iter().collect::<Vec<_>>().chunks(FACTS_AT_ONCE).map(<[_]>::to_vec).collect()
}

/// The months of employees whose sums differ from timetrack's.
async fn suspects(app: &App, tally: &mut Tally) -> Result<BTreeSet<EmployeeMonth>, Error> {
    let (mut suspects, mut after) = (BTreeSet::new(), None);
    // Every employee that timetrack lists is removed from this set. The rest has facts, but
    // timetrack has no windows of them.
    let mut only_here = app.store.facts.employees().await?;
    loop {
        let mut page = app.reconciler.ask(&SumFacts { after }).await?;
        let mut differing = differing_sums(app, &page.items).await?;
        for _ in 1..LOOKS {
            if differing.is_empty() {
                break;
            }
            page = app.reconciler.ask(&SumFacts { after }).await?;
            differing = &differing & &differing_sums(app, &page.items).await?;
        }
        suspects.extend(differing);
        tally.compared += page.items.len() as u64;
        for sum in page.items {
            only_here.remove(&sum.employee_id);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    suspects.extend(app.store.facts.sums(&only_here).await?.iter().map(month_of));
    Ok(suspects)
}

/// The months whose sums differ from timetrack's sums `told`, after every event in EVENTS is
/// counted.
async fn differing_sums(app: &App, told: &[FactSum]) -> Result<BTreeSet<EmployeeMonth>, Error> {
    app.reconciler.until_applied().await?;
    let known = app.store.facts.sums(&told.iter().map(|sum| sum.employee_id).collect()).await?;
    let told: HashSet<FactSum> = told.iter().copied().collect();
    Ok(told.symmetric_difference(&known).map(month_of).collect())
}

fn month_of(sum: &FactSum) -> EmployeeMonth {
    let month = UtcMonth((sum.month / 100 - 1970) * 12 + sum.month % 100 - 1);
    EmployeeMonth { employee: sum.employee_id, month }
}

/// The windows of an employee that begin in this month and may differ from timetrack's. The facts
/// and timetrack's windows are read at different moments, so a change in between also counts as a
/// difference here.
async fn differing(app: &App, month: EmployeeMonth) -> Result<Vec<WindowId>, Error> {
    let Place { employee, start, end } = month.place();
    let (mut told, mut after) = (HashMap::new(), None);
    loop {
        let page = app.reconciler.ask(&ListFactsOf { employee_id: employee, start, end, after }).await?;
        told.extend(page.items.into_iter().filter(is_sound).map(|fact| (fact.id, fact)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let known = app.store.facts.beginning(month.place()).await?;
    let ids: BTreeSet<WindowId> = told.keys().chain(known.keys()).copied().collect();
    Ok(ids.into_iter().filter(|id| told.get(id) != known.get(id)).collect())
}

/// A window that differs: the fact that timetrack sent, and the fact that analytics has stored.
struct Difference {
    id: WindowId,
    told: Option<WindowFact>,
    known: Option<WindowFact>,
}

/// Those of these windows that still differ from timetrack's, after every event in EVENTS is
/// counted.
async fn still_differing(app: &App, ids: Vec<WindowId>) -> Result<Vec<Difference>, Error> {
    let told = app.reconciler.ask(&FindFacts { ids: ids.clone() }).await?;
    app.reconciler.until_applied().await?;
    let mut known = app.store.facts.known(&ids).await?;
    let mut told: HashMap<_, _> = told.into_iter().map(|fact| (fact.id, fact)).collect();
    let differences = ids.into_iter().map(|id| Difference { id, told: told.remove(&id), known: known.remove(&id) });
    let differs = |difference: &Difference| match (&difference.told, &difference.known) {
        (None, known) => known.is_some(),
        (Some(told), None) => is_sound(told),
        // A stored fact with a higher revision is no difference: the window was changed after
        // timetrack replied.
        (Some(told), Some(known)) => known.revision < told.revision || known.revision == told.revision && known != told,
    };
    Ok(differences.filter(differs).collect())
}

/// Repairs the facts, and recomputes the sums in their present and former time ranges. Before the
/// repair, it stores the time ranges of the facts that differ, so that another process can
/// recompute the sums if this one crashes.
async fn mend(app: &App, wrong: Vec<Difference>, tally: &mut Tally) -> Result<(), Error> {
    if wrong.is_empty() {
        return Ok(());
    }
    let mut places: Vec<Place> =
        wrong.iter().flat_map(|one| one.told.iter().chain(&one.known)).map(Place::of).collect();
    let mend = app.store.mends.begin(&places).await?;
    let mut right = Vec::new();
    for Difference { id, told, known } in wrong {
        tracing::warn!(window = %id, "a window was not as timetrack knows it");
        let is_mended = match (told, known) {
            (None, Some(known)) => app.store.facts.forget(&known).await?,
            (told, _) => {
                right.extend(told);
                true
            }
        };
        tally.found(is_mended);
    }
    places.extend(app.store.facts.heal(right).await?);
    recount(app, Touched::by(places), None).await?;
    app.store.mends.done(mend).await
}

/// Finishes the repairs that a crash has interrupted.
async fn finish(app: &App) -> Result<(), Error> {
    for (mend, places) in app.store.mends.begun().await? {
        recount(app, Touched::by(places), None).await?;
        app.store.mends.done(mend).await?;
    }
    Ok(())
}
