use contracts::Millis;
use rand::Rng;
use uuid::Uuid;

/// A new id: a UUIDv7, which sorts by the time it was made (RFC 9562, 5.7), so that indexes grow
/// at their end.
#[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
pub fn new_id<T: From<Uuid>>() -> T {
    Uuid::now_v7().into()
}

/// When an id of [`new_id`] was made.
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
