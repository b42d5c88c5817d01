use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use contracts::{AccountChanged, ApiKeyChanged, EmployeeId, Revocation, Role, SessionEnded};
use futures::TryStreamExt;
use kit::{Error, Tally};

use crate::{App, domain::Employee};

/// How long to wait until the stream EVENTS has all committed events.
const WAIT: Duration = Duration::from_secs(2);

/// An entry that the bucket must have in this version or a newer one.
enum Entry {
    Revoked(EmployeeId, i64),
    Account(AccountChanged),
    Key(ApiKeyChanged),
    Ended(SessionEnded),
}

/// Compares the bucket that gateways watch with this service's own database. The consumers of this
/// service's events write the bucket, so an entry that is still missing once all events are
/// processed was lost.
pub(super) async fn compare(app: &App) -> Result<Tally, Error> {
    let entries = entries(app).await?;
    let mut tally = Tally { compared: entries.len() as u64, ..Tally::default() };
    let mut lacking = lacking(app, entries).await?;
    if !lacking.is_empty() {
        app.db.until_published(WAIT).await?;
        app.reconciler.until_applied().await?;
        lacking = self::lacking(app, lacking).await?;
    }
    for entry in lacking {
        tracing::warn!(entry = entry.key(), "the bucket did not say what gateways must know");
        put(app, &entry).await?;
        tally.found(true);
    }
    Ok(tally)
}

impl Entry {
    fn key(&self) -> String {
        match self {
            Self::Revoked(employee, _) => Revocation::key(*employee),
            Self::Account(account) => AccountChanged::entry_key(account.employee_id),
            Self::Key(key) => ApiKeyChanged::entry_key(key.id),
            Self::Ended(ended) => SessionEnded::entry_key(ended.session_id),
        }
    }
}

/// All entries that gateways need. An employee in the default state needs no entry.
async fn entries(app: &App) -> Result<Vec<Entry>, Error> {
    let ended = app.store.sessions.ended().await?;
    let with_ended: HashSet<_> = ended.iter().map(|session| session.employee).collect();
    let (mut entries, mut employees) = (Vec::new(), HashMap::new());
    let mut all = std::pin::pin!(app.store.employees.list(None, None).await?);
    while let Some(employee) = all.try_next().await? {
        if employee.epoch > 0 {
            entries.push(Entry::Revoked(employee.id, employee.epoch));
        }
        if employee.generation > 0 || employee.role != Role::default() {
            entries.push(Entry::Account(employee.account_changed()));
        }
        if with_ended.contains(&employee.id) {
            employees.insert(employee.id, employee);
        }
    }
    entries.extend(app.store.api_keys.all().await?.iter().map(|key| Entry::Key(key.changed())));
    let now = app.clock.now();
    for session in ended {
        // A session that the employee's epoch or generation ends anyway needs no entry of its own.
        let by_itself = |employee: &Employee| {
            let mut open = session.clone();
            open.ended_at = None;
            open.is_open(employee, now)
        };
        if employees.get(&session.employee).is_some_and(by_itself) && session.ended().until > now {
            entries.push(Entry::Ended(session.ended()));
        }
    }
    Ok(entries)
}

/// The entries that the bucket does not have, or has only in an older version.
async fn lacking(app: &App, entries: Vec<Entry>) -> Result<Vec<Entry>, Error> {
    let (bucket, mut lacking) = (&app.revocations, Vec::new());
    for entry in entries {
        let key = entry.key();
        let is_said = match &entry {
            Entry::Revoked(_, epoch) => {
                bucket.find::<Revocation>(&key).await?.is_some_and(|known| known.epoch >= *epoch)
            }
            // Most versions of an employee do not change the account, so an entry of an older
            // version may still be up to date.
            Entry::Account(account) => bucket.find::<AccountChanged>(&key).await?.is_some_and(|known| {
                let same = AccountChanged { version: known.version, ..*account };
                known.version > account.version || known == same
            }),
            Entry::Key(changed) => {
                bucket.find::<ApiKeyChanged>(&key).await?.is_some_and(|known| known.version >= changed.version)
            }
            Entry::Ended(_) => bucket.find::<SessionEnded>(&key).await?.is_some(),
        };
        if !is_said {
            lacking.push(entry);
        }
    }
    Ok(lacking)
}

async fn put(app: &App, entry: &Entry) -> Result<(), Error> {
    let bucket = &app.revocations;
    match entry {
        Entry::Revoked(employee, epoch) => drop(bucket.revoke(*employee, *epoch).await?),
        Entry::Account(account) => drop(bucket.keep(&entry.key(), account, |account| account.version).await?),
        Entry::Key(key) => drop(bucket.keep(&entry.key(), key, |key| key.version).await?),
        Entry::Ended(ended) => drop(bucket.end_session(ended, app.clock.now()).await?),
    }
    Ok(())
}
