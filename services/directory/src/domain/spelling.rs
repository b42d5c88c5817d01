//! The spellings of a password. Depending on the keyboard, an accented letter is sent as one
//! character or as two.

use std::iter::once;

use unicode_normalization::UnicodeNormalization;

/// The spelling in which a password is hashed: Unicode NFC (NIST SP 800-63B, 3.1.1.2).
pub(crate) fn composed(password: &str) -> String {
    password.nfc().collect()
}

/// The spellings in which a stored password may have been hashed, the current one first. Earlier
/// versions hashed the password without normalising it.
pub(crate) fn spellings(password: &str) -> Vec<String> {
    let composed = composed(password);
    let decomposed: String = password.nfd().collect();
    let others = [password.to_owned(), decomposed].into_iter().filter(|other| *other != composed);
    let mut all: Vec<_> = once(composed.clone()).chain(others).collect();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_letters_have_one_spelling_and_accents_two() {
        assert_eq!(spellings("correct horse"), ["correct horse"]);
        let both = ["\u{e9}t\u{e9}", "e\u{301}te\u{301}"];
        assert_eq!(spellings(both[0]), both);
        assert_eq!(spellings(both[1]), both);
        assert_eq!(spellings("\u{e9}te\u{301}"), [both[0], "\u{e9}te\u{301}", both[1]]);
    }

    proptest! {
        #[test]
        fn whatever_form_a_keyboard_sends_the_same_is_hashed(text in "[a-z\u{c0}-\u{17f}\u{300}-\u{310}\u{ac00}-\u{ac20}]{0,12}") {
            let (nfc, nfd): (String, String) = (text.nfc().collect(), text.nfd().collect());
            prop_assert_eq!(composed(&nfc), composed(&nfd));
            prop_assert_eq!(composed(&nfc), composed(&text));
            prop_assert_eq!(&spellings(&text)[0], &nfc);
        }
    }
}
