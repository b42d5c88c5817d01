use anyhow::anyhow;
use bson::{Bson, Document, doc};
use contracts::{Actor, AuditEntry, AuditSubject, ListAuditEntries, Page, ShownActor};
use futures::{StreamExt, TryStreamExt};
use kit::Error;

use super::{chain::ChainStore, stored::Stored};
use crate::domain::{Entry, hex};

/// The most entries of one page. The query reads one entry more.
const BATCH: i64 = 1_000;

impl ChainStore {
    /// One page of the entries that match, the newest first: as many as fit into a reply.
    pub(crate) async fn list(&self, asked: &ListAuditEntries) -> Result<Page<AuditEntry, i64>, Error> {
        let most = asked.limit.map_or(BATCH, |limit| BATCH.min(limit as i64)) + 1;
        let found = self.entries.find(filter(asked)).sort(doc! { "_id": -1 }).limit(most).await?;
        let entries = found.map_err(Error::from).and_then(async |stored| shown(stored)).boxed();
        let mut page = kit::page_within(entries, |entry| entry.seq).await?;
        if let Some(limit) = asked.limit.filter(|limit| page.items.len() > *limit) {
            page.items.truncate(limit);
            page.next = page.items.last().map(|entry| entry.seq);
        }
        Ok(page)
    }
}

fn filter(asked: &ListAuditEntries) -> Document {
    let mut all = Document::new();
    let mut range = Document::new();
    if let Some(start) = asked.start {
        range.insert("$gte", start.0);
    }
    if let Some(end) = asked.end {
        range.insert("$lt", end.0);
    }
    if !range.is_empty() {
        all.insert("at", range);
    }
    if let Some(actor) = asked.actor {
        all.insert("actor", by(actor));
    }
    let texts = [("subject.id", &asked.subject), ("action", &asked.action), ("requestId", &asked.request_id)];
    for (field, text) in texts {
        if let Some(text) = text {
            all.insert(field, text);
        }
    }
    if let Some(after) = asked.after {
        all.insert("_id", doc! { "$lt": after });
    }
    all
}

/// The condition on the field `actor`. A person without a session matches every session of that
/// person: `person:<id>` and `person:<id>/<session>`.
fn by(actor: Actor) -> Bson {
    let text = actor.to_string();
    match actor {
        // `/` sorts directly before `0`, so the range holds this person with and without a session.
        // Ids have a fixed length, so the range holds no other person.
        Actor::Person { session: None, .. } => Bson::Document(doc! { "$gte": &text, "$lt": format!("{text}0") }),
        _ => text.into(),
    }
}

fn shown(stored: Stored) -> Result<AuditEntry, Error> {
    let seq = stored.seq;
    let Entry { fact, hash, .. } =
        Entry::try_from(stored).map_err(|reason| anyhow!("entry {seq} cannot be read: {reason}"))?;
    let unknown = ShownActor { kind: fact.actor.clone(), id: None, name: None };
    Ok(AuditEntry {
        seq,
        id: fact.event,
        at: fact.at,
        actor: fact.actor.parse::<Actor>().map_or(unknown, ShownActor::from),
        action: fact.action,
        subject: AuditSubject { kind: fact.subject_kind, id: fact.subject_id },
        request_id: fact.request_id,
        cause: fact.cause,
        address: fact.address,
        changes: fact.changes.map(|text| serde_json::from_str(&text)).transpose()?,
        hash: hex(&hash),
    })
}
