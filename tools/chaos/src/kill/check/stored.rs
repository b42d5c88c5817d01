use std::collections::HashMap;

use contracts::{Code, Window};

use super::{
    Outcome,
    state::{QuarantineRow, State, WindowRow},
};
use crate::kill::ledger::{Book, Sent, Serial, Word};

/// The stored and the quarantined windows by serial number. Each window has this number in its
/// note.
struct Found<'a> {
    stored: HashMap<Serial, Vec<&'a WindowRow>>,
    quarantined: HashMap<Serial, Vec<&'a QuarantineRow>>,
}

impl<'a> Found<'a> {
    fn of(state: &'a State) -> (Self, usize) {
        let (mut stored, mut quarantined): (HashMap<_, Vec<_>>, HashMap<_, Vec<_>>) = Default::default();
        let mut foreign = 0;
        for row in &state.windows {
            match row.window.note.as_ref().and_then(|note| note.as_str().parse().ok()) {
                Some(serial) => stored.entry(serial).or_default().push(row),
                None => foreign += 1,
            }
        }
        for row in &state.quarantined {
            if let Some(serial) = row.item.window.note.as_ref().and_then(|note| note.parse().ok()) {
                quarantined.entry(serial).or_default().push(row);
            }
        }
        (Self { stored, quarantined }, foreign)
    }
}

/// Checks I1: a window that was answered 200 or 201 is stored exactly once. A window that was
/// answered 202, or refused although it was well-formed, is stored exactly once or quarantined. A
/// window is voided if an admin's request for it succeeded, and only if an admin has requested it.
pub(crate) fn kept(book: &Book, state: &State) -> Outcome {
    let mut outcome = Outcome::new("I1 what was accepted is kept, once");
    let (found, foreign) = Found::of(state);
    outcome.check(foreign == 0, "windows", || format!("{foreign} windows are stored that nobody sent"));
    for (serial, sent) in (0..).zip(&book.windows) {
        let stored = found.stored.get(&serial).map_or(&[][..], Vec::as_slice);
        let quarantined = found.quarantined.get(&serial).map_or(&[][..], Vec::as_slice);
        let about = format!("#{serial}");
        let any = |is: fn(&Word) -> bool| sent.attempts.iter().any(|attempt| is(&attempt.word));
        outcome.check(stored.len() < 2, &about, || format!("is stored {} times: {sent}", stored.len()));
        let Some(row) = stored.first() else {
            if any(Word::is_recorded) {
                outcome.check(false, &about, || format!("was answered as recorded and is lost: {sent}"));
                continue;
            }
            // A window that does not fit the present assignments is refused and quarantined,
            // because an admin may correct the assignments.
            let kept =
                |word: &Word| word.is_safe() || matches!(word, Word::Refused(Some(code)) if *code != Code::Invalid);
            outcome.check(!any(kept) || !quarantined.is_empty(), &about, || format!("was taken and is lost: {sent}"));
            continue;
        };
        outcome.check(quarantined.is_empty(), &about, || {
            let codes: Vec<Code> = quarantined.iter().map(|row| row.code).collect();
            format!("is recorded and in quarantine too, as {codes:?}: {sent}")
        });
        let original = state.originals.get(&row.window.id).unwrap_or(row);
        outcome.check(says(&original.window, sent), &about, || format!("is stored as something else: {sent}"));
        let voids = |is: fn(&Word) -> bool| sent.voids.iter().any(|void| is(&void.word));
        outcome.check(row.voided || !voids(Word::is_safe), &about, || format!("was voided, and still counts: {sent}"));
        let asked = voids(|word| !matches!(word, Word::Refused(_)));
        outcome.check(!row.voided || asked, &about, || format!("counts no longer, and nobody voided it: {sent}"));
    }
    outcome
}

/// Checks I2: a window that was always refused is not stored. (I1 checks that a window without a
/// definite answer is stored at most once.)
pub(crate) fn refused(book: &Book, state: &State) -> Outcome {
    let mut outcome = Outcome::new("I2 what was refused is not recorded");
    let (found, _) = Found::of(state);
    for (serial, sent) in (0..).zip(&book.windows) {
        let is_refused = |word: &Word| matches!(word, Word::Refused(_) | Word::NoToken);
        if sent.attempts.iter().all(|attempt| is_refused(&attempt.word)) {
            let is_stored = found.stored.contains_key(&serial);
            outcome.check(!is_stored, format!("#{serial}"), || format!("was refused and is recorded: {sent}"));
        }
    }
    outcome
}

fn says(stored: &Window, sent: &Sent) -> bool {
    let is = (stored.employee_id, stored.start, stored.end, stored.project_id, stored.task_id);
    is == (sent.employee, sent.start, sent.end, sent.project, sent.task) && sent.id.is_none_or(|id| id == stored.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kill::check::tests::{attempt, only, quarantined, sent, window};

    fn one(words: &[Word]) -> Book {
        let mut book = Book::default();
        book.begin(sent(1, words));
        book
    }

    #[test]
    fn a_window_that_was_answered_201_and_is_nowhere_is_found() {
        let book = one(&[Word::Stored]);
        assert!(only(&kept(&book, &State::default())).contains("is lost"));
        let state = State { windows: vec![window(1, 0)], ..State::default() };
        assert_eq!(kept(&book, &state).findings, []);
    }

    #[test]
    fn a_window_that_was_answered_202_may_be_in_quarantine_and_nowhere_else() {
        let book = one(&[Word::Queued]);
        assert!(only(&kept(&book, &State::default())).contains("is lost"));
        let state = State { quarantined: vec![quarantined(0)], ..State::default() };
        assert_eq!(kept(&book, &state).findings, []);
        let both = State { windows: vec![window(1, 0)], ..state };
        assert!(only(&kept(&book, &both)).contains("quarantine too"));
    }

    #[test]
    fn a_window_that_is_stored_twice_under_whatever_ids_is_found() {
        let state = State { windows: vec![window(1, 0), window(1, 0)], ..State::default() };
        assert!(only(&kept(&one(&[Word::Stored, Word::Duplicate]), &state)).contains("stored 2 times"));
        assert!(only(&kept(&one(&[Word::Unknown("503".into())]), &state)).contains("stored 2 times"));
    }

    #[test]
    fn a_refused_window_that_is_recorded_or_not_kept_is_found() {
        let book = one(&[Word::Refused(Some(Code::NotOnTask))]);
        let state = State { windows: vec![window(1, 0)], ..State::default() };
        assert!(only(&refused(&book, &state)).contains("refused and is recorded"));
        assert!(only(&kept(&book, &State::default())).contains("is lost"));
    }

    #[test]
    fn an_unknown_answer_leaves_both_open() {
        let book = one(&[Word::Unknown("none".into()), Word::NoToken]);
        for windows in [vec![], vec![window(1, 0)]] {
            let state = State { windows, ..State::default() };
            assert_eq!((kept(&book, &state).findings, refused(&book, &state).findings), (vec![], vec![]));
        }
    }

    #[test]
    fn a_void_that_was_answered_and_is_not_stored_is_found_and_so_is_one_that_nobody_asked_for() {
        let mut book = one(&[Word::Stored]);
        let mut state = State { windows: vec![window(1, 0)], ..State::default() };
        state.windows[0].voided = true;
        assert!(only(&kept(&book, &state)).contains("nobody voided it"));
        book.windows[0].voids.push(attempt(Word::Stored));
        assert_eq!(kept(&book, &state).findings, []);
        state.windows[0].voided = false;
        assert!(only(&kept(&book, &state)).contains("still counts"));
    }

    #[test]
    fn a_window_that_is_stored_as_something_else_is_found() {
        let mut state = State { windows: vec![window(1, 0)], ..State::default() };
        state.windows[0].window.end = state.windows[0].window.end + 1;
        assert!(only(&kept(&one(&[Word::Stored]), &state)).contains("something else"));
    }
}
