//! The stretches of being on something: in order, and only the last can be open.

use contracts::{Millis, Term};

/// The term that begins now, after the last one. The first begins at no moment: it covers hours
/// worked before.
pub(crate) fn next(last: Option<Term>, now: Millis) -> Term {
    // Whoever comes back does so after they left, whatever the clocks say.
    let from = last.map(|last| last.until.map_or(now, |until| until.max(now)));
    Term { from, until: None }
}

/// Ends an open term; never before it began.
pub(crate) fn end(term: &mut Term, at: Millis) {
    if term.until.is_none() {
        term.until = Some(term.from.map_or(at, |from| from.max(at)));
    }
}
