use std::time::Duration;

use super::Cause;

/// The longest delay after a temporary failure.
const LONGEST: Duration = Duration::from_secs(300);
/// The longest delay after a refusal of all our mails. Such a server dislikes frequent attempts,
/// and they are useless until somebody corrects the cause.
const LONGEST_REFUSED: Duration = Duration::from_secs(900);

/// Returns the delay after this many failed attempts: one second, doubled with each further
/// attempt, at most five minutes. If the server refuses all our mails, the delay is at most fifteen
/// minutes.
pub(crate) fn retry_after(attempts: u32, cause: Cause) -> Duration {
    let doublings = attempts.clamp(1, 11) - 1;
    Duration::from_secs(1 << doublings).min(if cause == Cause::Ours { LONGEST_REFUSED } else { LONGEST })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_to_five_minutes_and_to_fifteen_where_we_are_refused() {
        let seconds = |cause| [0, 1, 2, 3, 9, 10, 11, 1_000].map(|attempts| retry_after(attempts, cause).as_secs());
        assert_eq!(seconds(Cause::Passing), [1, 1, 2, 4, 256, 300, 300, 300]);
        assert_eq!(seconds(Cause::Ours), [1, 1, 2, 4, 256, 512, 900, 900]);
    }
}
