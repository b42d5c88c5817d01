use std::collections::HashSet;

use contracts::WindowId;

/// The most ids of quarantined windows that are cached.
pub(crate) const MOST_QUARANTINED: usize = 20_000;

/// The cached ids of all quarantined windows; none if they are not cached.
#[derive(Debug, Default)]
pub(crate) struct QuarantinedIds(Option<HashSet<WindowId>>);

impl QuarantinedIds {
    /// Caches the ids of all quarantined windows. If there are more than [`MOST_QUARANTINED`], none
    /// are cached.
    pub(crate) fn keep(&mut self, rows: Vec<WindowId>) {
        self.0 = (rows.len() <= MOST_QUARANTINED).then(|| rows.into_iter().collect());
    }

    /// Adds the ids of windows that were quarantined.
    pub(crate) fn apply(&mut self, windows: &[WindowId]) {
        let Some(ids) = &mut self.0 else { return };
        ids.extend(windows);
        if ids.len() > MOST_QUARANTINED {
            self.0 = None;
        }
    }

    /// Removes the ids of windows that are no longer quarantined.
    pub(crate) fn let_go(&mut self, windows: impl IntoIterator<Item = WindowId>) {
        if let Some(ids) = &mut self.0 {
            for id in windows {
                ids.remove(&id);
            }
        }
    }

    /// Whether this window may be quarantined. True if the ids are not cached.
    pub(crate) fn may_contain(&self, id: WindowId) -> bool {
        self.0.as_ref().is_none_or(|ids| ids.contains(&id))
    }

    /// Whether the ids are cached.
    pub(crate) fn are_known(&self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn too_many_held_windows_are_not_remembered_and_any_may_be_held_then() {
        let (mut ids, id) = (QuarantinedIds::default(), WindowId(Uuid::from_u128(7)));
        assert!(ids.may_contain(id));
        ids.keep(Vec::new());
        assert!(!ids.may_contain(id));
        ids.apply(&[id]);
        assert!(ids.may_contain(id));
        ids.let_go([id]);
        assert!(!ids.may_contain(id));
        let many: Vec<_> = (0..=MOST_QUARANTINED as u128).map(|n| WindowId(Uuid::from_u128(n + 100))).collect();
        ids.apply(&many);
        assert!(ids.may_contain(id) && !ids.are_known());
    }
}
