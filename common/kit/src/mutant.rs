//! Deliberate faults, which the fault campaign must notice: see `docs/fault-campaign.md`.

/// Whether this process shall commit the fault of this name, as `T3_MUTANT` says. Only builds with the
/// feature `mutants` can.
#[cfg(feature = "mutants")]
pub fn is_mutant(name: &str) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| std::env::var("T3_MUTANT").ok());
    CHOSEN.as_deref() == Some(name)
}

/// Whether this process must commit the deliberate fault of this name. Always false without the feature `mutants`.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn is_mutant(_name: &str) -> bool {
    false
}

/// Ends this process at once, as SIGKILL does, if `T3_DIE_AT` names this point of the program and how often it is
/// passed before that: `after_commit:3`. Only builds with the feature `mutants` do.
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

/// Ends this process at the point that `T3_DIE_AT` names. Does nothing without the feature `mutants`.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn failpoint(_name: &str) {}
