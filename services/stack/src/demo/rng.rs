//! Pseudo-random numbers that are the same in every run.

/// A generator (SplitMix64).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Returns a generator that is seeded with these numbers.
    pub fn of(numbers: &[i64]) -> Self {
        let mut rng = Self(0x7433_6465_6d6f);
        for number in numbers {
            rng.0 = rng.next() ^ number.unsigned_abs();
        }
        rng
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from 0 to `most`, both included.
    pub fn up_to(&mut self, most: i64) -> i64 {
        (self.next() % (most.unsigned_abs() + 1)).cast_signed()
    }

    /// Returns true with a probability of 1 in `times`.
    pub fn one_in(&mut self, times: i64) -> bool {
        self.up_to(times - 1) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_same_each_time_and_reaches_every_number() {
        let row = |numbers: &[i64]| {
            let mut rng = Rng::of(numbers);
            (0..200).map(|_| rng.up_to(5)).collect::<Vec<_>>()
        };
        assert_eq!(row(&[1, 2]), row(&[1, 2]));
        assert_ne!(row(&[1, 2]), row(&[2, 1]));
        assert!((0..=5).all(|number| row(&[1, 2]).contains(&number)));
        assert!(row(&[3]).iter().all(|number| (0..=5).contains(number)));
    }
}
