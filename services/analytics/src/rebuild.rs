//! Rebuilds all data from timetrack's windows: first the facts, then the sums.
//!
//! A rebuild may run beside the service, which counts new windows by the same rules. Every step can
//! be repeated, and the progress is stored: a rebuild that was stopped continues at its last step.

use std::{collections::BTreeMap, time::Duration};

use contracts::{Caller, EmployeeId, Failure, ListFacts, Page, WindowFact, WindowId};
use kit::{Deps, Error};

use crate::{
    App, Config,
    consumers::{recount_company, recount_employees},
    domain::{EmployeeMonth, Touched, is_sound},
    store::Stage,
};

/// How often a page of facts is requested from timetrack at most, and the pause after a failed
/// request.
const TRIES: (usize, Duration) = (10, Duration::from_secs(1));

/// The progress of a rebuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebuilding {
    /// Facts are being read from timetrack.
    Facts {
        /// The number of windows that were read so far.
        windows: u64,
    },
    /// The sums of single employees are being recomputed, one employee after the other.
    Employees {
        /// The number of employees that are done.
        done: u64,
        /// The number of all employees.
        of: u64,
    },
    /// The sums of all employees together are being recomputed, one UTC month after the other.
    Company {
        /// The number of months that are done.
        done: u64,
        /// The number of all months.
        of: u64,
    },
}

/// Reads all facts and recomputes all sums, or continues where a rebuild was stopped. Calls `tell`
/// after every step.
///
/// # Errors
/// When NATS, MongoDB or timetrack cannot be reached. The next call continues.
pub async fn rebuild(config: &Config, deps: &Deps, tell: impl Fn(Rebuilding)) -> anyhow::Result<()> {
    let app = App::open(config, deps);
    let mut stage = app.store.rebuilds.stage().await?.unwrap_or(Stage::Facts { windows: 0, after: None });
    loop {
        app.store.rebuilds.reached(stage).await?;
        stage = match stage {
            Stage::Facts { windows, after } => facts(&app, windows, after, &tell).await?,
            Stage::Employees { after } => employees(&app, after, &tell).await?,
            Stage::Company => {
                company(&app, &tell).await?;
                return Ok(app.store.rebuilds.ended().await?);
            }
        };
    }
}

/// Reads one page of facts from timetrack and stores them. Returns the next stage.
async fn facts(app: &App, windows: u64, after: Option<WindowId>, tell: &impl Fn(Rebuilding)) -> Result<Stage, Error> {
    let page = page(app, after).await?;
    let windows = windows + page.items.len() as u64;
    let (sound, unsound): (Vec<_>, Vec<_>) = page.items.into_iter().partition(is_sound);
    for fact in unsound {
        tracing::warn!(window = %fact.id, "no window can be like this; it is left out");
    }
    // The sums are recomputed later, when all facts are stored: then all months of an employee are
    // recomputed together.
    app.store.facts.heal(sound).await?;
    tell(Rebuilding::Facts { windows });
    Ok(match page.next {
        Some(next) => Stage::Facts { windows, after: Some(next) },
        None => Stage::Employees { after: None },
    })
}

async fn page(app: &App, after: Option<WindowId>) -> Result<Page<WindowFact, WindowId>, Failure> {
    let (tries, pause) = TRIES;
    for _ in 1..tries {
        match app.bus.ask(Caller::Service, &ListFacts { after }).await {
            Err(failure) if failure.code.is_passing() => tokio::time::sleep(pause).await,
            answer => return answer,
        }
    }
    app.bus.ask(Caller::Service, &ListFacts { after }).await
}

/// Recomputes the sums of every employee after `after`: in all months with facts, and in all months
/// with a document. A month with a document may have no fact any more, if its last window was
/// moved.
async fn employees(app: &App, after: Option<EmployeeId>, tell: &impl Fn(Rebuilding)) -> Result<Stage, Error> {
    let mut all = app.store.facts.employees().await?;
    all.extend(app.store.employees.employees().await?);
    let of = all.len() as u64;
    for (done, employee) in (1..).zip(all) {
        if after.is_some_and(|after| employee <= after) {
            continue;
        }
        let mut months = app.store.facts.months_of(employee).await?;
        months.extend(app.store.employees.months_of(employee).await?);
        let whole = months.into_iter().map(|month| EmployeeMonth { employee, month }.place());
        recount_employees(app, &Touched::by(whole), None).await?;
        app.store.rebuilds.reached(Stage::Employees { after: Some(employee) }).await?;
        tell(Rebuilding::Employees { done, of });
    }
    Ok(Stage::Company)
}

/// Recomputes the sums of all employees together in all months.
async fn company(app: &App, tell: &impl Fn(Rebuilding)) -> Result<(), Error> {
    let mut all = app.store.employees.months().await?;
    all.extend(app.store.company.months().await?);
    let of = all.len() as u64;
    for (done, month) in (1..).zip(all) {
        recount_company(app, BTreeMap::from([(month, month.days().collect())]), &BTreeMap::new()).await?;
        tell(Rebuilding::Company { done, of });
    }
    Ok(())
}
