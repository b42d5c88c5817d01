//! The log file of a server.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The size in bytes above which a log is renamed at the next start, so that it does not grow
/// without a limit.
const KEEP: u64 = 16 << 20;
/// How many bytes at the end of a log are read: enough to contain the reason why a server has
/// ended.
const TAIL: u64 = 64 << 10;
const LINES_SHOWN: usize = 6;
const LINE: usize = 400;

/// The part of a log file that one run of a server has written.
#[derive(Clone, Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    from: u64,
}

impl LogFile {
    /// Begins the part of a new run. Returns the file that becomes the standard output of the
    /// server.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, File)> {
        if fs::metadata(path).is_ok_and(|found| found.len() > KEEP) {
            fs::rename(path, path.with_extension("old.log"))?;
        }
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let from = file.metadata()?.len();
        let path = path.to_owned();
        Ok((Self { path, from }, file))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this run has logged this text, in upper or lower case. Reads only the last 64 KiB of
    /// the log.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.tail().to_lowercase().contains(&words.to_lowercase())
    }

    /// The lines of this run that show best why the server ended: the last errors, then the last
    /// lines.
    pub(crate) fn last_lines(&self) -> String {
        worth_reading(&self.tail())
    }

    fn tail(&self) -> String {
        let read = || -> io::Result<String> {
            let mut file = File::open(&self.path)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(self.from.max(length.saturating_sub(TAIL))))?;
            let mut bytes = Vec::new();
            file.take(TAIL).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        read().unwrap_or_default()
    }
}

fn worth_reading(text: &str) -> String {
    // nats-server marks errors with [ERR] and [FTL], mongod with "s":"E" and "s":"F", pip with
    // ERROR.
    let is_error =
        |line: &str| ["[ERR]", "[FTL]", "\"s\":\"E\"", "\"s\":\"F\"", "ERROR:"].iter().any(|mark| line.contains(mark));
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.len().saturating_sub(LINES_SHOWN);
    let errors = lines[..last].iter().filter(|line| is_error(line));
    let errors: Vec<&&str> = errors.collect();
    errors[errors.len().saturating_sub(LINES_SHOWN)..]
        .iter()
        .copied()
        .chain(&lines[last..])
        .map(|line| format!("  {}", line.chars().take(LINE).collect::<String>()))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_shown_even_when_a_long_shutdown_follows_it() {
        let mut text = String::from("[INF] starting\n[FTL] the disk is full\n");
        for number in 0..40 {
            text += &format!("[INF] stopping part {number}\n");
        }
        let shown = worth_reading(&text);
        assert!(shown.starts_with("  [FTL] the disk is full\n"), "{shown}");
        assert!(shown.ends_with("stopping part 39"), "{shown}");
        assert_eq!(shown.lines().count(), LINES_SHOWN + 1);
    }

    #[test]
    fn lines_of_an_earlier_start_are_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        fs::write(&path, "earlier\n").unwrap();
        let (log, _) = LogFile::open(&path).unwrap();
        assert!(!log.says("earlier"));
        fs::write(&path, "earlier\nnow\n").unwrap();
        assert!(log.says("NOW"));
        assert_eq!(log.last_lines(), "  now");
    }
}
