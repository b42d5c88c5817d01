use std::{fmt, str::FromStr};

use super::entry::{Entry, Fact, Hash, ORIGIN, from_hex, hex};

/// The sequence number and hash of the last entry of the chain. The next entry is appended after
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: i64,
    pub(crate) hash: Hash,
}

impl Head {
    /// The head of an empty chain.
    pub(crate) const EMPTY: Self = Self { seq: 0, hash: ORIGIN };
}

impl From<&Entry> for Head {
    fn from(entry: &Entry) -> Self {
        Self { seq: entry.seq, hash: entry.hash }
    }
}

/// Makes these facts the next entries after the head of the chain.
pub(crate) fn append(head: Head, facts: impl IntoIterator<Item = Fact>) -> Vec<Entry> {
    let mut head = head;
    let next = |fact| {
        let entry = Entry::new(head.seq + 1, &head.hash, fact);
        head = Head::from(&entry);
        entry
    };
    facts.into_iter().map(next).collect()
}

/// The sequence number and hash of one entry, kept outside of the database: `<seq>:<hash>`, as
/// `verify` prints it. With an anchor, `verify` detects a chain that was cut off before that entry
/// or rewritten from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub(crate) seq: i64,
    pub(crate) hash: Hash,
}

/// The error for a text that is no [`Anchor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be <seq>:<hash>, as an earlier `verify` printed it")]
pub struct InvalidAnchor;

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, hex(&self.hash))
    }
}

impl FromStr for Anchor {
    type Err = InvalidAnchor;

    fn from_str(text: &str) -> Result<Self, InvalidAnchor> {
        let (seq, hash) = text.trim().split_once(':').ok_or(InvalidAnchor)?;
        let hash = from_hex(hash).ok_or(InvalidAnchor)?;
        Ok(Self { seq: seq.parse().map_err(|_| InvalidAnchor)?, hash })
    }
}

/// The first error that the verification of a chain finds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The entry with this sequence number is missing, although a later entry exists.
    #[error("entry {0} is missing: the one after it is there")]
    Missing(i64),
    /// The hash of the entry with this sequence number is not the hash of its content and of the
    /// hash before it.
    #[error("entry {0} does not fit: it, or the one before it, was changed after it was written")]
    Changed(i64),
    /// The entry with this sequence number cannot be parsed, for this reason.
    #[error("entry {0} does not fit: it cannot be read ({1})")]
    Unreadable(i64, String),
    /// The entry with this sequence number has another hash than the anchor.
    #[error("entry {0} does not fit: its hash is not the anchor's, so the trail up to it was written anew")]
    NotAnchor(i64),
    /// The chain ends before the anchor. The numbers are those of the first missing entry and of
    /// the anchor.
    #[error("entry {0} is missing: the trail was cut off before the anchor, {1}")]
    CutOff(i64, i64),
}

/// The verification of a chain, entry by entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    head: Head,
    anchor: Option<Anchor>,
}

impl Walk {
    pub(crate) fn new(anchor: Option<Anchor>) -> Self {
        Self { head: Head::EMPTY, anchor }
    }

    /// The sequence number that the next entry must have.
    pub(crate) fn next_seq(&self) -> i64 {
        self.head.seq + 1
    }

    /// Checks the next entry, and makes it the head.
    pub(crate) fn step(&mut self, entry: &Entry) -> Result<(), Broken> {
        let expected = self.next_seq();
        if entry.seq > expected {
            return Err(Broken::Missing(expected));
        }
        if entry.seq != expected || !entry.fits(&self.head.hash) {
            return Err(Broken::Changed(entry.seq));
        }
        if self.anchor.is_some_and(|anchor| anchor.seq == entry.seq && anchor.hash != entry.hash) {
            return Err(Broken::NotAnchor(entry.seq));
        }
        self.head = entry.into();
        Ok(())
    }

    /// Ends the verification. Returns the last entry as an anchor; none if the chain is empty.
    pub(crate) fn end(self) -> Result<Option<Anchor>, Broken> {
        let Head { seq, hash } = self.head;
        match self.anchor {
            Some(anchor) if anchor.seq > seq => Err(Broken::CutOff(seq + 1, anchor.seq)),
            _ => Ok((seq > 0).then_some(Anchor { seq, hash })),
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{EventId, Millis};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::{super::entry::tests::fact, *};

    fn chain(length: u128) -> Vec<Entry> {
        append(Head::EMPTY, (1..=length).map(fact))
    }

    fn walk(entries: &[Entry], anchor: Option<Anchor>) -> Result<Option<Anchor>, Broken> {
        let mut walk = Walk::new(anchor);
        entries.iter().try_for_each(|entry| walk.step(entry))?;
        walk.end()
    }

    #[test]
    fn a_chain_fits_however_many_are_appended_at_once() {
        let (mut entries, more) = (chain(3), fact(4));
        entries.extend(append(Head::from(&entries[2]), [more]));
        assert_eq!(entries, chain(4));
        let end = walk(&entries, None).unwrap().unwrap();
        assert_eq!(end.to_string().parse(), Ok(end));
        assert_eq!(walk(&[], None), Ok(None));
    }

    #[test]
    fn an_end_that_is_cut_off_and_a_chain_that_is_written_anew_are_found_by_an_anchor() {
        let anchor = walk(&chain(3), None).unwrap();
        assert_eq!(walk(&chain(2), anchor), Err(Broken::CutOff(3, 3)));
        assert!(walk(&chain(5), anchor).is_ok());
        let anew = append(Head::EMPTY, (11..=13).map(fact));
        assert_eq!(walk(&anew, anchor), Err(Broken::NotAnchor(3)));
        for bad in ["", "3", "3:", "x:00", "3:0g", &format!("3:{}", "é".repeat(32))] {
            assert_eq!(bad.parse::<Anchor>(), Err(InvalidAnchor), "{bad}");
        }
    }

    /// Changes field number `field` of an entry; `salt` varies the change.
    fn spoil(entry: &mut Entry, field: usize, salt: u8) {
        let (fact, text) = (&mut entry.fact, format!("x{salt}"));
        match field {
            0 => entry.hash[usize::from(salt % 32)] ^= 1 << (salt % 8),
            1 => fact.event = EventId(Uuid::from_u128(fact.event.0.as_u128() ^ (1 << (salt % 128)))),
            2 => fact.at = Millis(fact.at.0 ^ (1 << (salt % 63))),
            3 => fact.actor.push_str(&text),
            4 => fact.action.push_str(&text),
            5 => fact.subject_kind.push_str(&text),
            6 => fact.subject_id.push_str(&text),
            7 => fact.request_id = None,
            8 => fact.cause = None,
            9 => fact.address = Some(String::new()),
            10 => fact.changes = Some(text),
            11 => fact.stream_seq += i64::from(salt) + 1,
            // Moves a character from the end of one field to the beginning of the next field.
            _ => fact.subject_kind.insert(0, fact.action.pop().unwrap_or('x')),
        }
    }

    proptest! {
        #[test]
        fn whatever_is_changed_in_an_entry_is_found_there(place in 0..5_usize, field in 0..13_usize, salt: u8) {
            let mut entries = chain(5);
            spoil(&mut entries[place], field, salt);
            prop_assert_eq!(walk(&entries, None), Err(Broken::Changed(place as i64 + 1)));
        }

        #[test]
        fn an_entry_that_is_removed_or_swapped_is_found(place in 0..4_usize) {
            let mut removed = chain(5);
            removed.remove(place);
            prop_assert_eq!(walk(&removed, None), Err(Broken::Missing(place as i64 + 1)));
            let mut swapped = chain(5);
            let (one, other) = (swapped[place].fact.clone(), swapped[place + 1].fact.clone());
            (swapped[place].fact, swapped[place + 1].fact) = (other, one);
            prop_assert_eq!(walk(&swapped, None), Err(Broken::Changed(place as i64 + 1)));
            let mut renumbered = chain(5);
            renumbered.remove(place);
            for (at, entry) in renumbered.iter_mut().enumerate() {
                entry.seq = at as i64 + 1;
            }
            prop_assert_eq!(walk(&renumbered, None), Err(Broken::Changed(place as i64 + 1)));
        }
    }
}
