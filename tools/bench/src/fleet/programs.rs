//! Builds the programs of the services, and finds them.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use servers::Programs;

/// Builds the services, and finds or downloads nats-server and mongod. Nothing after this needs the
/// network.
///
/// # Errors
/// When something cannot be built or fetched.
pub async fn prepare(mutants: bool) -> Result<Programs> {
    build(mutants)?;
    Programs::find_or_fetch(&servers::on_stderr()).await
}

/// Returns the folder of the service programs: the folder of this program or, for a test, the
/// folder above it.
pub(super) fn programs_folder() -> Result<PathBuf> {
    let folder = own_folder()?;
    Ok(if is_test()? { folder.with_file_name("") } else { folder })
}

fn own_folder() -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    Ok(this.parent().context("no folder of programs")?.to_owned())
}

/// Returns whether this program is a test. Tests are one folder deeper than other programs.
fn is_test() -> Result<bool> {
    Ok(own_folder()?.ends_with("deps"))
}

/// Builds the services in the profile of this program, which is release or debug. With `mutants`,
/// the code of their deliberate faults and failpoints is built in.
fn build(mutants: bool) -> Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // This selects the same crates as this program's own build. With another selection cargo would
    // enable other features of dependencies, and build all of them again.
    match is_test()? {
        true => cargo.args(["test", "--quiet", "--workspace", "--no-run"]),
        false => cargo.args(["build", "--workspace", "--bins"]),
    };
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    if mutants {
        cargo.args(["--features", "kit/mutants"]);
    }
    ensure!(cargo.status().context("cannot run cargo")?.success(), "the services cannot be built");
    Ok(())
}
