use super::Outcome;
use crate::kill::ledger::Book;

/// Checks I8: a report counts every window that was answered as recorded before the report was
/// requested, and no window that was sent only after the answer.
pub(crate) fn fresh(book: &Book) -> Outcome {
    let mut outcome = Outcome::new("I8 analytics are never behind their reader");
    for asked in &book.asked {
        let Some(reported) = asked.reported else { continue };
        let holds = (asked.before..=asked.after).contains(&reported);
        outcome.check(holds, asked.employee, || {
            let (at, before, after) = (asked.at, asked.before, asked.after);
            format!("analytics told {reported} ms at {at}; {before} ms were recorded before, {after} ms sent after")
        });
    }
    outcome
}

#[cfg(test)]
mod tests {
    use contracts::Millis;

    use super::*;
    use crate::kill::{
        check::tests::{ANN, only},
        ledger::Asked,
    };

    #[test]
    fn an_answer_that_misses_what_was_recorded_before_is_found_and_a_503_is_none() {
        let reported = |reported| Book {
            asked: vec![Asked { employee: ANN, at: Millis(0), before: 10, after: 20, reported }],
            ..Book::default()
        };
        for fine in [None, Some(10), Some(20)] {
            assert_eq!(fresh(&reported(fine)).findings, []);
        }
        for wrong in [9, 21] {
            assert!(only(&fresh(&reported(Some(wrong)))).contains("analytics told"));
        }
    }
}
