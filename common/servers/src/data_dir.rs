//! The data folder: one process at a time, and secrets that only its user can read.

use std::env;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};

use crate::folder;

/// The folder that keeps what a first run makes: the servers' data and our secrets. Ours alone
/// while this value lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Two threads that ask for the same new secret get the same one.
    secrets: Mutex<()>,
    _lock: File,
}

impl DataDir {
    /// Opens the folder that the variable `T3_DATA` names, or `.t3` here.
    pub fn from_env() -> Result<Self> {
        let path = env::var_os("T3_DATA").filter(|path| !path.is_empty());
        Self::open(path.unwrap_or_else(|| ".t3".into()))
    }

    /// Creates the folder if need be and takes its lock. Other files in it do not matter.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let path = folder::create(path).with_context(|| {
            format!("cannot create the data folder {}: name another one in T3_DATA", path.display())
        })?;
        let lock = lock(&path)?;
        Ok(Self { path, secrets: Mutex::new(()), _lock: lock })
    }

    /// The folder's absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The secret of that name: made by `generate` the first time, the same one ever after. It is
    /// kept in `secrets/<name>`, which only its user can read.
    pub fn secret(&self, name: &str, generate: impl FnOnce() -> String) -> Result<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        ensure!(
            !name.is_empty() && name.chars().all(plain),
            "a secret's name is letters, digits, - and _: not {name:?}"
        );
        let secrets = self.secrets.lock();
        let _one_at_a_time = secrets.unwrap_or_else(PoisonError::into_inner);
        let path = self.path.join("secrets").join(name);
        read_or_write(&self.path, &path, generate).with_context(|| format!("cannot keep the secret {}", path.display()))
    }
}

fn read_or_write(data: &Path, path: &Path, generate: impl FnOnce() -> String) -> Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => {
            // Somebody may have copied the folder without its modes.
            fs::set_permissions(path, Permissions::from_mode(0o600))?;
            let secret = text.trim_end();
            ensure!(!secret.is_empty(), "it is empty: remove the file");
            Ok(secret.to_owned())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = generate().trim_end().to_owned();
            ensure!(!secret.is_empty(), "an empty secret keeps nothing");
            folder::create(&data.join("secrets"))?;
            folder::write(path, &format!("{secret}\n"))?;
            Ok(secret)
        }
        Err(error) => Err(error.into()),
    }
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let cannot = || format!("cannot lock the data folder with {}", path.display());
    let mut file = folder::open_lock(&path).with_context(cannot)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The holder may not have written its number yet: then it is "another process".
            let _ = file.read_to_string(&mut holder);
            let holder = match holder.trim() {
                "" => "another process".to_owned(),
                pid => format!("process {pid}"),
            };
            bail!(
                "the data folder {} is in use by {holder}: stop it, or name another folder in \
                 T3_DATA",
                folder.display()
            );
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
    }
    file.set_len(0).with_context(cannot)?;
    file.rewind().with_context(cannot)?;
    writeln!(file, "{}", std::process::id()).with_context(cannot)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_second_start_in_the_same_folder_is_refused_and_told_who_holds_it() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let first = DataDir::open(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        let refusal = DataDir::open(&path).unwrap_err().to_string();
        let us = format!("in use by process {}", std::process::id());
        assert!(refusal.contains(&us), "{refusal}");
        assert!(refusal.contains(path.to_str().unwrap()), "{refusal}");
        drop(first);
        DataDir::open(&path).unwrap();
    }

    #[test]
    fn a_folder_that_holds_other_files_will_do() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("notes.txt"), "mine").unwrap();
        DataDir::open(parent.path()).unwrap();
        assert_eq!(fs::read(parent.path().join("notes.txt")).unwrap(), b"mine");
    }

    #[test]
    fn a_secret_is_made_once_and_only_its_user_can_read_it() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataDir::open(parent.path()).unwrap();
        let file = parent.path().join("secrets/jwt");
        assert_eq!(data.secret("jwt", || "one".into()).unwrap(), "one");
        assert_eq!(mode(&file), 0o600);
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        drop(data);
        let data = DataDir::open(parent.path()).unwrap();
        assert_eq!(data.secret("jwt", || "two".into()).unwrap(), "one");
        assert_eq!(mode(&file), 0o600);
        assert_eq!(data.secret("api", || "two".into()).unwrap(), "two");
    }

    #[test]
    fn a_secret_cannot_be_kept_outside_its_folder() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataDir::open(parent.path()).unwrap();
        data.secret("../jwt", || "one".into()).unwrap_err();
    }
}
