use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of open files to the largest value that this process may set, and returns the
/// new limit. Each connection is an open file, and the usual limit of 1024 is too small.
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
