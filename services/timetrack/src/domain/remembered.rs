use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use contracts::{IngestItem, RateBook, RatesChanged, WindowId, Zone};

use super::{Binding, BindingKey, Bindings, Prices, quarantined_ids::QuarantinedIds};

/// The limit of the cached bindings, in the unit of [`Binding::weight`]: about 20 MiB.
pub(crate) const MOST_WEIGHT: usize = 40_000;
/// The limit of the cached rates, in the unit of [`RateBook::weight`].
pub(crate) const MOST_RATES: usize = 200_000;

/// The cache of one process: bindings that were used, rates, and the ids of quarantined windows.
/// Events update it.
///
/// A binding enters the cache in three steps. First it is marked as wanted, and from then on events
/// about it are applied. Then the copy in the database must become complete up to that moment. Then
/// the document is read from that copy. So a cached binding is never older than the events that
/// were applied. When an event may have been missed, the whole cache is emptied.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// The bindings that were used lately. `old` has those that were used before.
    young: HashMap<BindingKey, Party>,
    old: HashMap<BindingKey, Party>,
    weight: usize,
    quarantined: QuarantinedIds,
    /// The rates that events have brought; all rates if `has_all_rates`.
    book: Arc<RateBook>,
    has_all_rates: bool,
    /// The time zone of the organisation; none if it must be read from the database.
    zone: Option<Zone>,
    /// How often the cache was emptied.
    life: u64,
}

/// A cached binding; without a value while it is wanted and not read yet.
#[derive(Clone, Debug, Default)]
struct Party {
    binding: Option<Arc<Binding>>,
    /// Whether the document was read from the database. Until then only events have been applied.
    is_whole: bool,
}

impl Party {
    fn apply(&mut self, binding: &Arc<Binding>) {
        if self.binding.as_ref().is_none_or(|known| known.version() < binding.version()) {
            self.binding = Some(binding.clone());
        }
    }

    /// The weight of the binding; 1 while it has no value.
    fn weight(&self) -> usize {
        self.binding.as_ref().map_or(1, |binding| binding.weight())
    }
}

impl Remembered {
    /// Empties the cache, because an event may have been missed.
    pub(crate) fn forget(&mut self) {
        *self = Self { life: self.life + 1, ..Self::default() };
    }

    /// Applies an event about a binding that is cached or wanted, or about rates.
    pub(crate) fn apply(&mut self, binding: Binding) {
        let binding = match binding {
            Binding::Rates(rates) => return self.apply_rates(rates),
            party => party,
        };
        let (key, binding) = (binding.key(), Arc::new(binding));
        if let Some(party) = self.old.get_mut(&key) {
            party.apply(&binding);
        }
        if let Some(party) = self.young.get_mut(&key) {
            let was = party.weight();
            party.apply(&binding);
            self.weight = self.weight + party.weight() - was;
        }
    }

    /// Marks these bindings as wanted: from here on events about them are applied. Returns those
    /// that must be read, and a number by which [`Self::keep`] detects that the cache was emptied
    /// in between.
    pub(crate) fn want(&mut self, keys: impl IntoIterator<Item = BindingKey>) -> (u64, Vec<BindingKey>) {
        let mut new = Vec::new();
        for key in keys {
            if self.find(key).is_none() {
                self.put(key, Party::default());
            }
            if self.find(key).is_some_and(|party| !party.is_whole) {
                new.push(key);
            }
        }
        (self.life, new)
    }

    /// Caches the documents of wanted bindings. They must be read after the copy was complete up to
    /// the moment at which they were wanted. A wanted binding without a document is dropped.
    pub(crate) fn keep(&mut self, life: u64, wanted: &[BindingKey], rows: impl IntoIterator<Item = Binding>) {
        if life != self.life {
            return;
        }
        for row in rows {
            self.apply(row);
        }
        for key in wanted {
            for parties in [&mut self.young, &mut self.old] {
                let is_nothing = parties.get_mut(key).is_some_and(|party| {
                    party.is_whole = party.binding.is_some();
                    !party.is_whole
                });
                if is_nothing {
                    parties.remove(key);
                }
            }
        }
    }

    /// Drops wanted bindings that could not be read.
    pub(crate) fn drop_wanted(&mut self, life: u64, wanted: &[BindingKey]) {
        if life == self.life {
            for key in wanted {
                for parties in [&mut self.young, &mut self.old] {
                    if parties.get(key).is_some_and(|party| !party.is_whole) {
                        parties.remove(key);
                    }
                }
            }
        }
    }

    fn apply_rates(&mut self, rates: RatesChanged) {
        Arc::make_mut(&mut self.book).learn(Arc::new(rates));
        if self.book.weight() > MOST_RATES {
            (self.book, self.has_all_rates) = (Arc::default(), false);
        }
    }

    /// Caches all rates. They must be read after the copy was complete up to the first rate that
    /// was applied from an event. If there are too many, none are cached.
    pub(crate) fn keep_rates(&mut self, all: impl IntoIterator<Item = Arc<RatesChanged>>) {
        let book = Arc::make_mut(&mut self.book);
        all.into_iter().for_each(|rates| book.learn(rates));
        self.has_all_rates = self.book.weight() <= MOST_RATES;
        if !self.has_all_rates {
            self.book = Arc::default();
        }
    }

    /// Whether all rates are cached.
    pub(crate) fn knows_rates(&self) -> bool {
        self.has_all_rates
    }

    /// Sets the time zone of the organisation. None means that it must be read from the database.
    pub(crate) fn set_zone(&mut self, zone: Option<Zone>) {
        self.zone = zone;
    }

    /// Whether the time zone is cached.
    pub(crate) fn knows_zone(&self) -> bool {
        self.zone.is_some()
    }

    /// All rates and the time zone; none unless all rates and the time zone are cached.
    pub(crate) fn prices(&self) -> Option<Prices> {
        let zone = self.zone.clone().filter(|_| self.has_all_rates)?;
        Some(Prices { book: self.book.clone(), zone })
    }

    /// The cached bindings of these windows; empty unless all rates and the time zone are cached.
    pub(crate) fn of<'a>(&mut self, items: impl IntoIterator<Item = &'a IngestItem>) -> Bindings {
        let Some(prices) = self.prices() else { return Bindings::default() };
        let keys: HashSet<_> = items.into_iter().flat_map(Bindings::keys).collect();
        let whole = |party: &Party| party.binding.clone().filter(|_| party.is_whole);
        let parties: Bindings = keys.into_iter().filter_map(|key| self.find(key).and_then(whole)).collect();
        parties.priced_by(prices)
    }

    /// Finds a binding and marks it as used lately.
    fn find(&mut self, key: BindingKey) -> Option<&Party> {
        if !self.young.contains_key(&key) {
            let party = self.old.remove(&key)?;
            self.put(key, party);
        }
        self.young.get(&key)
    }

    fn put(&mut self, key: BindingKey, party: Party) {
        if self.weight >= MOST_WEIGHT / 2 {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += party.weight();
        self.young.insert(key, party);
    }

    /// Caches the ids of all quarantined windows. Each event must be applied before these ids are
    /// read, or after this call. Otherwise the cache would lack the windows of that event.
    pub(crate) fn keep_quarantined(&mut self, rows: Vec<WindowId>) {
        self.quarantined.keep(rows);
    }

    /// Adds the ids of windows that were quarantined, from an event.
    pub(crate) fn add_quarantined(&mut self, windows: &[WindowId]) {
        self.quarantined.apply(windows);
    }

    /// Removes the ids of windows that this process has released from quarantine. An id that
    /// another process has released stays, and costs a needless query whenever a window with this
    /// id arrives.
    pub(crate) fn let_go(&mut self, windows: impl IntoIterator<Item = WindowId>) {
        self.quarantined.let_go(windows);
    }

    /// Whether this window may be quarantined. True if the ids are not cached.
    pub(crate) fn may_be_quarantined(&self, id: WindowId) -> bool {
        self.quarantined.may_contain(id)
    }

    /// Whether the ids of quarantined windows are cached.
    pub(crate) fn knows_quarantined(&self) -> bool {
        self.quarantined.are_known()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use contracts::{EmployeeChanged, EmployeeId, EmployeeState, Millis, Rate};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::admission::tests::item;

    fn employee(n: u128, version: i64) -> Binding {
        let id = EmployeeId(Uuid::from_u128(n));
        Binding::Employee(EmployeeChanged(EmployeeState { id, version, epoch: 0, deactivated_at: None, active: None }))
    }

    fn remembers(remembered: &mut Remembered, key: BindingKey) -> Option<i64> {
        let party = remembered.find(key)?;
        party.binding.as_ref().filter(|_| party.is_whole).map(|binding| binding.version())
    }

    #[test]
    fn what_was_missed_while_a_party_was_read_is_not_remembered() {
        let (mut remembered, key) = (Remembered::default(), employee(1, 1).key());
        let (life, wanted) = remembered.want([key]);
        remembered.forget();
        remembered.want([key]);
        remembered.keep(life, &wanted, [employee(1, 1)]);
        assert_eq!(remembers(&mut remembered, key), None);
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_is_looked_for() {
        let (mut remembered, kept) = (Remembered::default(), employee(1, 1).key());
        for n in 1..=4 * MOST_WEIGHT as u128 {
            let (life, wanted) = remembered.want([employee(n, 1).key()]);
            remembered.keep(life, &wanted, [employee(n, 1)]);
            assert_eq!(remembers(&mut remembered, kept), Some(1));
            assert!(remembered.young.len() + remembered.old.len() <= MOST_WEIGHT);
        }
    }

    /// Rates of the whole organisation. The amount equals the version, so that a test can tell the
    /// versions apart.
    fn rates(version: i64) -> RatesChanged {
        let amount = Rate::from_units(version).unwrap();
        let rate = contracts::RateSince {
            kind: contracts::RateKind::Bill,
            amount,
            valid_from: jiff::civil::date(1970, 1, 1),
            set_at: Millis(0),
        };
        RatesChanged { scope: contracts::RateScope::default(), version, rates: vec![rate], payroll: Vec::new() }
    }

    #[test]
    fn rates_are_remembered_once_all_are_read_and_by_the_newest_that_was_heard_or_read() {
        let mut remembered = Remembered::default();
        remembered.set_zone(Some(Zone::default()));
        remembered.apply(Binding::Rates(rates(2)));
        assert!(remembered.prices().is_none(), "others may be missing");
        remembered.keep_rates([Arc::new(rates(1))]);
        let (sent, range) = item(0, 1);
        let work = contracts::RatedWork {
            employee: sent.employee_id,
            project: sent.window.project_id,
            task: sent.window.task_id,
        };
        let version = |remembered: &Remembered| {
            let parties = Bindings::default().priced_by(remembered.prices()?);
            parties.price(work, range).rates.bill_rate.map(Rate::units)
        };
        assert_eq!(version(&remembered), Some(2));
        remembered.apply(Binding::Rates(rates(3)));
        remembered.apply(Binding::Rates(rates(1)));
        assert_eq!(version(&remembered), Some(3));
        remembered.set_zone(None);
        assert!(remembered.prices().is_none(), "the days may begin elsewhere now");
        remembered.set_zone(Some(Zone::default()));
        remembered.forget();
        assert!(remembered.prices().is_none() && !remembered.knows_zone() && !remembered.knows_rates());
    }

    #[test]
    fn too_many_rates_are_not_remembered() {
        let many = RatesChanged { rates: vec![rates(1).rates[0]; MOST_RATES], ..rates(1) };
        let mut remembered = Remembered::default();
        remembered.keep_rates([Arc::new(many)]);
        assert!(!remembered.knows_rates());
    }

    /// A step of a test with three bindings, a database and a cache.
    #[derive(Clone, Copy, Debug)]
    enum Next {
        /// The next version of a binding is published.
        Publish(u8),
        /// The database applies one of the events that it has not applied yet.
        Apply(u8),
        /// The cache applies the next events of its feed.
        Hear(u8),
        Want(u8),
        /// The cache reads the wanted bindings, if the copy in the database is complete up to the
        /// moment of wanting.
        Read,
        /// The feed breaks. It begins again with events that are published later.
        Break,
    }

    fn next() -> impl Strategy<Value = Next> {
        prop_oneof![
            4 => (0..3u8).prop_map(Next::Publish),
            4 => any::<u8>().prop_map(Next::Apply),
            3 => (1..4u8).prop_map(Next::Hear),
            2 => (0..3u8).prop_map(Next::Want),
            3 => Just(Next::Read),
            1 => Just(Next::Break),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        /// For any order of events, reads and breaks: once the feed is applied to its end, no
        /// cached binding is older than the newest published one. So none is older than the
        /// database's either.
        #[test]
        fn what_is_remembered_is_never_older_than_what_the_database_may_hold(
            steps in prop::collection::vec(next(), 0..60),
        ) {
            let keys = [0, 1, 2].map(|n| employee(n, 1).key());
            let (mut published, mut stored) = ([0_i64; 3], [0_i64; 3]);
            let (mut unapplied, mut feed) = (Vec::<(usize, i64)>::new(), VecDeque::new());
            let (mut remembered, mut life, mut wanted) = (Remembered::default(), 0, Vec::new());
            for step in steps {
                match step {
                    Next::Publish(n) => {
                        let n = usize::from(n);
                        published[n] += 1;
                        unapplied.push((n, published[n]));
                        feed.push_back((n, published[n]));
                    }
                    Next::Apply(which) if !unapplied.is_empty() => {
                        let (n, version) = unapplied.remove(usize::from(which) % unapplied.len());
                        stored[n] = stored[n].max(version);
                    }
                    Next::Apply(_) => {}
                    Next::Hear(few) => {
                        for (n, version) in feed.drain(..feed.len().min(few.into())) {
                            remembered.apply(employee(n as u128, version));
                        }
                    }
                    Next::Want(n) => {
                        let (now, new) = remembered.want([keys[usize::from(n)]]);
                        if now != life {
                            wanted.clear();
                        }
                        life = now;
                        wanted.extend(new);
                    }
                    Next::Read if unapplied.is_empty() => {
                        let rows = (0..3).filter(|n| stored[*n] > 0).map(|n| employee(n as u128, stored[n]));
                        let read: Vec<_> = rows.filter(|row| wanted.contains(&row.key())).collect();
                        remembered.keep(life, &wanted, read);
                        wanted.clear();
                    }
                    Next::Read => {}
                    Next::Break => {
                        remembered.forget();
                        feed.clear();
                    }
                }
                if feed.is_empty() {
                    for (n, key) in keys.into_iter().enumerate() {
                        if let Some(version) = remembers(&mut remembered, key) {
                            prop_assert_eq!(version, published[n]);
                            prop_assert!(version >= stored[n]);
                        }
                    }
                }
            }
        }
    }
}
