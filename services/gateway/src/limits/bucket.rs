use std::{
    collections::HashMap,
    fmt,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use gcra::{GcraError, GcraState, RateLimit};

use super::Source;

/// The response header with what is left of a limit (draft-ietf-httpapi-ratelimit-headers-10).
pub(crate) const HEADER: HeaderName = HeaderName::from_static("ratelimit");
/// The response header with the limit itself (same draft).
pub(crate) const POLICY_HEADER: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The largest number of sources that are counted separately. All further sources are counted
/// together.
const MOST_SOURCES: usize = 100_000;
const MINUTE: Duration = Duration::from_secs(60);

/// A rate limit, with the state of each source.
pub(super) struct Bucket {
    name: &'static str,
    most: NonZeroU32,
    limit: RateLimit,
    states: Mutex<HashMap<Source, GcraState>>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({}, {})", self.name, self.most)
    }
}

/// What is left of a limit after a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    name: &'static str,
    most: NonZeroU32,
    calls: u32,
    is_over: bool,
    /// After a refused call, the time until another call is possible. After an allowed call, the
    /// time until the whole limit is available again.
    wait: Duration,
}

impl Bucket {
    /// A limit of `most` calls a minute; `None` for 0, which means no limit.
    pub(super) fn new(name: &'static str, most: u32) -> Option<Self> {
        let most = NonZeroU32::new(most)?;
        Some(Self { name, most, limit: RateLimit::new(most.get(), MINUTE), states: Mutex::default() })
    }

    /// Counts a call from a source, and returns what is left of the source's limit.
    pub(super) fn take(&self, source: Source, now: Instant) -> Left {
        let mut states = self.states();
        let has_room = states.len() < MOST_SOURCES || states.contains_key(&source);
        let state = states.entry(if has_room { source } else { Source::Others }).or_default();
        let taken = state.check_and_modify_at(&self.limit, now, 1);
        let until_all = state.tat.map_or(Duration::ZERO, |all_at| all_at.saturating_duration_since(now));
        let missing = until_all.as_nanos().div_ceil(self.limit.emission_interval.as_nanos().max(1));
        let calls = self.most.get().saturating_sub(u32::try_from(missing).unwrap_or(u32::MAX));
        let wait = match taken {
            Err(GcraError::DeniedUntil { next_allowed_at }) => next_allowed_at.saturating_duration_since(now),
            _ => until_all,
        };
        Left { name: self.name, most: self.most, calls, is_over: taken.is_err(), wait }
    }

    /// Removes the sources whose whole limit is available again.
    pub(super) fn forget_idle(&self, now: Instant) {
        let mut states = self.states();
        states.retain(|_, state| state.tat.is_some_and(|all_at| now < all_at));
        states.shrink_to_fit();
    }

    fn states(&self) -> MutexGuard<'_, HashMap<Source, GcraState>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Left {
    /// Whether the call exceeded the limit.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The same as `wait`, in whole seconds, rounded up, at least 1.
    pub(crate) fn seconds(&self) -> u32 {
        u32::try_from(self.wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1)
    }

    /// Writes the rate limit headers into a response.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let Self { name, most, calls, .. } = self;
        let texts = [
            (POLICY_HEADER, format!("\"{name}\";q={most};w={}", MINUTE.as_secs())),
            (HEADER, format!("\"{name}\";r={calls};t={}", self.seconds())),
        ];
        for (header, text) in texts {
            // The conversion cannot fail, because the text is ASCII.
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(header, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn source(n: u32) -> Source {
        Source::Address(IpAddr::V4(Ipv4Addr::from_bits(n)))
    }

    #[test]
    fn each_source_has_its_own_share_and_hears_what_is_left() {
        let (bucket, now) = (Bucket::new("calls", 3).expect("a bound"), Instant::now());
        let fields = |left: &Left| {
            let mut headers = HeaderMap::new();
            left.write(&mut headers);
            [POLICY_HEADER, HEADER].map(|name| headers[name].to_str().expect("text").to_owned())
        };
        assert_eq!(fields(&bucket.take(source(1), now)), ["\"calls\";q=3;w=60", "\"calls\";r=2;t=20"]);
        assert!(!bucket.take(source(1), now).is_over());
        assert_eq!(fields(&bucket.take(source(1), now)), ["\"calls\";q=3;w=60", "\"calls\";r=0;t=60"]);
        let over = bucket.take(source(1), now + Duration::from_secs(1));
        assert!(over.is_over());
        assert_eq!(fields(&over)[1], "\"calls\";r=0;t=19");
        assert!(!bucket.take(source(2), now).is_over());
        assert!(!bucket.take(source(1), now + Duration::from_secs(20)).is_over());
        assert!(bucket.take(source(1), now + Duration::from_secs(20)).is_over());
        assert!(Bucket::new("calls", 0).is_none());
    }

    #[test]
    fn memory_is_bounded_and_the_idle_are_forgotten() {
        let (bucket, now) = (Bucket::new("address", 100).expect("a bound"), Instant::now());
        for n in 0..2 * MOST_SOURCES as u32 {
            bucket.take(source(n), now);
        }
        assert_eq!(bucket.states().len(), MOST_SOURCES + 1);
        assert!(bucket.take(source(2 * MOST_SOURCES as u32), now).is_over(), "they share");
        assert!(!bucket.take(source(1), now).is_over(), "those who were there before do not");
        bucket.forget_idle(now + MINUTE);
        assert_eq!(bucket.states().len(), 0);
    }
}
