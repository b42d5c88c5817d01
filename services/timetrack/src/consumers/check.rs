use contracts::{Code, IngestItem, Millis, TimeRange};
use kit::Error;

use crate::{
    App,
    domain::{Admission, Admitted, Bindings, Prices, admit, known_part, yes},
};

/// The decision whether a window is recorded.
pub(crate) enum Fate {
    Admitted(Admitted),
    HeldBack { code: Code, waiting: bool },
}

/// Decides for each window whether it may be recorded. The cache, which has every event up to
/// `complete_up_to`, admits a window if no later event can change that. All other windows are
/// checked against the copy of the bindings in the database. Without `complete_up_to`, the cache is
/// not used.
pub(crate) async fn check(app: &App, items: &[IngestItem], complete_up_to: Option<Millis>) -> Result<Vec<Fate>, Error> {
    let remembered = if complete_up_to.is_some() { app.memory.of(items) } else { Bindings::default() };
    let prices = complete_up_to.and_then(|_| app.memory.prices());
    let mut fates: Vec<Option<Fate>> =
        items.iter().map(|item| yes(item, &remembered, complete_up_to).map(Fate::Admitted)).collect();
    let places: Vec<usize> = (0..items.len()).filter(|place| fates[*place].is_none()).collect();
    app.metrics.checked(items.len() - places.len(), places.len());
    if !places.is_empty() {
        let others: Vec<&IngestItem> = places.iter().map(|place| &items[*place]).collect();
        app.memory.want(others.iter().copied().filter(|item| !remembered.has_all(item)));
        for (place, fate) in places.iter().zip(ask(app, &others, prices).await?) {
            fates[*place] = Some(fate);
        }
    }
    Ok(fates.into_iter().flatten().collect())
}

/// Decides for each window whether it may be recorded, by the copy of the bindings in the database.
/// One query reads the bindings of all windows.
///
/// An admission is final if it follows from a part of the window about which the copy knows
/// everything. Every other admission, and every refusal except that of an invalid window, requires
/// that the copy is complete now. If the copy is not complete, the window waits in quarantine.
async fn ask(app: &App, items: &[&IngestItem], prices: Option<Prices>) -> Result<Vec<Fate>, Error> {
    // The moment up to which the copy is complete must be read before the bindings: then the
    // bindings that are read are complete at least up to that moment.
    let known_up_to = app.knowledge.up_to(app);
    let begins_late = |item: &&IngestItem| {
        let window = TimeRange::new(item.window.start, item.window.end).ok();
        window.and_then(|window| known_part(window, known_up_to)).is_none()
    };
    let mut is_complete = items.iter().any(begins_late) && app.knowledge.is_complete(app).await;
    let mut bindings = parties(app, items, prices.as_ref()).await?;

    let is_final = |item: &IngestItem, bindings: &Bindings| yes(item, bindings, known_up_to).is_some();
    if !is_complete && !items.iter().all(|item| is_final(item, &bindings)) && app.knowledge.is_complete(app).await {
        is_complete = true;
        bindings = parties(app, items, prices.as_ref()).await?;
    }

    let fate = |item: &&IngestItem| match admission(item, &bindings) {
        Admission::Admitted(terms) if is_complete || is_final(item, &bindings) => Fate::Admitted(terms),
        Admission::Admitted(_) => Fate::HeldBack { code: Code::Unavailable, waiting: true },
        Admission::Refused(Code::Invalid) => Fate::HeldBack { code: Code::Invalid, waiting: false },
        Admission::Early(code) | Admission::Unbound(code) | Admission::Refused(code) => {
            Fate::HeldBack { code, waiting: !is_complete }
        }
    };
    Ok(items.iter().map(fate).collect())
}

/// The bindings of these windows, with cached rates if there are any, otherwise with stored rates.
async fn parties(app: &App, items: &[&IngestItem], prices: Option<&Prices>) -> Result<Bindings, Error> {
    match prices {
        Some(prices) => Ok(app.store.bindings.of(items).await?.priced_by(prices.clone())),
        None => app.store.priced_parties(items).await,
    }
}

fn admission(item: &IngestItem, bindings: &Bindings) -> Admission {
    match TimeRange::new(item.window.start, item.window.end) {
        Ok(range) => admit(item, range, bindings),
        Err(_) => Admission::Refused(Code::Invalid),
    }
}
