use contracts::{Page, Request};

use crate::Error;

/// The counts of one comparison of a copy with its owner's data.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// The number of entries that were compared.
    pub compared: u64,
    /// The number of entries that differed.
    pub found: u64,
    /// The number of differences that were repaired.
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
    /// Entries of the owner that the copy lacks, has in an older version, or has with other
    /// content. An entry that is newer in the copy is no difference: the copy has applied an event
    /// that came after the page was read.
    pub differing: Vec<T>,
    /// The keys of entries of the copy that the owner does not have.
    pub extra: Vec<K>,
}

/// A copy of another service's data. The owner of the data returns the data page by page, in the
/// order of the keys.
///
/// The owner answers once EVENTS has every event about the data of the page. Every write to the
/// copy compares versions, so a repair never overwrites newer data from an event.
pub trait LocalCopy: Sync {
    /// The request for a page of the owner's data.
    type PageRequest: Request<Reply = Page<Self::Entry, Self::At>>;
    /// An entry of the owner's data.
    type Entry: Send + Sync;
    /// The key at which a page ends and the next page continues.
    type At: Copy + Send + Sync;
    /// The key of an entry of the copy.
    type Key: PartialEq + Send;

    /// The request for the page after this key, or for the first page.
    fn ask(&self, after: Option<Self::At>) -> Self::PageRequest;

    /// Compares a page of the owner's data with the copy's entries after `after`, up to the end of
    /// the page.
    fn differences(
        &self,
        after: Option<Self::At>,
        page: &Page<Self::Entry, Self::At>,
    ) -> impl Future<Output = Result<Differences<Self::Entry, Self::Key>, Error>> + Send;

    /// Stores an entry of the owner in the copy. Returns whether the copy has changed.
    fn heal(&self, entry: Self::Entry) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Ends or removes an entry of the copy that the owner does not have. Returns whether the copy
    /// has changed.
    fn end(&self, key: Self::Key) -> impl Future<Output = Result<bool, Error>> + Send;
}
