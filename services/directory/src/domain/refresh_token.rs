use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use contracts::Secret;
use sha2::{Digest, Sha256};

use super::TokenHash;

/// The prefix of every refresh token, by which secret scanners recognise refresh tokens.
const PREFIX: &str = "t3refresh_";
/// The number of bytes of each half of a token.
const HALF: usize = 32;

/// A refresh token. Its first half, 256 random bits, is the same in all tokens of a session and
/// identifies the session. Its second half is different in each token.
///
/// A client that knows the first half must have had a token of the session. So a used token is
/// recognised although it is not stored, and nobody can end a session with a guessed token.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    shared: [u8; HALF],
    own: [u8; HALF],
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[refresh token]")
    }
}

impl RefreshToken {
    /// The first token of a session.
    pub(crate) fn first(shared: [u8; HALF], own: [u8; HALF]) -> Self {
        Self { shared, own }
    }

    /// Parses the text of a token. None if the text is malformed.
    pub(crate) fn read(text: &Secret) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.expose().strip_prefix(PREFIX)?).ok()?;
        let (shared, own) = bytes.split_at_checked(HALF)?;
        Some(Self { shared: shared.try_into().ok()?, own: own.try_into().ok()? })
    }

    /// The text of the token.
    pub(crate) fn text(&self) -> Secret {
        Secret::new(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode([self.shared, self.own].concat())))
    }

    /// The hash of the first half of the token, which identifies the session.
    pub(crate) fn family(&self) -> TokenHash {
        TokenHash::of_bytes(&self.shared)
    }

    /// The hash of the whole token.
    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash::of_bytes(&[self.shared, self.own].concat())
    }

    /// The next token after this one. The same salt gives the same token, so that it can be sent
    /// again when the answer was lost. The salt, which is stored, is of no use without this token.
    pub(crate) fn successor(&self, salt: &[u8; HALF]) -> Self {
        let own = Sha256::new().chain_update(b"the next of ").chain_update(self.shared).chain_update(self.own);
        Self { shared: self.shared, own: own.chain_update(salt).finalize().into() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_read_back_and_its_hashes_do_not_show_it(shared: [u8; 32], own: [u8; 32]) {
            let token = RefreshToken::first(shared, own);
            let text = token.text();
            prop_assert_eq!(RefreshToken::read(&text), Some(token.clone()));
            for hash in [token.family(), token.hash()] {
                let hash = serde_json::to_string(&hash).unwrap();
                prop_assert!(!text.expose().contains(hash.trim_matches('"')));
            }
        }

        #[test]
        fn the_next_token_depends_on_the_one_before_and_on_the_salt(
            shared: [u8; 32], own: [u8; 32], other: [u8; 32], salt: [u8; 32], salt_too: [u8; 32],
        ) {
            prop_assume!(own != other && salt != salt_too);
            let token = RefreshToken::first(shared, own);
            let next = token.successor(&salt);
            prop_assert!(next == token.successor(&salt) && next.family() == token.family());
            prop_assert!(next != token.successor(&salt_too));
            prop_assert!(next != RefreshToken::first(shared, other).successor(&salt));
            prop_assert!(next.hash() != token.hash());
        }

        #[test]
        fn what_is_no_token_is_not_read(text in "(t3refresh_)?[A-Za-z0-9_=-]{0,85}|\\PC{0,40}") {
            prop_assert!(RefreshToken::read(&Secret::new(text)).is_none());
        }
    }
}
