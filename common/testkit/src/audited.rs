use contracts::{Audited, Event, stream};
use kit::Origin;

use crate::Harness;

impl Harness {
    /// The entries of the audit trail that EVENTS has so far, in order, each with its origin.
    ///
    /// # Panics
    /// When JetStream cannot be reached.
    pub async fn audited(&self) -> Vec<(Origin, Audited)> {
        let events = self.bus().jetstream.get_stream(stream::EVENTS).await.expect("the stream");
        let (mut all, mut next) = (Vec::new(), 1);
        while let Ok(message) = events.direct_get_next_for_subject(Audited::filter(), Some(next)).await {
            let entry = serde_json::from_slice(&message.payload).expect("an entry");
            all.push((Origin::read(Some(&message.headers)), entry));
            next = message.sequence + 1;
        }
        all
    }

    /// Waits until EVENTS has at least this many entries of the audit trail, and returns the
    /// actions of all entries.
    pub async fn audited_actions(&self, at_least: usize) -> Vec<String> {
        crate::eventually(&format!("{at_least} entries"), async || {
            let actions: Vec<_> = self.audited().await.into_iter().map(|(_, entry)| entry.action).collect();
            (actions.len() >= at_least).then_some(actions)
        })
        .await
    }
}
