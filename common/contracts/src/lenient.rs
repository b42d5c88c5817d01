//! Deserializers that accept several spellings of numbers and booleans, because clients of the
//! former backend send them. Only spellings with a single meaning are accepted. Serialization
//! always uses the normal JSON form.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, Error, Visitor},
};

/// The limit for whole numbers that are read as a double: 2^50. Up to it, a double that is wrong in
/// its last bit still rounds to the intended whole number.
const EXACT_MOST: f64 = 1_125_899_906_842_624.0;

/// Parses a whole number, written like `1760000000000`, `1760000000000.0` or `1.76e12`.
pub fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    text.parse().ok().or_else(|| whole_double(amount(text)?))
}

/// Parses a number in digits, written like `50`, `62.5` or `5e1`.
pub(crate) fn amount(text: &str) -> Option<f64> {
    let text = text.trim();
    // Rust's parser also accepts words such as `inf`, which are refused here.
    let is_plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse().ok().filter(|number: &f64| is_plain && number.is_finite())
}

fn whole_double(number: f64) -> Option<i64> {
    let whole = number.round();
    // A small difference is allowed, because the JSON parser may return a double that is wrong in
    // its last bit, for a number with many digits.
    let is_whole = (number - whole).abs() <= (2.0 * f64::EPSILON * whole.abs()).min(0.25);
    (is_whole && whole.abs() <= EXACT_MOST).then_some(whole as i64)
}

/// Deserializes a whole number: a JSON number without a fraction, or a string with such a number.
///
/// # Errors
/// For any other value.
pub fn whole_number<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    struct Whole;

    impl Visitor<'_> for Whole {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("i64")
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
            Ok(number)
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<i64, E> {
            number.try_into().map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<i64, E> {
            whole_double(number).ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
            whole(text).ok_or_else(|| E::invalid_value(de::Unexpected::Other("a text"), &self))
        }
    }

    if from.is_human_readable() { from.deserialize_any(Whole) } else { i64::deserialize(from) }
}

/// Deserializes a number: a JSON number, or a string with a number.
///
/// # Errors
/// For any other value.
pub(crate) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    struct Number;

    impl Visitor<'_> for Number {
        type Value = f64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("f64")
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
            Ok(number as f64)
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
            Ok(number as f64)
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
            Ok(number)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
            amount(text).ok_or_else(|| E::invalid_value(de::Unexpected::Other("a text"), &self))
        }
    }

    from.deserialize_any(Number)
}

/// Deserializes a boolean: `true` or `false`, a string with one of these words in any case, or 1 or
/// 0 as a number or a string.
///
/// # Errors
/// For any other value.
pub fn truth<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    struct Truth;

    impl Visitor<'_> for Truth {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a boolean")
        }

        fn visit_bool<E: Error>(self, truth: bool) -> Result<bool, E> {
            Ok(truth)
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<bool, E> {
            match number {
                0 | 1 => Ok(number == 1),
                _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
            }
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<bool, E> {
            match number {
                0 | 1 => Ok(number == 1),
                _ => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
            }
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<bool, E> {
            match whole_double(number) {
                Some(whole) => self.visit_i64(whole),
                None => Err(E::invalid_value(de::Unexpected::Float(number), &self)),
            }
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
            match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                _ => Err(E::invalid_value(de::Unexpected::Other("a text"), &self)),
            }
        }
    }

    if from.is_human_readable() { from.deserialize_any(Truth) } else { bool::deserialize(from) }
}

/// Deserializes a boolean like [`truth`], for a field that may be left out but not be `null`, like
/// [`crate::present`].
///
/// # Errors
/// Those of [`truth`].
pub fn present_truth<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    truth(from).map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Millis, Rate};

    fn millis(json: &str) -> Option<i64> {
        serde_json::from_str::<Millis>(json).ok().map(|millis| millis.0)
    }

    #[test]
    fn a_whole_number_is_taken_in_every_spelling_of_it_and_nothing_else_is() {
        for json in [
            "1760000000000",
            "1760000000000.0",
            "1.76e12",
            "\"1760000000000\"",
            "\" 1.76E+12 \"",
            "\"1760000000000.000\"",
        ] {
            assert_eq!(millis(json), Some(1_760_000_000_000), "{json}");
        }
        for json in [
            "1.5",
            "\"1.5\"",
            "\"\"",
            "\" \"",
            "\"x\"",
            "\"inf\"",
            "\"NaN\"",
            "\"0x10\"",
            "\"1_000\"",
            "\"1 0\"",
            "true",
            "null",
            "[1]",
            "{}",
            "1e300",
            "\"1e300\"",
            "1e16",
            "9223372036854775808",
            "\"9223372036854775808\"",
            "\"e\"",
        ] {
            assert_eq!(millis(json), None, "{json}");
        }
        assert_eq!(millis("9223372036854775807"), Some(i64::MAX));
        assert_eq!(millis("1760000000000.000000"), Some(1_760_000_000_000));
        for json in ["1760000000000.001", "1125899906842623.5", "1.4e-300"] {
            assert_eq!(millis(json), None, "{json}");
        }
    }

    #[test]
    fn true_and_false_are_taken_as_words_and_as_digits() {
        let read = |json: &str| truth(&mut serde_json::Deserializer::from_str(json)).ok();
        for (json, expected) in [
            ("true", true),
            ("1", true),
            ("1.0", true),
            ("\"True\"", true),
            ("\"1\"", true),
            ("0", false),
            ("\"false\"", false),
        ] {
            assert_eq!(read(json), Some(expected), "{json}");
        }
        for json in ["2", "-1", "0.5", "\"yes\"", "\"\"", "null", "[]"] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn every_whole_number_survives_each_of_its_spellings(n in -1_125_899_906_842_624_i64..=1_125_899_906_842_624) {
            for json in [n.to_string(), format!("{n}.0"), format!("\"{n}\""), format!("\"{n}.00\""), format!("{:e}", n as f64)] {
                prop_assert_eq!(millis(&json), Some(n), "{}", json);
            }
            prop_assert_eq!(serde_json::to_string(&Millis(n)).ok(), Some(n.to_string()));
        }

        #[test]
        fn a_text_is_no_number_that_it_would_not_be_without_its_quotes(text in "[0-9eE+.x -]{0,8}") {
            if let Some(read) = millis(&format!("\"{text}\"")) {
                prop_assert_eq!(text.trim().parse::<f64>().map(f64::round).ok(), Some(read as f64));
            }
        }

        #[test]
        fn a_rate_is_the_same_as_a_text(units in 0..=1_000_000_000_000_i64) {
            let rate = Rate::from_units(units).expect("a rate");
            let json = serde_json::to_string(&rate).expect("a number");
            prop_assert_eq!(serde_json::from_str::<Rate>(&format!("\"{json}\"")).ok(), Some(rate));
        }
    }
}
