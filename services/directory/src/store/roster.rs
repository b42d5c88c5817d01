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

/// How many counters there are: changes of different employees hardly ever meet at one.
const COUNTERS: u128 = 16;
/// After this time the list is read again in any case: a replica of an earlier version counts no changes.
const LASTS: Duration = Duration::from_secs(10);

/// How often something changed that the roster shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Counter {
    #[serde(rename = "_id")]
    id: i32,
    changes: i64,
}

/// Somebody who has an account, as the roster needs to know them.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rostered {
    #[serde(rename = "_id")]
    pub(super) id: EmployeeId,
    pub(super) name: Name,
    pub(super) deactivated_at: Option<Millis>,
}

/// Everybody who has an account, by name, as read when the counters had these values.
#[derive(Debug)]
struct Known {
    counters: Vec<Counter>,
    read: Instant,
    people: Arc<Vec<Rostered>>,
}

/// Everybody who has an account, kept in memory for as long as the counters say that nothing has changed: pages ask
/// for a few of them, by name, again and again.
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

    /// Counts a change of an employee's name, or of when they have an account, in the transaction of that change.
    pub(super) async fn count_change(&self, tx: &mut Tx<'_>, employee: EmployeeId) -> Result<(), Error> {
        let this = doc! { "_id": (employee.0.as_u128() % COUNTERS) as i32 };
        let one_more = doc! { "$inc": { "changes": 1_i64 } };
        self.counters.update_one(this, one_more).upsert(true).session(&mut tx.session).await?;
        Ok(())
    }

    /// Everybody who has an account, by name. `read` reads them, where they have changed.
    pub(super) async fn people(
        &self,
        read: impl Future<Output = Result<Vec<Rostered>, Error>>,
    ) -> Result<Arc<Vec<Rostered>>, Error> {
        let mut known = self.known.lock().await;
        // The counters are read before the people: a change in between raises a counter, so the people are read again
        // the next time.
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

/// The part of these people that was asked for.
pub(super) fn roster(people: &[Rostered], asked: &ListRoster) -> Roster {
    let named: HashSet<EmployeeId> = asked.employees.iter().copied().collect();
    let fits = |one: &&Rostered| {
        one.deactivated_at.is_none_or(|at| at > asked.range.start()) && (named.is_empty() || named.contains(&one.id))
    };
    let entry = |one: &Rostered| RosterEntry { id: one.id, name: one.name.clone() };
    let part = people.iter().filter(fits).skip(asked.skip).take(asked.limit);
    Roster { count: people.iter().filter(fits).count(), people: part.map(entry).collect() }
}
