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
/// How far a round changes the delay, in microseconds: twice as far after each eight that end in the same way.
const STEP: i64 = 250;
const DOUBLINGS: u32 = 8;
/// The scatter of rounds around the delay, in microseconds: of most rounds, and of every eighth.
const NEAR: i64 = 3_000;
const FAR: i64 = 25_000;

/// How much later the second side starts; if negative, the first side is later. Every round delays the side that
/// came first a little more, until either may come first.
#[derive(Debug, Default)]
pub(super) struct StartDelay(Mutex<DelayState>);

#[derive(Clone, Copy, Debug, Default)]
struct DelayState {
    /// The delay, in microseconds.
    by: i64,
    /// The side that came first in the last round, and how often in a row.
    last: usize,
    row: u32,
}

impl StartDelay {
    /// Changes the delay after a round in which this side came first.
    pub(super) fn learn(&self, first: usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.row = if state.last == first { state.row.saturating_add(1) } else { 0 };
        state.last = first;
        // As many rounds as there are lanes were in progress when the delay changed: with larger steps, it would swing
        // by seconds.
        let step = STEP << (state.row / 8).min(DOUBLINGS);
        state.by = (state.by + if first == 0 { -step } else { step }).clamp(-FURTHEST, FURTHEST);
    }

    fn micros(&self) -> i64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by
    }

    /// The delay, in milliseconds.
    pub(super) fn millis(&self) -> f64 {
        self.micros() as f64 / 1_000.0
    }

    /// The barrier of a round.
    pub(super) fn barrier(&self, rng: &mut StdRng) -> StartBarrier {
        let scatter = if rng.random_range(0..8) == 0 { FAR } else { NEAR };
        let by = self.micros() + rng.random_range(-scatter..=scatter);
        let micros = |by: i64| Duration::from_micros(u64::try_from(by).unwrap_or_default());
        StartBarrier { barrier: Barrier::new(2), after: [micros(-by), micros(by)] }
    }
}

/// A barrier for both sides, after which one starts a little later.
#[derive(Debug)]
pub(super) struct StartBarrier {
    barrier: Barrier,
    after: [Duration; 2],
}

impl StartBarrier {
    /// Waits until this side may start.
    pub(super) async fn pass(&self, side: usize) {
        self.barrier.wait().await;
        let start = Instant::now() + self.after[side];
        // The runtime can only sleep whole milliseconds.
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
