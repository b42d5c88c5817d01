use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the number of files that this process may have open to the most that it is allowed, and
/// gives it. Every connection is an open file, and systems begin with as few as 1024.
pub(crate) fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let (now, most) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    if now >= most {
        return now;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        Ok(()) => most,
        Err(error) => {
            tracing::warn!(%error, now, most, "the limit of open files cannot be raised");
            now
        }
    }
}
