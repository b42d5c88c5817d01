use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use contracts::{Millis, Secret};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The most tokens that are stored for one mail. Each attempt to send the mail makes a token. The
/// earlier tokens stay valid, because an attempt that seems to have failed may have succeeded.
const MOST: usize = 5;

/// The hash of a token, and the time of its expiry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MintedHash {
    pub(crate) hash: TokenHash,
    pub(crate) expires_at: Millis,
}

/// Adds a token to the tokens of a mail, and drops the oldest token when there are too many.
/// Returns the time at which the new token expires.
pub(crate) fn add_token(tokens: &mut Vec<MintedHash>, hash: TokenHash, expires_at: Millis) -> Millis {
    tokens.push(MintedHash { hash, expires_at });
    let too_many = tokens.len().saturating_sub(MOST);
    tokens.drain(..too_many);
    expires_at
}

/// The SHA-256 of a token. A token has at least 32 random bytes, so a fast hash is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TokenHash(String);

impl TokenHash {
    /// The hash of the text of a token, as it is in a link.
    pub(crate) fn of(token: &Secret) -> Self {
        Self::of_bytes(token.expose().as_bytes())
    }

    /// The hash of the bytes of a token.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(bytes)))
    }
}

/// Encodes random bytes as the text of a token for a link.
pub(crate) fn token_of(bytes: [u8; 32]) -> Secret {
    Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_can_stand_in_a_link_and_its_hash_does_not_show_it() {
        let token = token_of([0xff; 32]);
        assert_eq!(token.expose().len(), 43);
        assert!(token.expose().chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        let hash = TokenHash::of(&token);
        assert!(!hash.0.contains(token.expose()));
        assert_ne!(hash, TokenHash::of(&token_of([0xfe; 32])));
    }
}
