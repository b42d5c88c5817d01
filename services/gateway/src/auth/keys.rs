use std::fmt;

use contracts::Secret;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The SHA-256 digests of the root key and the previous root key. Digests have one length and are
/// compared in constant time, so the time of a comparison reveals nothing about a key.
pub(crate) struct AdminKeys(Vec<[u8; 32]>);

impl fmt::Debug for AdminKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminKeys")
    }
}

impl AdminKeys {
    pub(crate) fn new(current: &Secret, previous: Option<&Secret>) -> Self {
        let digest = |key: &Secret| Sha256::digest(key.expose()).into();
        Self(std::iter::once(current).chain(previous).map(digest).collect())
    }

    /// Whether `key` is the current or the previous root key.
    pub(crate) fn admit(&self, key: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(key).into();
        let fits = self.0.iter().fold(Choice::from(0), |fits, key| fits | key.ct_eq(&given));
        fits.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_and_the_previous_key_are_admitted_and_no_other() {
        let keys = AdminKeys::new(&Secret::new("current"), Some(&Secret::new("previous")));
        assert!(keys.admit(b"current") && keys.admit(b"previous"));
        for other in ["", "curren", "current ", "Current"] {
            assert!(!keys.admit(other.as_bytes()), "{other}");
        }
    }
}
