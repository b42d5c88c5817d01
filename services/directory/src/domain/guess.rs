use std::net::IpAddr;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use contracts::{Email, Secret};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An attempt whose number is limited: a guess of a secret, or a request for a mail.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guess<'a> {
    /// A password for the account with this address. The account may not exist.
    Password(&'a str),
    /// The token of a mailed link. A token is too long to guess, but a client may send the same
    /// invalid token again and again, so attempts with one token are limited.
    Token(&'a Secret),
    /// A request for a mail to this address.
    Mail(&'a str),
}

/// The key of a record of attempts. The key is a hash, so that the database reveals neither
/// addresses nor mistyped passwords.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct AttemptKey(String);

/// The keys of the three records of an attempt: for the account and the network address together,
/// for the account, and for the network address. For an attempt with a token, the token takes the
/// place of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AttemptKeys {
    pub(crate) pair: AttemptKey,
    pub(crate) account: AttemptKey,
    pub(crate) address: AttemptKey,
}

impl Guess<'_> {
    /// The keys of an attempt from this network address.
    pub(crate) fn keys(self, address: Option<IpAddr>) -> AttemptKeys {
        let (kind, account) = match self {
            Self::Password(email) => ("password", account(email)),
            Self::Token(token) => ("token", token.expose().to_owned()),
            Self::Mail(email) => ("mail", account(email)),
        };
        let address = address.map_or_else(|| "none".to_owned(), |address| kit::client_network(address).to_string());
        AttemptKeys {
            pair: AttemptKey::of(kind, &[&account, &address]),
            account: AttemptKey::of(kind, &[&account, "everywhere"]),
            address: AttemptKey::of(kind, &["all", &address]),
        }
    }

    /// Whether the attempt also counts in the records of the account and of the network address,
    /// which other people share.
    pub(crate) fn concerns_others(self) -> bool {
        !matches!(self, Self::Token(_))
    }
}

/// The normalised e-mail address, so that all spellings count as one account. An invalid address is
/// only trimmed and lower-cased.
fn account(email: &str) -> String {
    Email::parse(email).map_or_else(|_| email.trim().to_lowercase(), |email| email.key())
}

impl AttemptKey {
    fn of(kind: &str, parts: &[&str]) -> Self {
        let mut hash = Sha256::new_with_prefix(kind);
        for part in parts {
            // Without the lengths, different lists of parts could give the same hash.
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        Self(BASE64_URL_SAFE_NO_PAD.encode(hash.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(guess: Guess<'_>, address: &str) -> AttemptKeys {
        guess.keys(Some(address.parse().expect("an address")))
    }

    #[test]
    fn an_account_is_the_same_however_its_address_is_written_and_whoever_it_is() {
        let one = keys(Guess::Password("ann@x.org"), "10.0.0.1");
        assert_eq!(one, keys(Guess::Password(" Ann@X.org "), "::ffff:10.0.0.1"));
        let elsewhere = keys(Guess::Password("ann@x.org"), "10.0.0.2");
        assert!(one.account == elsewhere.account && one.pair != elsewhere.pair && one.address != elsewhere.address);
        let other = keys(Guess::Password("no address at all"), "10.0.0.1");
        assert!(one.account != other.account && one.pair != other.pair && one.address == other.address);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let guess = Guess::Password("ann@x.org");
        assert_eq!(keys(guess, "2001:db8::1"), keys(guess, "2001:db8::2"));
        assert_ne!(keys(guess, "2001:db8::1").pair, keys(guess, "2001:db8:0:1::1").pair);
    }

    #[test]
    fn what_is_guessed_counts_apart_and_no_key_shows_it() {
        let (password, mail) = (keys(Guess::Password("ann@x.org"), "::1"), keys(Guess::Mail("ann@x.org"), "::1"));
        assert!(password.pair != mail.pair && password.account != mail.account && password.address != mail.address);
        let token = Secret::new("ann@x.org");
        assert_ne!(keys(Guess::Token(&token), "::1").pair, password.pair);
        assert!(!format!("{password:?}").contains("ann"));
    }
}
