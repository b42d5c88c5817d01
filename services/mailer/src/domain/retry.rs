use std::time::Duration;

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(300);

/// How long to wait after so many attempts that failed: a second, doubled each time, at most five
/// minutes.
pub(crate) fn retry_after(attempts: u32) -> Duration {
    let doublings = attempts.clamp(1, 10) - 1;
    Duration::from_secs(1 << doublings).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_to_five_minutes() {
        let seconds = [0, 1, 2, 3, 9, 10, 1_000].map(|attempts| retry_after(attempts).as_secs());
        assert_eq!(seconds, [1, 1, 2, 4, 256, 300, 300]);
    }
}
