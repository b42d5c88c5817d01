use contracts::{EventId, Millis};
use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// The hash from which the first entry is computed, in place of the hash of an entry before it.
pub(crate) const ORIGIN: Hash = [0; 32];

/// The content of an entry, before it is appended to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    /// The id of the event. An event that is delivered twice is recognised by this id.
    pub(crate) event: EventId,
    pub(crate) at: Millis,
    /// The one who made the change, in the text form of [`contracts::Actor`].
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) subject_kind: String,
    pub(crate) subject_id: String,
    pub(crate) request_id: Option<String>,
    pub(crate) cause: Option<EventId>,
    pub(crate) address: Option<String>,
    /// The changes as JSON Patch. The field is a text, because the hash covers its exact bytes.
    pub(crate) changes: Option<String>,
    /// The sequence number of the message in the stream; 0 for an entry that was not made from a
    /// message.
    pub(crate) stream_seq: i64,
}

/// An entry of the chain: a fact with its sequence number and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq: i64,
    pub(crate) fact: Fact,
    pub(crate) hash: Hash,
}

impl Entry {
    /// Makes the entry of a fact. `before` is the hash of the entry before it.
    pub(crate) fn new(seq: i64, before: &Hash, fact: Fact) -> Self {
        Self { hash: hash(seq, before, &fact), seq, fact }
    }

    /// Whether the hash of this entry is right if `before` is the hash of the entry before it.
    pub(crate) fn fits(&self, before: &Hash) -> bool {
        self.hash == hash(self.seq, before, &self.fact)
    }
}

/// The hash of an entry: SHA-256 over this layout, version 1. First the word `t3-audit-1`; then the
/// 32 bytes of the hash of the entry before; then the fields in the order below. A number is 8
/// bytes, big-endian. An id is its 16 bytes. A text is its length in bytes as a number, then its
/// UTF-8 bytes. An optional field is the byte 0 when it is missing, otherwise the byte 1 and the
/// field. With these rules no two different entries have the same bytes.
fn hash(seq: i64, before: &Hash, fact: &Fact) -> Hash {
    let mut layout = Layout(Sha256::new());
    layout.0.update(b"t3-audit-1");
    layout.0.update(before);
    layout.number(seq);
    layout.id(fact.event);
    layout.number(fact.at.0);
    layout.text(&fact.actor);
    layout.text(&fact.action);
    layout.text(&fact.subject_kind);
    layout.text(&fact.subject_id);
    layout.option(fact.request_id.as_deref(), Layout::text);
    layout.option(fact.cause, Layout::id);
    layout.option(fact.address.as_deref(), Layout::text);
    layout.option(fact.changes.as_deref(), Layout::text);
    layout.number(fact.stream_seq);
    layout.0.finalize().into()
}

/// A hash in lower-case hexadecimal, as it is stored in MongoDB and shown to clients.
pub(crate) fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Parses a hash that [`hex`] wrote. Upper-case digits are refused.
pub(crate) fn from_hex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    (hex(&hash) == text).then_some(hash)
}

struct Layout(Sha256);

impl Layout {
    fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    fn id(&mut self, id: EventId) {
        self.0.update(id.0.as_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as i64);
        self.0.update(text.as_bytes());
    }

    fn option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.0.update([u8::from(value.is_some())]);
        if let Some(value) = value {
            put(self, value);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use uuid::Uuid;

    use super::*;

    pub(crate) fn fact(n: u128) -> Fact {
        let id = |n| EventId(Uuid::from_u128(0x0198_c6f2_7f00_7a31_9c5e_0000_0000_0000 + n));
        Fact {
            event: id(n),
            at: Millis(1_760_000_000_000),
            actor: "root".into(),
            action: "employee.created".into(),
            subject_kind: "employee".into(),
            subject_id: "0198c6f2-7f00-7a31-9c5e-000000000001".into(),
            request_id: Some("request".into()),
            cause: Some(id(8)),
            address: None,
            changes: Some("[]".into()),
            stream_seq: 17,
        }
    }

    /// The layout may not change, because the hashes of stored entries must stay valid. Another
    /// layout needs a new version word.
    #[test]
    fn the_hash_of_an_entry_is_frozen() {
        assert_eq!(
            hex(&Entry::new(1, &ORIGIN, fact(1)).hash),
            "5723ffd6df9a48342699a72f4c74636d937901ef0573681df489bc938bcfbdb0"
        );
    }
}
