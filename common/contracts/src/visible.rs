//! Rules for characters in texts: which ones are invisible, which ones change the direction of a
//! text, and which ones an e-mail address may contain.

use icu_properties::{CodePointMapData, CodePointSetData, props};

/// Whether a character is invisible or looks like a blank.
pub(crate) fn is_invisible(c: char) -> bool {
    // U+2800, the empty braille pattern, must be added here: it looks like a blank, but Unicode
    // does not class it as one.
    CodePointSetData::new::<props::DefaultIgnorableCodePoint>().contains(c)
        || kind(c) == props::GeneralCategory::Format
        || c == '\u{2800}'
}

/// Whether a text has at least one visible character.
pub(crate) fn is_seen(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !c.is_control() && !is_invisible(c))
}

/// Whether a character changes the direction in which the characters after it are shown. With such
/// a character, `gpj.exe` can be shown as `exe.jpg`. The marks that affect only their neighbours
/// (such as U+200E) are not included.
pub(crate) fn turns_text(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character ends a line, but is not a control character.
pub(crate) fn ends_line(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether the part of an e-mail address before the @ may contain this character: by RFC 5322,
/// 3.2.3, or, if it is not ASCII, on mail servers that support RFC 6531.
pub(crate) fn fits_address(c: char) -> bool {
    use props::GeneralCategoryGroup as Group;
    let letters = Group::Letter.union(Group::Mark).union(Group::Number).union(Group::Symbol);
    match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c),
        // The two middle dots are punctuation in Unicode, but Catalan and Japanese names contain
        // them.
        false => letters.contains(kind(c)) || matches!(c, '\u{B7}' | '\u{30FB}'),
    }
}

fn kind(c: char) -> props::GeneralCategory {
    CodePointMapData::<props::GeneralCategory>::new().get(c)
}
