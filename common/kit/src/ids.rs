use contracts::Millis;
use rand::Rng;
use uuid::Uuid;

/// Makes a new id: a UUIDv7. These ids sort by the time at which they were made (RFC 9562, 5.7), so
/// that new entries go to the end of an index.
#[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
pub fn new_id<T: From<Uuid>>() -> T {
    Uuid::now_v7().into()
}

/// The time at which [`new_id`] made this id. None for a UUID without a time.
pub(crate) fn made_at(id: Uuid) -> Option<Millis> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    Some(Millis(seconds as i64 * 1_000 + i64::from(nanos / 1_000_000)))
}

/// Random bytes from a cryptographically secure generator.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}
