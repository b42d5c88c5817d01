//! Which characters people can see, and which ones deceive them.

use icu_properties::{CodePointMapData, CodePointSetData, props};

/// Whether a character shows nothing and takes no place, or is made to look like nothing.
pub(crate) fn is_invisible(c: char) -> bool {
    // Braille's pattern without dots is a blank, whatever its kind.
    CodePointSetData::new::<props::DefaultIgnorableCodePoint>().contains(c)
        || kind(c) == props::GeneralCategory::Format
        || c == '\u{2800}'
}

/// Whether a text has anything that can be seen.
pub(crate) fn is_seen(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !c.is_control() && !is_invisible(c))
}

/// Whether a character makes others read in another order than they are written: `gpj.exe` as `exe.jpg`.
/// The marks that only say how a character next to them behaves are not among these.
pub(crate) fn turns_text(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character ends a line, though it is no control character.
pub(crate) fn ends_line(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a character can stand in an address before the @ (RFC 5322, 3.2.3), or could if mail servers
/// knew other scripts as they know ASCII (RFC 6531).
pub(crate) fn fits_address(c: char) -> bool {
    use props::GeneralCategoryGroup as Group;
    let letters = Group::Letter.union(Group::Mark).union(Group::Number).union(Group::Symbol);
    match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c),
        // The dots of Catalan and Japanese names.
        false => letters.contains(kind(c)) || matches!(c, '\u{B7}' | '\u{30FB}'),
    }
}

fn kind(c: char) -> props::GeneralCategory {
    CodePointMapData::<props::GeneralCategory>::new().get(c)
}
