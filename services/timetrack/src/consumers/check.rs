use contracts::{Code, IngestItem, TimeRange};
use kit::Error;

use crate::{
    App,
    domain::{Admission, Admitted, Bindings, admit, yes_is_final},
};

/// Whether a window may be recorded.
pub(super) enum Fate {
    Admitted(Admitted),
    HeldBack { code: Code, waiting: bool },
}

/// Which windows may be recorded, by one look at all parties.
///
/// A yes is final for a window that began before the moment up to which the copy knows everything.
/// Whatever began later, and every no, needs a copy that knows everything by now: where it does not,
/// the window waits.
pub(super) async fn check(app: &App, items: &[IngestItem]) -> Result<Vec<Fate>, Error> {
    // Before the copy is read: what is known of it then is true of what is read.
    let known_up_to = app.knowledge.up_to();
    let began_before = |item: &IngestItem| yes_is_final(item.window.start, known_up_to);
    let mut is_complete = !items.iter().all(began_before) && app.knowledge.is_complete(app).await;
    let bindings = app.store.bindings.of(&items.iter().collect::<Vec<_>>()).await?;
    let mut admissions: Vec<Admission> = items.iter().map(|item| admission(item, &bindings)).collect();

    let refused = |admission: &Admission| !matches!(admission, Admission::Admitted(_));
    if !is_complete && admissions.iter().any(refused) && app.knowledge.is_complete(app).await {
        is_complete = true;
        let bindings = app.store.bindings.of(&items.iter().collect::<Vec<_>>()).await?;
        admissions = items.iter().map(|item| admission(item, &bindings)).collect();
    }

    let fate = |(item, admission)| match admission {
        Admission::Admitted(terms) if is_complete || began_before(item) => Fate::Admitted(terms),
        Admission::Admitted(_) => Fate::HeldBack { code: Code::Unavailable, waiting: true },
        Admission::Refused(Code::Invalid) => Fate::HeldBack { code: Code::Invalid, waiting: false },
        Admission::Early(code) | Admission::Unbound(code) | Admission::Refused(code) => {
            Fate::HeldBack { code, waiting: !is_complete }
        }
    };
    Ok(items.iter().zip(admissions).map(fate).collect())
}

fn admission(item: &IngestItem, bindings: &Bindings) -> Admission {
    match TimeRange::new(item.window.start, item.window.end) {
        Ok(range) => admit(item, range, bindings),
        Err(_) => Admission::Refused(Code::Invalid),
    }
}
