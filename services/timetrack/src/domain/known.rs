use std::collections::VecDeque;

use contracts::{Millis, SECOND, TimeRange};

/// How much later than its own time an event may reach the stream, in milliseconds. The delay comes
/// from the transaction, the outbox, and the difference between the clocks of two machines.
const MARGIN: i64 = 5 * SECOND;
/// The most reports that wait until their events are applied.
const MOST_REPORTS: usize = 32;

/// The state of the consumer of EVENTS, which all replicas share, as the server reports it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConsumerReport {
    /// The number of this read of the consumer. A later read has a higher number, independently of
    /// the clock.
    pub(crate) number: u64,
    /// The number of a read of the stream that ended before this read of the consumer began. Reads
    /// of the stream are the queries of the feed, which counts them.
    pub(crate) seen: u64,
    /// The moment up to which the read `seen` has found every published event.
    pub(crate) asked_at: Millis,
    /// The sequence number of the last event about a binding, as of the read `seen`; 0 if it is
    /// unknown. The consumer may not have delivered this event yet.
    pub(crate) changed_at: u64,
    /// The number of events that were not delivered to any replica yet.
    pub(crate) pending: u64,
    /// The number of events that were delivered and are not acknowledged.
    pub(crate) in_hand: usize,
    /// The sequence number up to which events were delivered.
    pub(crate) delivered: u64,
    /// The sequence number up to which all events are acknowledged.
    pub(crate) applied: u64,
}

/// The moment up to which the copy of the bindings is complete.
///
/// Nearly always some event is unacknowledged, so a report without unacknowledged events may not
/// come for a long time. But a report with nothing pending means that every event that was
/// published up to its moment has been delivered, and it names the last of them. Once all events up
/// to that one are acknowledged, the copy is complete up to the moment of the report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    up_to: Option<Millis>,
    /// The moments of reports with nothing pending, in order. Each has the sequence number up to
    /// which all events must be acknowledged before the copy is complete up to that moment.
    delivered: VecDeque<(Millis, u64)>,
    /// The number of the latest read of the stream, and its moment.
    clock: Option<(u64, Millis)>,
    /// The number of the latest read of the stream, and the sequence number of the last event about
    /// a binding.
    stream: Option<(u64, u64)>,
    /// The number of the latest read of the consumer, and the sequence number up to which it had
    /// delivered.
    consumer: Option<(u64, u64)>,
}

/// How the value of a read compares with the value of the latest read. Normally the value never
/// falls.
#[derive(PartialEq)]
enum Step {
    InOrder,
    /// The read is older than the latest one, and its value is higher: the value has fallen in
    /// between.
    Outdated,
    /// The read is newer than the latest one, and its value is lower: the value has fallen.
    Back,
}

impl Step {
    /// Compares a read with the latest one, and stores the read if it is newer.
    fn of<T: Copy + Ord>(latest: &mut Option<(u64, T)>, number: u64, value: T) -> Self {
        let step = match *latest {
            Some((last, most)) if number < last && value > most => Self::Outdated,
            Some((last, most)) if number > last && value < most => Self::Back,
            _ => Self::InOrder,
        };
        if step == Self::Back || latest.is_none_or(|latest| (number, value) > latest) {
            *latest = Some((number, value));
        }
        step
    }
}

impl Known {
    /// The moment up to which the copy has every published event; none if that is unknown.
    pub(crate) fn up_to(&self, now: Millis) -> Option<Millis> {
        self.up_to.filter(|up_to| *up_to <= now)
    }

    /// Updates this state from a report.
    pub(crate) fn learn(&mut self, report: ConsumerReport) {
        match Step::of(&mut self.clock, report.seen, report.asked_at) {
            Step::InOrder => {}
            Step::Outdated => return,
            // The clock was set back. The known moments may now be ahead of the clock. When the
            // clock reaches such a moment, the copy would be taken as complete up to it, although
            // it may lack events.
            Step::Back => (self.up_to, self.delivered) = (None, VecDeque::new()),
        }
        // The stream and its consumer may have been created again, and this process may notice one
        // before the other. The old sequence numbers would never be reached, so they are discarded.
        let steps = [
            Step::of(&mut self.stream, report.seen, report.changed_at),
            Step::of(&mut self.consumer, report.number, report.delivered),
        ];
        if steps.contains(&Step::Outdated) {
            return;
        }
        if steps.contains(&Step::Back) {
            self.delivered.clear();
        }
        if report.pending == 0 {
            if self.delivered.len() == MOST_REPORTS {
                self.delivered.pop_back();
            }
            self.delivered.push_back((report.asked_at, report.delivered.max(report.changed_at)));
        }
        // The server moves `applied` only at an acknowledgement. If no event is unacknowledged, all
        // delivered events are applied.
        let applied = if report.in_hand == 0 { report.delivered } else { report.applied };
        while let Some((asked_at, _)) = self.delivered.front().copied().filter(|(_, place)| *place <= applied) {
            self.delivered.pop_front();
            self.up_to = self.up_to.max(Some(asked_at));
        }
    }
}

/// The part of a window about which a copy that is complete up to a moment knows every change; none
/// if there is no such part. No later event can change who was on what in this part. After it,
/// something may have ended whose event is still on its way.
pub(crate) fn known_part(window: TimeRange, known_up_to: Option<Millis>) -> Option<TimeRange> {
    TimeRange::new(window.start(), window.end().min(known_up_to? - MARGIN)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn report(asked_at: i64, pending: u64, in_hand: usize, delivered: u64, applied: u64) -> ConsumerReport {
        let number = asked_at as u64;
        ConsumerReport {
            number,
            seen: number,
            asked_at: Millis(asked_at),
            changed_at: 0,
            pending,
            in_hand,
            delivered,
            applied,
        }
    }

    fn up_to(known: &Known) -> Option<Millis> {
        known.up_to(Millis(i64::MAX))
    }

    #[test]
    fn nothing_pending_and_nothing_in_hand_is_everything_until_now() {
        let mut known = Known::default();
        assert_eq!(up_to(&known), None);
        known.learn(report(10, 0, 0, 7, 7));
        assert_eq!(up_to(&known), Some(Millis(10)));
    }

    #[test]
    fn while_a_replica_holds_an_event_nothing_later_is_known() {
        let mut known = Known::default();
        known.learn(report(10, 0, 0, 7, 7));
        for at in 20..200 {
            known.learn(report(at, 0, 1, 8, 7));
            known.learn(report(at, 1, 1, 8, 7));
        }
        assert_eq!(up_to(&known), Some(Millis(10)));
        known.learn(report(200, 0, 0, 8, 8));
        assert_eq!(up_to(&known), Some(Millis(200)));
    }

    #[test]
    fn after_the_clock_was_set_back_nothing_is_known_until_a_look_finds_it() {
        let mut known = Known::default();
        known.learn(report(60_000, 0, 0, 7, 7));
        assert_eq!(known.up_to(Millis(30_000)), None, "also before the next report");
        // An event is pending now, which was not pending in the report with the fast clock.
        known.learn(ConsumerReport { number: 60_001, seen: 60_001, ..report(30_000, 1, 0, 7, 7) });
        assert_eq!(up_to(&known), None);
        known.learn(ConsumerReport { number: 60_002, seen: 60_002, ..report(30_010, 0, 0, 8, 8) });
        assert_eq!(up_to(&known), Some(Millis(30_010)));
    }

    #[test]
    fn a_look_that_ends_late_takes_nothing_back_and_none_of_a_clock_that_ran_ahead_counts() {
        let mut known = Known::default();
        known.learn(report(20, 0, 0, 8, 8));
        known.learn(report(10, 0, 1, 7, 6));
        assert_eq!(up_to(&known), Some(Millis(20)));
        known.learn(ConsumerReport { number: 19, seen: 19, ..report(60_000, 0, 0, 8, 8) });
        assert_eq!(up_to(&known), Some(Millis(20)));
    }

    #[test]
    fn after_the_stream_was_made_anew_its_places_count_from_the_beginning() {
        let mut known = Known::default();
        known.learn(report(10, 0, 1, 1_000_000, 999_999));
        known.learn(report(20, 0, 1, 5, 4));
        assert_eq!(up_to(&known), None);
        known.learn(ConsumerReport { number: 15, seen: 15, ..report(15, 0, 1, 1_000_000, 999_999) });
        known.learn(report(30, 0, 0, 5, 5));
        assert_eq!(up_to(&known), Some(Millis(30)));
    }

    #[test]
    fn a_change_of_a_stream_that_is_no_more_is_waited_for_only_until_the_new_one_is_heard_of() {
        let mut known = Known::default();
        known.learn(ConsumerReport { changed_at: 1_000_000, ..report(10, 0, 0, 1_000_000, 1_000_000) });
        known.learn(ConsumerReport { changed_at: 1_000_000, ..report(20, 0, 0, 5, 5) });
        assert_eq!(up_to(&known), Some(Millis(10)));
        known.learn(report(30, 0, 0, 5, 5));
        assert_eq!(up_to(&known), Some(Millis(30)));
    }

    #[test]
    fn a_consumer_that_has_not_got_the_last_change_yet_knows_only_what_was_before() {
        let mut known = Known::default();
        known.learn(report(10, 0, 0, 7, 7));
        known.learn(ConsumerReport { changed_at: 9, ..report(20, 0, 0, 7, 7) });
        assert_eq!(up_to(&known), Some(Millis(10)));
        known.learn(ConsumerReport { changed_at: 9, ..report(30, 0, 0, 9, 9) });
        assert_eq!(up_to(&known), Some(Millis(30)));
    }

    #[test]
    fn a_yes_is_final_for_windows_that_began_a_while_before_the_moment() {
        let known = Some(Millis(100_000));
        let part = |start, end, known| {
            let part = known_part(TimeRange::new(Millis(start), Millis(end)).unwrap(), known)?;
            Some((part.start().0, part.end().0))
        };
        let sure = 100_000 - MARGIN;
        assert_eq!(part(sure - 2, sure - 1, known), Some((sure - 2, sure - 1)), "all of it");
        assert_eq!(part(sure - 1, sure + 1, known), Some((sure - 1, sure)), "its beginning");
        assert_eq!(part(sure, sure + 1, known), None);
        assert_eq!(part(0, 1, None), None);
    }

    proptest! {
        /// Each event is published, delivered and applied at some time, and a report is made every
        /// millisecond. The known moment is never too late, and in the end it is the moment of the
        /// last report.
        #[test]
        fn what_is_known_is_true_and_follows_although_there_is_always_something_in_hand(
            events in prop::collection::vec((1..6i64, 0..4i64, 1..5i64), 1..30),
        ) {
            let mut at = 0;
            let events: Vec<_> = events.iter().map(|(gap, delivery, work)| {
                at += gap;
                (at, at + delivery, at + delivery + work)
            }).collect();
            // The simulated consumer delivers the events in order.
            let events: Vec<_> = events.iter().scan(0, |last, (published, delivered, applied)| {
                *last = (*delivered).max(*last);
                Some((*published, *last, (*applied).max(*last)))
            }).collect();
            let mut known = Known::default();
            for now in 0..at + 40 {
                let count = |done: &dyn Fn(&(i64, i64, i64)) -> bool| events.iter().filter(|event| done(event)).count();
                let (published, delivered) = (count(&|e| e.0 <= now), count(&|e| e.1 <= now));
                let applied = events.iter().take_while(|e| e.2 <= now).count();
                let in_hand = count(&|e| e.1 <= now && e.2 > now);
                known.learn(report(now, (published - delivered) as u64, in_hand, delivered as u64, applied as u64));
                if let Some(up_to) = up_to(&known) {
                    let missing = events.iter().find(|e| e.0 <= up_to.0 && e.2 > now);
                    prop_assert_eq!(missing, None, "known up to {} at {}", up_to, now);
                }
            }
            prop_assert_eq!(up_to(&known), Some(Millis(at + 39)));
        }
    }
}
