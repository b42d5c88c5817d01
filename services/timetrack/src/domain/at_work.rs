use contracts::Millis;

/// The longest break within a stretch of work, in milliseconds. Desktop apps send a window every
/// few minutes, so an employee whose last window ended at most this long ago is at work.
pub(crate) const PAUSE: i64 = 15 * 60_000;

/// When an employee began to work without a break, from the starts and ends of their windows.
/// `windows` must have every window since `given_from`. None if there are no windows, or if that
/// moment is at most [`PAUSE`] after `given_from`: then the work may have begun before.
pub(crate) fn since(windows: impl IntoIterator<Item = (Millis, Millis)>, given_from: Millis) -> Option<Millis> {
    let mut windows: Vec<(Millis, Millis)> = windows.into_iter().collect();
    windows.sort_unstable_by_key(|(_, end)| std::cmp::Reverse(*end));
    let mut since = windows.first()?.0;
    for (start, end) in windows {
        if since - end > PAUSE {
            break;
        }
        since = since.min(start);
    }
    (since - given_from > PAUSE).then_some(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn at(minute: i64) -> Millis {
        Millis(1_760_000_000_000 + minute * MINUTE)
    }

    #[test]
    fn work_goes_back_to_the_last_pause_that_is_longer_than_a_quarter_of_an_hour() {
        let window = |start, end| (at(start), at(end));
        for (windows, expected) in [
            (vec![], None),
            (vec![window(100, 110)], Some(at(100))),
            // These windows are in any order, overlap, and have the longest break that is allowed.
            (vec![window(110, 120), window(85, 95), window(90, 92)], Some(at(85))),
            (vec![window(111, 120), window(85, 95)], Some(at(111))),
            (vec![window(60, 120), window(70, 80)], Some(at(60))),
            // Windows before minute 0 are unknown, so the work may have begun before.
            (vec![window(10, 120)], None),
            (vec![window(100, 120), window(16, 99)], Some(at(16))),
        ] {
            assert_eq!(since(windows.clone(), at(0)), expected, "{windows:?}");
        }
    }
}
