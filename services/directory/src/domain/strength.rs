//! Checks that a password is hard to guess for somebody who knows the employee. NIST SP 800-63B,
//! 3.1.1.2, requires a comparison with common and expected values, and forbids rules about kinds of
//! characters.

use std::cmp::Reverse;

use contracts::{Code, Failure, FieldError, Secret, check_password};
use zxcvbn::{Score, zxcvbn};

use super::{Employee, composed};

/// Words of this product, which every attacker would try.
const PRODUCT_WORDS: [&str; 5] = ["t3", "time", "tracker", "timetracker", "time tracker"];
/// The lowest accepted score: "safely unguessable", which means at least about 100 million guesses.
const LEAST_SCORE: Score = Score::Three;
/// The most characters of a name or an address that are compared with the password.
const MOST: usize = 100;

/// Checks the length of a password, which takes no noticeable time.
///
/// # Errors
/// 422 with the required length.
pub(crate) fn fitting(field: &str, password: &Secret) -> Result<(), Failure> {
    check_password(password).map_err(|message| weak(field, message.to_owned()))
}

/// Checks that a password is hard to guess for somebody who knows the employee. Takes some
/// milliseconds of CPU time.
///
/// # Errors
/// 422 with advice.
pub(crate) fn hard_to_guess(field: &str, password: &Secret, employee: &Employee) -> Result<(), Failure> {
    let (password, known) = (composed(password.expose()), known_words(employee));
    let inputs: Vec<&str> = known.iter().map(String::as_str).collect();
    let guessed = zxcvbn(&password, &inputs);
    if guessed.score() < LEAST_SCORE {
        let feedback = guessed.feedback();
        let warning = feedback.and_then(|feedback| feedback.warning()).map(|warning| warning.to_string());
        let suggestions = feedback.into_iter().flat_map(|feedback| feedback.suggestions()).map(ToString::to_string);
        let advice: Vec<String> = warning.into_iter().chain(suggestions).collect();
        return Err(too_easy(field, advice.join(" ").trim_end_matches('.')));
    }
    // The estimator rates any three words as strong, even three words that an attacker knows. So
    // the rest of the password without the known words is rated too.
    if zxcvbn(without(&password, &known).trim(), &inputs).score() < LEAST_SCORE {
        return Err(too_easy(field, "Your name, your address and our name are known. Add other words"));
    }
    Ok(())
}

/// Removes known words from a password. The words must be sorted, the longest first.
fn without(password: &str, known: &[String]) -> String {
    known.iter().fold(password.to_lowercase(), |rest, word| rest.replace(word, ""))
}

fn too_easy(field: &str, advice: &str) -> Failure {
    weak(field, format!("must be harder to guess: {advice}"))
}

fn weak(field: &str, message: String) -> Failure {
    let detail = format!("The password {message}.");
    let errors = vec![FieldError { field: field.into(), message }];
    Failure { errors, ..Failure::new(Code::WeakPassword, detail) }
}

/// The words that an attacker knows, in lower case, the longest first: the employee's name and
/// address, whole and in parts, and the words of this product.
fn known_words(employee: &Employee) -> Vec<String> {
    let (name, email) = (employee.name.as_str(), employee.email.as_str());
    let parts = [name, email].into_iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let local = email.split('@').next().unwrap_or_default();
    let cut = |text: &str| composed(text).to_lowercase().chars().take(MOST).collect::<String>();
    let words = [name, email, local].into_iter().chain(parts).chain(PRODUCT_WORDS);
    let mut words: Vec<String> = words.map(cut).filter(|word| word.chars().count() > 1).collect();
    words.sort_by_key(|word| Reverse(word.len()));
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use contracts::{Email, Name};

    use super::*;
    use crate::domain::employee::tests::ann;

    fn message(password: &str) -> Option<String> {
        let mut employee = ann();
        employee.name = Name::parse("Annabella Exemplarova-Smith").unwrap();
        employee.email = Email::parse("annabella.exemplarova@wintergreenworks.org").unwrap();
        let failure = hard_to_guess("new", &Secret::new(password), &employee).err()?;
        assert_eq!((failure.code, failure.errors[0].field.as_str()), (Code::WeakPassword, "new"));
        assert_eq!(failure.detail, format!("The password {}.", failure.errors[0].message));
        assert!(!failure.detail.contains(password), "{}", failure.detail);
        Some(failure.errors[0].message.clone())
    }

    #[test]
    fn words_that_do_not_belong_together_are_taken_in_any_script() {
        for good in [
            "three or four words",
            "correct horse battery",
            "un \u{e9}t\u{e9} \u{e0} Orl\u{e9}ans",
            "kX9vQ2mLp0aZ",
            "\u{43b}\u{43e}\u{448}\u{430}\u{434}\u{44c} \u{438} \u{431}\u{430}\u{442}\u{430}\u{440}\u{435}\u{44f}",
        ] {
            assert_eq!(message(good), None, "{good}");
        }
    }

    #[test]
    fn what_everybody_tries_first_is_refused_with_what_would_help() {
        for bad in ["password1234", "aaaaaaaaaaaa", "123456789012", "qwertyuiop[]", "abcabcabcabc", "Passw0rd!2024"] {
            let message = message(bad).unwrap_or_else(|| panic!("{bad} is taken"));
            assert!(message.starts_with("must be harder to guess: ") && !message.ends_with('.'), "{message}");
            assert!(message.contains("word"), "{message}");
        }
    }

    #[test]
    fn what_is_known_of_the_person_and_of_us_is_no_secret() {
        for bad in [
            "Annabella Exemplarova",
            "exemplarova1",
            "annabella.exemplarova",
            "wintergreenworks",
            "Wintergreenworks!",
            "Exemplarova-Smith",
            "timetracker1",
            "time tracker t3",
            "Smith, Exemplarova, Annabella",
            "T3 4nn4b3ll4 T3",
        ] {
            assert!(message(bad).is_some(), "{bad} is taken");
        }
    }

    #[test]
    fn the_longest_name_and_address_are_looked_for_as_well() {
        let mut employee = ann();
        employee.name = Name::parse(&"n ".repeat(100)).unwrap();
        employee.email = Email::parse(&format!("{}@{}.org", "a".repeat(64), "b".repeat(180))).unwrap();
        assert!(hard_to_guess("password", &Secret::new("x".repeat(128)), &employee).is_err());
        assert!(hard_to_guess("password", &Secret::new("three or four words"), &employee).is_ok());
    }
}
