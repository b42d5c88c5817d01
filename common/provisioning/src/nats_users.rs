use std::fmt::Write;

use anyhow::{Result, anyhow};
use contracts::{Account, Rights, Secret};
use nkeys::KeyPair;

/// Makes a new key for a NATS user. Returns the seed and the public key.
///
/// # Errors
/// When the key cannot be encoded as a seed.
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

/// The NATS configuration of the users: their public keys and rights. It contains no secret.
pub fn nats_users<'a>(users: impl IntoIterator<Item = (&'a str, String, Rights)>) -> String {
    let users: Vec<_> = users.into_iter().collect();
    let mut text = String::from(
        "# Written by `provision secrets` from the table of rights: changes made here are lost.\naccounts {\n",
    );
    // An error is ignored: writing to a string cannot fail.
    for [account, other] in [Account::ALL, [Account::ALL[1], Account::ALL[0]]] {
        let _ = writeln!(text, "  {} {{", account.name());
        if account == Account::Streams {
            text.push_str("    jetstream: enabled\n");
        }
        let _ = writeln!(text, "    users: [");
        for (name, key, rights) in users.iter().filter(|(_, _, rights)| rights.account == account) {
            let _ = write!(
                text,
                "      # {name}\n      {{\n        nkey: {key}\n        permissions: {{\n          publish: {{ allow: {} }}\n          \
                 subscribe: {{ allow: {} }}\n        }}\n      }}\n",
                list(&rights.publish),
                list(&rights.subscribe),
            );
        }
        let _ = writeln!(text, "    ]\n    exports: [");
        for subject in account.exports() {
            // A pull from a JetStream consumer and `$SRV.PING` get several replies; any other
            // request gets one.
            let answers =
                if subject.ends_with("API.>") || subject.starts_with("$SRV") { ", response_type: stream" } else { "" };
            let _ = writeln!(text, "      {{ service: \"{subject}\", accounts: [{}]{answers} }}", other.name());
        }
        for subject in account.tells() {
            let _ = writeln!(text, "      {{ stream: \"{subject}\", accounts: [{}] }}", other.name());
        }
        let _ = writeln!(text, "    ]\n    imports: [");
        for subject in other.exports() {
            let _ = writeln!(text, "      {{ service: {{ account: {}, subject: \"{subject}\" }} }}", other.name());
        }
        for subject in other.tells() {
            let _ = writeln!(text, "      {{ stream: {{ account: {}, subject: \"{subject}\" }} }}", other.name());
        }
        let _ = writeln!(text, "    ]\n  }}");
    }
    text.push_str("}\n");
    text
}

fn list(subjects: &[String]) -> String {
    let lines: String = subjects.iter().map(|subject| format!("            \"{subject}\"\n")).collect();
    format!("[\n{lines}          ]")
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
