use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use bson::doc;
use contracts::{EmployeeId, ListRoster, Millis, Name, Roster, RosterEntry};
use futures::TryStreamExt;
use kit::{Database, Error, Shape, Tx};
use mongodb::Collection;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

/// The number of counters. With this many, changes of different employees rarely write the same
/// counter at the same time.
const COUNTERS: u128 = 16;
/// How long the cached list of employees is used at most, even if no counter changes: a replica of
/// an earlier version counts no changes.
const LASTS: Duration = Duration::from_secs(10);

/// Counts changes of the names, activations and deactivations of some employees: those whose ids
/// modulo [`COUNTERS`] are `id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Counter {
    #[serde(rename = "_id")]
    id: i32,
    changes: i64,
}

/// An employee who has activated an account, with the fields that a roster needs.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rostered {
    #[serde(rename = "_id")]
    pub(super) id: EmployeeId,
    pub(super) name: Name,
    pub(super) deactivated_at: Option<Millis>,
}

/// All employees who have activated an account, sorted by name, and the values of the counters just
/// before they were read.
#[derive(Debug)]
struct Known {
    counters: Vec<Counter>,
    read: Instant,
    people: Arc<Vec<Rostered>>,
}

/// A cache of all employees who have activated an account, because parts of this list are requested
/// very often. It is used while the counters show that nothing has changed.
#[derive(Clone, Debug)]
pub(super) struct Rosters {
    counters: Collection<Counter>,
    known: Arc<Mutex<Option<Known>>>,
}

impl Rosters {
    pub(super) fn shape() -> Shape {
        ("roster_changes", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self { counters: db.collection("roster_changes"), known: Arc::default() }
    }

    /// Counts a change of an employee's name, activation or deactivation, in the transaction of
    /// that change.
    pub(super) async fn count_change(&self, tx: &mut Tx<'_>, employee: EmployeeId) -> Result<(), Error> {
        let this = doc! { "_id": (employee.0.as_u128() % COUNTERS) as i32 };
        let one_more = doc! { "$inc": { "changes": 1_i64 } };
        self.counters.update_one(this, one_more).upsert(true).session(&mut tx.session).await?;
        Ok(())
    }

    /// All employees who have activated an account, sorted by name. `read` reads them from MongoDB
    /// if the cache is out of date.
    pub(super) async fn people(
        &self,
        read: impl Future<Output = Result<Vec<Rostered>, Error>>,
    ) -> Result<Arc<Vec<Rostered>>, Error> {
        let mut known = self.known.lock().await;
        // The counters are read before the employees. A change between the two reads raises a
        // counter, so the next call reads the employees again.
        let mut counters: Vec<Counter> = self.counters.find(doc! {}).await?.try_collect().await?;
        counters.sort_unstable_by_key(|counter| counter.id);
        let holds = |known: &&Known| known.counters == counters && known.read.elapsed() < LASTS;
        if let Some(known) = known.as_ref().filter(holds) {
            return Ok(known.people.clone());
        }
        let at = Instant::now();
        let people = Arc::new(read.await?);
        *known = Some(Known { counters, read: at, people: people.clone() });
        Ok(people)
    }
}

/// The number of these employees that fit the request, and the requested page of them.
pub(super) fn roster(people: &[Rostered], asked: &ListRoster) -> Roster {
    let named: HashSet<EmployeeId> = asked.employees.iter().copied().collect();
    let fits = |one: &&Rostered| {
        one.deactivated_at.is_none_or(|at| at > asked.range.start()) && (named.is_empty() || named.contains(&one.id))
    };
    let entry = |one: &Rostered| RosterEntry { id: one.id, name: one.name.clone() };
    let part = people.iter().filter(fits).skip(asked.skip).take(asked.limit);
    Roster { count: people.iter().filter(fits).count(), people: part.map(entry).collect() }
}
