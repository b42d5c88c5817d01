//! The data folder. Only the Unix user that owns it can read it, and only one process uses it at a
//! time.

use std::env;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::folder;

/// The folder with the servers' data and the secrets. It stays locked until this value is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens the folder that the environment variable `T3_DATA` names, or `.t3` in the current
    /// folder.
    pub fn from_env() -> Result<Self> {
        let path = env::var_os("T3_DATA").filter(|path| !path.is_empty());
        Self::open(path.unwrap_or_else(|| ".t3".into()))
    }

    /// Opens the folder, or creates it, and locks it. Other files in the folder are left as they
    /// are.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let path = folder::create(path).with_context(|| {
            format!("cannot create the data folder {}: name another one in T3_DATA", path.display())
        })?;
        let lock = lock(&path)?;
        Ok(Self { path, _lock: lock })
    }

    /// The folder's absolute path.
    pub fn path(&self) -> &Path {
        &self.path
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
            // The text is empty if the other process has locked the file and not written its
            // process id yet.
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
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

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
}
