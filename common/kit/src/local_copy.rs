use contracts::{Page, Request};

use crate::Error;

/// The result of comparing one copy with its owner.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// How many entries were compared.
    pub compared: u64,
    /// How many differed.
    pub found: u64,
    /// How many of these differences were repaired.
    pub repaired: u64,
}

impl Tally {
    /// Counts a difference, and whether it was repaired.
    pub fn found(&mut self, is_repaired: bool) {
        self.found += 1;
        self.repaired += u64::from(is_repaired);
    }
}

/// The differences between a copy and a page of its owner's data.
#[derive(Debug)]
pub struct Differences<T, K> {
    /// Entries of the owner that the copy lacks, has in an older version, or has with other content. A newer
    /// entry of the copy is no difference: its event has come before the page.
    pub differing: Vec<T>,
    /// The keys of entries that the owner does not have.
    pub extra: Vec<K>,
}

/// A copy of data of another service, which hands it out page by page in the order of its keys.
///
/// The owner answers once EVENTS has every event about the data of the page. All writes to the copy compare
/// versions, so a repair never overwrites what an event has brought meanwhile.
pub trait LocalCopy: Sync {
    /// The request for a page.
    type PageRequest: Request<Reply = Page<Self::Entry, Self::At>>;
    /// An entry of the owner.
    type Entry: Send + Sync;
    /// The key at which a page ends.
    type At: Copy + Send + Sync;
    /// The key of an entry of the copy.
    type Key: PartialEq + Send;

    /// The request for the page after this key.
    fn ask(&self, after: Option<Self::At>) -> Self::PageRequest;

    /// Compares the copy with a page: the entries after `after`, up to the end of the page.
    fn differences(
        &self,
        after: Option<Self::At>,
        page: &Page<Self::Entry, Self::At>,
    ) -> impl Future<Output = Result<Differences<Self::Entry, Self::Key>, Error>> + Send;

    /// Stores an entry of the owner. Says whether that changed the copy.
    fn heal(&self, entry: Self::Entry) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Ends or removes an entry that the owner does not have. Says whether that changed the copy.
    fn end(&self, key: Self::Key) -> impl Future<Output = Result<bool, Error>> + Send;
}
