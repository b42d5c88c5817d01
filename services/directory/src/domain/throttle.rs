//! Decides how long a client that may be guessing must pause. An attempt counts as a failure until
//! it succeeds, so that concurrent attempts all count.
//!
//! Three records decide: one for the account and the network address together (the pair), one for
//! the account, and one for the network address. The pause of a pair can become long. The pauses of
//! the other two stay short, because they also affect innocent people: the owner of an account that
//! strangers attack, and other people at the attacker's network address. Two rules protect these
//! people:
//!
//! - After a successful log-in to the account from a network address, only the record of the pair
//!   counts there.
//! - A client with few failures of its own waits for the account only once, for at most
//!   [`Bound::longest`] of [`ACCOUNT`], whatever others do meanwhile.

use contracts::{DAY, HOUR, Millis, SECOND};

const MINUTE: i64 = 60 * SECOND;
/// How long a successful log-in from a network address is remembered, in milliseconds.
const KNOWN: i64 = 90 * DAY;

/// How many failures cause no pause, and how long the pause can become after more failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    free: i64,
    /// The longest pause in milliseconds. Each time this duration passes, one failure is forgotten.
    longest: i64,
}

/// The bound for an account and one network address together.
pub(crate) const PAIR: Bound = Bound { free: 5, longest: HOUR };
/// The bound for an account, for attempts from addresses without a successful log-in.
pub(crate) const ACCOUNT: Bound = Bound { free: 20, longest: 3 * MINUTE };
/// The bound for a network address, for attempts at accounts without a successful log-in from
/// there.
pub(crate) const ADDRESS: Bound = Bound { free: 50, longest: 5 * MINUTE };

impl Bound {
    /// How much later a failure makes [`Record::forgotten_at`], in milliseconds.
    pub(crate) fn worth(self) -> i64 {
        self.longest
    }

    /// The pause after this many failures, in milliseconds: none for the first ones, then a second,
    /// doubled with each failure.
    fn pause(self, failures: i64) -> i64 {
        match failures - self.free {
            ..=0 => 0,
            over @ 1..=20 => self.longest.min(SECOND << (over - 1)),
            _ => self.longest,
        }
    }
}

/// The record of the attempts with one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// When the pause ends.
    pub(crate) until: Millis,
    /// When all failures are forgotten.
    pub(crate) forgotten_at: Millis,
    /// For a pair: until when the last successful log-in is remembered.
    pub(crate) known_until: Millis,
    /// For a pair: since when the client waits for the pause of the account.
    pub(crate) waits_since: Option<Millis>,
}

impl Record {
    fn failures(&self, bound: Bound, now: Millis) -> i64 {
        let left = (self.forgotten_at - now).max(0);
        left / bound.longest + i64::from(left % bound.longest > 0)
    }

    fn with_one_more(self, bound: Bound, now: Millis) -> Self {
        Self {
            until: now + bound.pause(self.failures(bound, now) + 1),
            forgotten_at: self.forgotten_at.max(now) + bound.longest,
            waits_since: None,
            ..self
        }
    }

    /// The record of a pair after a successful log-in.
    pub(crate) fn proven(now: Millis) -> Self {
        Self { known_until: now + KNOWN, ..Self::default() }
    }

    /// When the record no longer has any effect.
    pub(crate) fn over_at(&self) -> Millis {
        let waited = self.waits_since.map_or(Millis(0), |since| since + 2 * ACCOUNT.longest);
        self.forgotten_at.max(self.known_until).max(waited)
    }
}

/// The three records of an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Records {
    pub(crate) pair: Record,
    pub(crate) account: Record,
    pub(crate) address: Record,
}

/// How much a client is trusted. Attempts of the most trusted clients are processed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// The client has logged in to this account from this network address before.
    Known,
    /// The pair and the network address have no failures.
    Unknown,
    /// The pair or the network address has failures.
    Suspect,
}

impl Trust {
    /// All levels of trust, the most trusted first.
    pub(crate) const ALL: [Self; 3] = [Self::Known, Self::Unknown, Self::Suspect];
}

/// The record that causes a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Pair,
    Account,
    Address,
}

/// The decision whether an attempt may be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The attempt may be made once the records `counted` are stored. They count the attempt as a
    /// failure.
    Go { counted: Records, trust: Trust },
    /// The attempt must wait until this time. `pair` is the new content of the pair's record.
    Wait { until: Millis, of: Of, pair: Record },
}

/// Decides from its records whether an attempt may be made now.
pub(crate) fn decide(now: Millis, records: Records) -> Decision {
    let Records { pair, account, address } = records;
    if now < pair.until {
        return Decision::Wait { until: pair.until, of: Of::Pair, pair };
    }
    let counted = pair.with_one_more(PAIR, now);
    if now < pair.known_until {
        return Decision::Go { counted: Records { pair: counted, account, address }, trust: Trust::Known };
    }
    if now < account.until {
        let has_free_ones = pair.failures(PAIR, now) < PAIR.free;
        let since = pair.waits_since.unwrap_or(now);
        let turn = if has_free_ones { since + ACCOUNT.longest } else { account.until };
        if now < turn {
            let pair = Record { waits_since: has_free_ones.then_some(since), ..pair };
            return Decision::Wait { until: turn.min(account.until), of: Of::Account, pair };
        }
    }
    if now < address.until {
        return Decision::Wait { until: address.until, of: Of::Address, pair };
    }
    let is_clean = pair.failures(PAIR, now) == 0 && address.failures(ADDRESS, now) == 0;
    let counted = Records {
        pair: counted,
        account: account.with_one_more(ACCOUNT, now),
        address: address.with_one_more(ADDRESS, now),
    };
    Decision::Go { counted, trust: if is_clean { Trust::Unknown } else { Trust::Suspect } }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const START: Millis = Millis(1_760_000_000_000);

    /// The records of all clients, in memory and not in a database.
    #[derive(Default)]
    struct Kept {
        pairs: HashMap<(u32, u32), Record>,
        accounts: HashMap<u32, Record>,
        addresses: HashMap<u32, Record>,
    }

    impl Kept {
        /// Makes a wrong guess. Returns the trust in the client, or the end of the pause and the
        /// record that causes it.
        fn guess(&mut self, now: Millis, account: u32, address: u32) -> Result<Trust, (Millis, Of)> {
            let pair = self.pairs.entry((account, address)).or_default();
            let (of_account, of_address) =
                (self.accounts.entry(account).or_default(), self.addresses.entry(address).or_default());
            match decide(now, Records { pair: *pair, account: *of_account, address: *of_address }) {
                Decision::Go { counted, trust } => {
                    (*pair, *of_account, *of_address) = (counted.pair, counted.account, counted.address);
                    Ok(trust)
                }
                Decision::Wait { until, of, pair: waiting } => {
                    *pair = waiting;
                    Err((until, of))
                }
            }
        }

        fn log_in(&mut self, now: Millis, account: u32, address: u32) {
            self.pairs.insert((account, address), Record::proven(now));
        }
    }

    #[test]
    fn the_first_few_cost_nothing_and_then_the_pause_doubles_up_to_an_hour() {
        let (mut kept, mut now) = (Kept::default(), START);
        let mut pauses = Vec::new();
        for _ in 0..24 {
            now = match kept.guess(now, 1, 1) {
                Ok(_) => now,
                Err((until, _)) => {
                    pauses.push((until - now) / SECOND);
                    kept.guess(until, 1, 1).expect("the pause is over");
                    until
                }
            };
        }
        assert_eq!(kept.pairs[&(1, 1)].until - now, HOUR);
        assert_eq!(pauses[..6], [1, 2, 4, 8, 16, 32]);
        assert!(pauses.iter().all(|pause| *pause <= 3_600), "{pauses:?}");
        assert_eq!(kept.guess(now + 2 * HOUR, 1, 1), Ok(Trust::Suspect));
        assert_eq!(kept.guess(now + 2 * DAY, 1, 1), Ok(Trust::Unknown), "all is forgotten");
    }

    #[test]
    fn two_thousand_guesses_at_once_from_one_address_are_six() {
        let mut kept = Kept::default();
        let made = (0..2_000).filter(|_| kept.guess(START, 1, 1).is_ok()).count();
        assert_eq!(made, 6);
        assert_eq!(kept.guess(START, 1, 1).unwrap_err().1, Of::Pair);
    }

    #[test]
    fn two_thousand_guesses_at_once_from_two_hundred_addresses_are_a_few_more() {
        let mut kept = Kept::default();
        let made = (0..2_000).filter(|n| kept.guess(START, 1, n % 200).is_ok()).count();
        assert_eq!(made, 21);
        assert_eq!(kept.guess(START, 2, 1).unwrap(), Trust::Suspect, "another account");
    }

    #[test]
    fn a_spray_over_many_accounts_is_slowed_down_by_its_address() {
        let mut kept = Kept::default();
        let made = (0..2_000).filter(|account| kept.guess(START, *account, 1).is_ok()).count();
        assert_eq!(made, 51);
        assert_eq!(kept.guess(START, 5_000, 1).unwrap_err().1, Of::Address);
        assert_eq!(kept.guess(START, 5_000, 2), Ok(Trust::Unknown), "another address");
    }

    #[test]
    fn where_somebody_has_logged_in_before_nobody_else_keeps_them_waiting() {
        let mut kept = Kept::default();
        kept.log_in(START, 1, 7);
        for n in 0..2_000 {
            let _ = kept.guess(START, 1, n % 200 + 100);
            let _ = kept.guess(START, n + 2, 7);
        }
        assert_eq!(kept.guess(START, 1, 7), Ok(Trust::Known));
        assert!(kept.guess(START, 1, 8).is_err(), "elsewhere it waits");
        assert!(kept.guess(START + KNOWN, 1, 7).is_ok_and(|trust| trust != Trust::Known));
    }

    #[test]
    fn even_there_nobody_guesses_on() {
        let mut kept = Kept::default();
        kept.log_in(START, 1, 7);
        assert_eq!((0..100).filter(|_| kept.guess(START, 1, 7).is_ok()).count(), 6);
    }

    proptest! {
        /// Whatever others guess at an account, a client at another network address that waits as
        /// long as each answer says may try after at most three minutes.
        #[test]
        fn nobody_is_locked_out_from_elsewhere_for_longer_than_a_few_minutes(
            pauses in prop::collection::vec(0i64..20_000, 1..80),
            burst in 1u32..60,
            late in 0i64..600_000,
        ) {
            let mut kept = Kept::default();
            let came_at = START + late;
            let (mut owner_at, mut let_in_at, mut now) = (came_at, None, START);
            let mut attack = pauses.iter().cycle();
            while let_in_at.is_none() && now <= came_at + 10 * ACCOUNT.longest {
                now = now + *attack.next().expect("endless");
                for address in 0..burst {
                    let _ = kept.guess(now, 1, 100 + address);
                }
                while let_in_at.is_none() && owner_at <= now {
                    match kept.guess(owner_at, 1, 1) {
                        Ok(_) => let_in_at = Some(owner_at),
                        Err((until, _)) => {
                            prop_assert!(until > owner_at);
                            owner_at = until;
                        }
                    }
                }
            }
            prop_assert!(let_in_at.is_some_and(|at| at - came_at <= ACCOUNT.longest), "{let_in_at:?}");
        }

        /// At most 48 guesses at one account are possible from one network address in a day,
        /// however they are spread.
        #[test]
        fn a_pair_has_few_guesses_a_day(pauses in prop::collection::vec(0i64..4_000_000, 1..40)) {
            let (mut kept, mut now, mut made) = (Kept::default(), START, 0);
            let mut pauses = pauses.iter().cycle();
            while now < START + DAY {
                now = now + *pauses.next().expect("endless") + 50;
                made += usize::from(kept.guess(now, 1, 1).is_ok());
                if made > 60 {
                    break;
                }
            }
            prop_assert!(made <= 48, "{made}");
        }

        #[test]
        fn a_pause_is_never_longer_than_its_bound_and_never_shorter_after_more_failures(failures in 0i64..100_000) {
            for bound in [PAIR, ACCOUNT, ADDRESS] {
                prop_assert!(bound.pause(failures) <= bound.longest);
                prop_assert!(bound.pause(failures) <= bound.pause(failures + 1));
                prop_assert_eq!(bound.pause(failures) == 0, failures <= bound.free);
            }
        }
    }
}
