use std::fmt::Write;

use anyhow::{Result, anyhow};
use contracts::{Rights, Secret};
use nkeys::KeyPair;

/// A new key of a user of NATS: its seed, and the public key.
///
/// # Errors
/// When there is no chance to be had.
pub fn new_key() -> Result<(Secret, String)> {
    let pair = KeyPair::new_user();
    let seed = pair.seed().map_err(|error| anyhow!("a key cannot be made: {error}"))?;
    Ok((Secret::new(seed), pair.public_key()))
}

/// The public key that belongs to a seed.
pub(crate) fn public_key(seed: &Secret) -> Result<String> {
    let pair = KeyPair::from_seed(seed.expose()).map_err(|error| anyhow!("it is no seed: {error}"))?;
    Ok(pair.public_key())
}

/// The users of NATS, as its configuration is told of them: public keys and rights, no secret.
pub fn nats_users<'a>(users: impl IntoIterator<Item = (&'a str, String, Rights)>) -> String {
    let mut text = String::from(
        "# Written by `provision secrets` from the table of rights: changes made here are lost.\nauthorization {\n  users: [\n",
    );
    for (name, key, rights) in users {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "    # {name}\n    {{\n      nkey: {key}\n      permissions: {{\n        publish: {{ allow: {} }}\n        subscribe: {{ allow: {} }}\n      }}\n    }}\n",
            list(&rights.publish),
            list(&rights.subscribe),
        );
    }
    text.push_str("  ]\n}\n");
    text
}

fn list(subjects: &[String]) -> String {
    let lines: String = subjects.iter().map(|subject| format!("          \"{subject}\"\n")).collect();
    format!("[\n{lines}        ]")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use contracts::User;

    use super::*;

    #[test]
    fn the_rights_are_those_of_the_golden_file() {
        let users = User::ALL.map(|user| (user.name(), format!("PUBLIC_KEY_OF_{user}"), Rights::of(user)));
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/users.conf");
        let written = nats_users(users);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(path, &written).unwrap();
        }
        assert_eq!(written, fs::read_to_string(path).unwrap_or_default(), "if it is meant: UPDATE_GOLDEN=1");
    }
}
