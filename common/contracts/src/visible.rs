//! Which characters are visible, and which ones deceive.

use icu_properties::{CodePointMapData, CodePointSetData, props};

/// Whether a character is invisible, or looks like nothing.
pub(crate) fn is_invisible(c: char) -> bool {
    // The empty braille pattern looks like a blank, although Unicode does not class it so.
    CodePointSetData::new::<props::DefaultIgnorableCodePoint>().contains(c)
        || kind(c) == props::GeneralCategory::Format
        || c == '\u{2800}'
}

/// Whether a text has a visible character.
pub(crate) fn is_seen(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !c.is_control() && !is_invisible(c))
}

/// Whether a character changes the order in which others are shown, so that `gpj.exe` reads as `exe.jpg`. Marks
/// that only affect their neighbours do not count.
pub(crate) fn turns_text(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character ends a line without being a control character.
pub(crate) fn ends_line(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a character may be in an address before the @ (RFC 5322, 3.2.3), or may be with mail servers that
/// support other scripts (RFC 6531).
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
