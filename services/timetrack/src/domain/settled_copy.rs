//! A copy of all settled time, which events keep up to date.

use std::collections::HashMap;

use contracts::SettlementChanged;

use super::Settled;

/// All settlements, each in its newest version, and the time that they settle.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettledCopy {
    known: HashMap<String, SettlementChanged>,
    settled: Settled,
}

impl SettledCopy {
    /// Applies a settlement from an event or a document, unless the same or a newer version is
    /// known.
    pub(crate) fn apply(&mut self, settlement: SettlementChanged) {
        let known = self.known.get(&settlement.id);
        if known.is_some_and(|known| known.version >= settlement.version) {
            return;
        }
        if let Some(known) = self.known.remove(&settlement.id) {
            self.settled.remove(&known);
        }
        self.settled.add(&settlement);
        self.known.insert(settlement.id.clone(), settlement);
    }

    pub(crate) fn settled(&self) -> &Settled {
        &self.settled
    }
}
