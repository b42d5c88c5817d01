use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// Where an item is put into a [`FairQueue`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn<S> {
    /// The index of the lane. Lanes with a lower index are served first.
    pub(crate) lane: usize,
    /// Where the item comes from. The sources of a lane take turns, so that a source with many
    /// items delays only its own.
    pub(crate) source: S,
}

/// A bounded queue with lanes. When it is full, each new item displaces an item or is dropped: see
/// [`FairQueue::push`].
#[derive(Debug)]
pub(crate) struct FairQueue<S, T, const LANES: usize> {
    lanes: [Lane<S, T>; LANES],
    most: usize,
    waiting: usize,
}

#[derive(Debug)]
struct Lane<S, T> {
    /// The sources that have items, in the order in which they are served.
    turns: VecDeque<S>,
    waiting: HashMap<S, VecDeque<T>>,
}

impl<S: Clone + Eq + Hash, T, const LANES: usize> FairQueue<S, T, LANES> {
    pub(crate) fn new(most: usize) -> Self {
        let lanes = std::array::from_fn(|_| Lane { turns: VecDeque::new(), waiting: HashMap::new() });
        Self { lanes, most, waiting: 0 }
    }

    /// Adds an item. If the queue is full, one item is dropped and returned: the newest item of the
    /// source that has the most items in the last lane in use. The new item itself is dropped if
    /// its lane comes after that lane, or if it is in that lane and its source would then have at
    /// least as many items as that source.
    pub(crate) fn push(&mut self, turn: Turn<S>, item: T) -> Option<T> {
        let Turn { lane, source } = turn;
        let full = self.waiting >= self.most;
        let mut displaced = None;
        if full {
            let (last, longest) = self.longest()?;
            let own = self.lanes[lane].waiting.get(&source).map_or(0, VecDeque::len);
            let longest_has = self.lanes[last].waiting.get(&longest).map_or(0, VecDeque::len);
            if last < lane || (last == lane && longest_has <= own + 1) {
                return Some(item);
            }
            displaced = self.lanes[last].take(&longest, VecDeque::pop_back);
            self.waiting -= 1;
        }
        let lane = &mut self.lanes[lane];
        let own = lane.waiting.entry(source.clone()).or_default();
        if own.is_empty() {
            lane.turns.push_back(source);
        }
        own.push_back(item);
        self.waiting += 1;
        displaced
    }

    /// Removes and returns the next item.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let lane = self.lanes.iter_mut().find(|lane| !lane.turns.is_empty())?;
        let source = lane.turns.front()?.clone();
        let item = lane.take(&source, VecDeque::pop_front)?;
        // A source that has more items goes to the end of the turns.
        if lane.turns.front() == Some(&source) {
            lane.turns.rotate_left(1);
        }
        self.waiting -= 1;
        Some(item)
    }

    /// The last lane that has items, by its index, and the source with the most items in it.
    fn longest(&self) -> Option<(usize, S)> {
        let (at, lane) = self.lanes.iter().enumerate().rfind(|(_, lane)| !lane.turns.is_empty())?;
        let longest = lane.turns.iter().max_by_key(|source| lane.waiting.get(*source).map_or(0, VecDeque::len))?;
        Some((at, longest.clone()))
    }
}

impl<S: Eq + Hash, T> Lane<S, T> {
    fn take(&mut self, source: &S, one: fn(&mut VecDeque<T>) -> Option<T>) -> Option<T> {
        let own = self.waiting.get_mut(source)?;
        let item = one(own);
        if own.is_empty() {
            self.waiting.remove(source);
            self.turns.retain(|other| other != source);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(most: usize) -> FairQueue<char, u32, 2> {
        FairQueue::new(most)
    }

    fn turn(lane: usize, source: char) -> Turn<char> {
        Turn { lane, source }
    }

    fn all(mut queue: FairQueue<char, u32, 2>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn who_sends_one_does_not_wait_for_who_sends_many() {
        let mut queue = queue(10);
        for item in 1..=4 {
            assert_eq!(queue.push(turn(0, 'a'), item), None);
        }
        queue.push(turn(0, 'b'), 11);
        queue.push(turn(0, 'c'), 21);
        queue.push(turn(0, 'b'), 12);
        assert_eq!(all(queue), [1, 11, 21, 2, 12, 3, 4]);
    }

    #[test]
    fn the_first_lane_comes_first() {
        let mut queue = queue(10);
        queue.push(turn(1, 'a'), 1);
        queue.push(turn(0, 'a'), 2);
        queue.push(turn(0, 'b'), 3);
        assert_eq!(all(queue), [2, 3, 1]);
    }

    #[test]
    fn where_it_is_full_whoever_has_most_in_the_last_lane_makes_place() {
        let mut queue = queue(4);
        for item in 1..=3 {
            queue.push(turn(1, 'a'), item);
        }
        queue.push(turn(1, 'b'), 11);
        assert_eq!(queue.push(turn(1, 'a'), 4), Some(4), "it has most itself");
        assert_eq!(queue.push(turn(1, 'c'), 21), Some(3));
        assert_eq!(queue.push(turn(0, 'd'), 31), Some(2));
        assert_eq!(queue.push(turn(1, 'e'), 41), Some(41), "nobody has more than one");
        for item in 32..=34 {
            assert!(queue.push(turn(0, 'd'), item).is_some_and(|displaced| displaced < 30));
        }
        assert_eq!(queue.push(turn(0, 'd'), 35), Some(35));
        assert_eq!(queue.push(turn(1, 'f'), 51), Some(51), "the first lane makes no place for the last");
        assert_eq!(queue.push(turn(0, 'e'), 61), Some(34));
        assert_eq!(all(queue), [31, 61, 32, 33]);
    }
}
