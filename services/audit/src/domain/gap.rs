use contracts::{Action, Actor, EventId, Millis, Service};
use serde_json::json;
use uuid::Uuid;

use super::Fact;

/// The UUID namespace of the event ids of gaps. Replicas that find the same gap compute the same
/// id, so the gap gets one entry only.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1b_7c52_9a0e_4d7e_8c43_5b1f_02d6_a9e1);

/// A range of sequence numbers of the stream whose messages were purged before the trail read them.
/// `from` and `to` are both in the range. Some of the messages may not have been entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// The gap between the last message that the trail has read (`taken_to`) and the `first` message in
/// the stream.
pub(crate) fn gap(taken_to: u64, first: u64) -> Option<Gap> {
    (first > taken_to + 1).then(|| Gap { from: taken_to + 1, to: first - 1 })
}

impl Gap {
    /// The content of the entry that reports this gap.
    pub(crate) fn fact(self, stream: &str, now: Millis) -> Fact {
        Fact {
            event: EventId(Uuid::new_v5(&NAMESPACE, format!("{stream}/{}", self.from).as_bytes())),
            at: now,
            actor: Actor::Service(Service::Audit).to_string(),
            action: Action::AuditGap.to_string(),
            subject_kind: "stream".into(),
            subject_id: stream.to_owned(),
            request_id: None,
            cause: None,
            address: None,
            changes: Some(
                json!([{ "op": "add", "path": "", "value": { "from": self.from, "to": self.to } }]).to_string(),
            ),
            stream_seq: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_what_lies_between_the_last_that_was_taken_and_the_first_that_is_there() {
        assert_eq!(gap(0, 1), None);
        assert_eq!(gap(10, 5), None);
        assert_eq!(gap(10, 11), None);
        assert_eq!(gap(10, 12), Some(Gap { from: 11, to: 11 }));
        assert_eq!(gap(10, 20), Some(Gap { from: 11, to: 19 }));
    }

    #[test]
    fn the_same_gap_has_the_same_id_whoever_finds_it_and_however_far_it_is_by_then() {
        let id = |from, to| Gap { from, to }.fact("EVENTS", Millis(0)).event;
        assert_eq!(id(11, 19), id(11, 25));
        assert_ne!(id(11, 19), id(12, 19));
    }
}
