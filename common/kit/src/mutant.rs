//! Mistakes on purpose, for the fault campaign to notice: see `docs/fault-campaign.md`.

/// Whether this process is to make the mistake of this name, which `T3_MUTANT` chooses. Never in a build
/// without the feature `mutants`.
#[cfg(feature = "mutants")]
pub fn is_mutant(name: &str) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| std::env::var("T3_MUTANT").ok());
    CHOSEN.as_deref() == Some(name)
}

/// Whether this process is to make the mistake of this name: it is not.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn is_mutant(_name: &str) -> bool {
    false
}
