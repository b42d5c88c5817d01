//! The password of all people of the demo. It is random, so that strangers cannot log in to a demo
//! that is reachable on a network.

const WORDS: [&str; 32] = [
    "amber", "anchor", "basket", "birch", "bridge", "candle", "cedar", "copper", "feather", "ferry", "forest",
    "garden", "glacier", "harbour", "hazel", "island", "kettle", "lantern", "marble", "meadow", "orchard", "otter",
    "pepper", "quartz", "river", "saddle", "silver", "thistle", "velvet", "walnut", "willow", "window",
];

/// Returns five random words, joined by hyphens.
pub fn password() -> String {
    let words = kit::random_bytes::<5>().map(|byte| WORDS[usize::from(byte) % WORDS.len()]);
    words.join("-")
}
