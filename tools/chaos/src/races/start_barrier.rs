use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rand::{RngExt, rngs::StdRng};
use tokio::{
    sync::Barrier,
    time::{Instant, sleep},
};

/// The longest delay between the two sides, in microseconds.
const FURTHEST: i64 = 2_000_000;
/// By how much a round changes the delay, in microseconds. This doubles after every eight rounds in
/// a row in which the same side came first, but not more often than [`DOUBLINGS`] times.
const STEP: i64 = 250;
const DOUBLINGS: u32 = 8;
/// How far the delay of a round may differ at random from the learned delay, in microseconds: in
/// most rounds, and in one of eight.
const NEAR: i64 = 3_000;
const FAR: i64 = 25_000;

/// How much later the second side starts. If it is negative, the first side starts later. Every
/// round delays the side that came first a little more, until either side may come first.
#[derive(Debug, Default)]
pub(super) struct StartDelay(Mutex<DelayState>);

#[derive(Clone, Copy, Debug, Default)]
struct DelayState {
    /// The delay of the second side, in microseconds.
    by: i64,
    /// The side that came first in the last round, and how many rounds before it ended in the same
    /// way.
    last: usize,
    row: u32,
}

impl StartDelay {
    /// Changes the delay after a round in which side `first` came first.
    pub(super) fn learn(&self, first: usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.row = if state.last == first { state.row.saturating_add(1) } else { 0 };
        state.last = first;
        // When the delay changes, other lanes are in the middle of rounds with the old delay. With
        // larger steps the delay would swing by seconds.
        let step = STEP << (state.row / 8).min(DOUBLINGS);
        state.by = (state.by + if first == 0 { -step } else { step }).clamp(-FURTHEST, FURTHEST);
    }

    fn micros(&self) -> i64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by
    }

    /// Returns the delay in milliseconds.
    pub(super) fn millis(&self) -> f64 {
        self.micros() as f64 / 1_000.0
    }

    /// Returns the barrier of a round, whose delay differs a little at random.
    pub(super) fn barrier(&self, rng: &mut StdRng) -> StartBarrier {
        let scatter = if rng.random_range(0..8) == 0 { FAR } else { NEAR };
        let by = self.micros() + rng.random_range(-scatter..=scatter);
        let micros = |by: i64| Duration::from_micros(u64::try_from(by).unwrap_or_default());
        StartBarrier { barrier: Barrier::new(2), after: [micros(-by), micros(by)] }
    }
}

/// A barrier for both sides of a round. After it, one side starts a little later.
#[derive(Debug)]
pub(super) struct StartBarrier {
    barrier: Barrier,
    after: [Duration; 2],
}

impl StartBarrier {
    /// Waits until both sides are here, and then for the delay of this side.
    pub(super) async fn pass(&self, side: usize) {
        self.barrier.wait().await;
        let start = Instant::now() + self.after[side];
        // The runtime can only sleep whole milliseconds, so the remaining time is spent in the loop
        // below.
        let whole = Duration::from_millis(self.after[side].as_millis() as u64);
        if !whole.is_zero() {
            sleep(whole).await;
        }
        while Instant::now() < start {
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn whoever_comes_first_starts_later_the_next_time() {
        let delay = StartDelay::default();
        delay.learn(0);
        assert_eq!(delay.micros(), -STEP);
        (0..1_000).for_each(|_| delay.learn(0));
        assert_eq!(delay.micros(), -FURTHEST);
        delay.learn(1);
        assert_eq!(delay.micros(), STEP - FURTHEST);
    }

    #[test]
    fn the_same_seed_opens_the_same_gates_and_one_side_starts_at_once() {
        let gates = || {
            let (delay, mut rng) = (StartDelay::default(), StdRng::seed_from_u64(7));
            (0..50).map(|_| delay.barrier(&mut rng).after).collect::<Vec<_>>()
        };
        assert_eq!(gates(), gates());
        assert!(gates().iter().all(|after| after.iter().any(Duration::is_zero)));
        assert!(gates().iter().any(|after| after[0] > after[1]) && gates().iter().any(|after| after[1] > after[0]));
    }
}
