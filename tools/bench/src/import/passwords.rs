//! The passwords of the employees that an import creates. They are stored so that a second run can
//! log in.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rand::distr::{Alphanumeric, SampleString};

/// The passwords by e-mail address, stored in a file that only the user who runs the import can
/// read.
#[derive(Debug)]
pub struct Passwords {
    path: PathBuf,
    known: BTreeMap<String, String>,
}

impl Passwords {
    /// Reads the passwords of earlier runs from this data folder.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn open(data: &Path) -> Result<Self> {
        let path = data.join("import/passwords.json");
        let known = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(anyhow::Error::from),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error.into()),
        };
        let known = known.with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { path, known })
    }

    /// Returns the password of an address, if there is one.
    pub fn get(&self, address: &str) -> Option<&str> {
        self.known.get(address).map(String::as_str)
    }

    /// Returns the password of an address. If there is none, makes one and stores it first.
    ///
    /// # Errors
    /// When the password cannot be stored.
    pub fn get_or_make(&mut self, address: &str) -> Result<String> {
        if let Some(known) = self.known.get(address) {
            return Ok(known.clone());
        }
        let password = Alphanumeric.sample_string(&mut rand::rng(), 24);
        self.known.insert(address.to_owned(), password.clone());
        self.save().with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(password)
    }

    fn save(&self) -> Result<()> {
        let new = self.path.with_extension("json.new");
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(&self.known)?)?;
        file.sync_all()?;
        Ok(fs::rename(&new, &self.path)?)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_password_is_made_once_and_only_its_user_can_read_it() {
        let data = tempfile::tempdir().unwrap();
        let made = Passwords::open(data.path()).unwrap().get_or_make("a@x.org").unwrap();
        let mut again = Passwords::open(data.path()).unwrap();
        assert_eq!(again.get_or_make("a@x.org").unwrap(), made);
        assert_ne!(again.get_or_make("b@x.org").unwrap(), made);
        let mode = fs::metadata(data.path().join("import/passwords.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
