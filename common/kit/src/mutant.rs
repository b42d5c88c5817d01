//! Deliberate faults, which the fault campaign must detect, and points at which a process can be
//! made to abort: see `docs/fault-campaign.md`.

/// Whether this process must commit the deliberate fault of this name: whether the environment
/// variable `T3_MUTANT` has this value. Only builds with the feature `mutants` read this variable.
#[cfg(feature = "mutants")]
pub fn is_mutant(name: &str) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| std::env::var("T3_MUTANT").ok());
    CHOSEN.as_deref() == Some(name)
}

/// Whether this process must commit the deliberate fault of this name. Always false without the
/// feature `mutants`.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn is_mutant(_name: &str) -> bool {
    false
}

/// Aborts this process at once, as SIGKILL would, if the environment variable `T3_DIE_AT` names
/// this point. The number in the variable says how often the point is passed before:
/// `after_commit:3` aborts at the fourth pass. Only builds with the feature `mutants` read this
/// variable.
#[cfg(feature = "mutants")]
pub fn failpoint(name: &str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    };
    static AT: LazyLock<Option<(String, AtomicU64)>> = LazyLock::new(|| {
        let at = std::env::var("T3_DIE_AT").ok()?;
        let (name, passes) = at.split_once(':')?;
        Some((name.to_owned(), AtomicU64::new(passes.parse().ok()?)))
    });
    if let Some((at, left)) = &*AT
        && at == name
        && left.fetch_sub(1, Ordering::SeqCst) == 0
    {
        std::process::abort();
    }
}

/// Does nothing. Only builds with the feature `mutants` can abort here.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn failpoint(_name: &str) {}
