//! The password of everybody in the demo: other words each time, so that nobody else knows it.

const WORDS: [&str; 32] = [
    "amber", "anchor", "basket", "birch", "bridge", "candle", "cedar", "copper", "feather", "ferry", "forest",
    "garden", "glacier", "harbour", "hazel", "island", "kettle", "lantern", "marble", "meadow", "orchard", "otter",
    "pepper", "quartz", "river", "saddle", "silver", "thistle", "velvet", "walnut", "willow", "window",
];

/// Five words.
pub fn password() -> String {
    let words = kit::random_bytes::<5>().map(|byte| WORDS[usize::from(byte) % WORDS.len()]);
    words.join("-")
}
