//! Deliberate faults, which the fault campaign must notice: see `docs/fault-campaign.md`.

/// Whether this process shall commit the fault of this name, as `T3_MUTANT` says. Only builds with the
/// feature `mutants` can.
#[cfg(feature = "mutants")]
pub fn is_mutant(name: &str) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| std::env::var("T3_MUTANT").ok());
    CHOSEN.as_deref() == Some(name)
}

/// Whether this process shall commit the fault of this name: never without the feature `mutants`.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn is_mutant(_name: &str) -> bool {
    false
}
