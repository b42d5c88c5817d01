use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::OnceLock,
};

use rustix::fs::statvfs;
use tempfile::TempDir;

/// A file system in memory. The servers sync every write before they answer, so on a disk most
/// tests would spend most of their time waiting for the disk.
const MEMORY: &str = "/dev/shm";
/// How many bytes the file system in memory must have free to be used: the most that the tests of
/// one crate need.
const NEEDED: u64 = 4 << 30;

/// The prefix of the names of test processes' folders. The process id follows the prefix.
const PREFIX: &str = "t3-tests-";

/// Creates a temporary folder for one test.
///
/// # Panics
/// When the folder cannot be created.
pub fn folder() -> TempDir {
    tempfile::tempdir_in(process_folder()).expect("a temporary folder")
}

/// The folder of this process. It grows to several hundred MB, and is removed when the process
/// ends.
pub(crate) fn process_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| make_process_folder().expect("a temporary folder"))
}

fn make_process_folder() -> io::Result<PathBuf> {
    let parent = parent();
    remove_old(&parent)?;
    let folder = TempDir::with_prefix_in(format!("{PREFIX}{}-", process::id()), parent)?.keep();
    remove_with_process(&folder)?;
    Ok(folder)
}

/// The parent of the process's folder: `TMPDIR` if that is set, otherwise the file system in memory
/// if it has enough space, otherwise the system's folder for temporary files.
fn parent() -> PathBuf {
    let has_room =
        |file_system: rustix::fs::StatVfs| file_system.f_bavail.saturating_mul(file_system.f_frsize) >= NEEDED;
    let in_memory = env::var_os("TMPDIR").is_none() && statvfs(MEMORY).is_ok_and(has_room);
    if in_memory { MEMORY.into() } else { env::temp_dir() }
}

/// Removes the folders of test processes that were interrupted and no longer run.
fn remove_old(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)?.flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-')).map(|(pid, _)| pid);
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // An error is ignored: another process may be removing the folder too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// Starts a shell that removes the folder after this process has ended, however it ends. The shell
/// repeats the removal until the folder is gone, because mongod, which ends at the same time, may
/// still write to it.
fn remove_with_process(folder: &Path) -> io::Result<()> {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"cat; while [ -e "$0" ]; do rm -rf "$0"; sleep 0.1; done 2>/dev/null"#]).arg(folder);
    let shell = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // The pipe must stay open until this process ends: when the pipe closes, the shell removes the
    // folder.
    std::mem::forget(shell.stdin);
    Ok(())
}
