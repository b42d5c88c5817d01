use contracts::{Page, Request};

use crate::Error;

/// What a comparison of one copy found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// How many entries were compared.
    pub compared: u64,
    /// How many were not as they should be.
    pub found: u64,
    /// How many of these were put right.
    pub repaired: u64,
}

impl Tally {
    /// An entry was not as it should be, and was put right or not.
    pub fn found(&mut self, is_repaired: bool) {
        self.found += 1;
        self.repaired += u64::from(is_repaired);
    }
}

/// Where a copy differs from a page of what it is a copy of.
#[derive(Debug)]
pub struct Differences<T, K> {
    /// What its owner tells and is missing here, or older, or another with the same version. Something
    /// newer is no difference: the owner tells it soon.
    pub told: Vec<T>,
    /// What only the copy knows.
    pub extra: Vec<K>,
}

/// A copy of what another service owns and tells page by page, in the order of its keys.
///
/// The owner answers once EVENTS has all that the page says. Writes are guarded by versions, so whatever
/// an event says meanwhile stays.
pub trait Mirror: Sync {
    /// What asks for a page.
    type Asks: Request<Reply = Page<Self::Told, Self::At>>;
    /// What the owner tells of an entry.
    type Told: Send + Sync;
    /// Where a page ends.
    type At: Copy + Send + Sync;
    /// By what an entry is known here that the owner does not know.
    type Key: PartialEq + Send;

    /// Asks for the page after this.
    fn ask(&self, after: Option<Self::At>) -> Self::Asks;

    /// Compares what is kept from after this up to the page's end.
    fn differences(
        &self,
        after: Option<Self::At>,
        page: &Page<Self::Told, Self::At>,
    ) -> impl Future<Output = Result<Differences<Self::Told, Self::Key>, Error>> + Send;

    /// Keeps what the owner tells; says whether that changed anything.
    fn heal(&self, told: Self::Told) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Ends or forgets what the owner does not know; says whether that changed anything.
    fn end(&self, key: Self::Key) -> impl Future<Output = Result<bool, Error>> + Send;
}
