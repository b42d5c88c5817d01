//! The page of requested corrections, for the people who decide about them.

use axum::response::Response;
use contracts::{
    AcceptCorrection, CorrectionId, CorrectionRequest, CorrectionStatus, EmployeeId, Failure, ListCorrections, Name,
    Note, RefuseCorrection, Resource, Scope,
};
use futures::try_join;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    correction::{ids_of, state, what},
    doers::{actor, doer, want},
    errors,
    inputs::{self, Input},
    notice::{Done, notice},
    pages::Pager,
    places,
    visitor::Visitor,
};
use crate::{
    extract::{Form, Params},
    names::KnownNames,
};

/// The number of waiting corrections on one page of the list.
const WAITING: usize = 25;
/// The largest number of waiting corrections that are read.
const MOST: usize = 1_000;
/// The number of the latest decided corrections that are shown.
const DECIDED: usize = 50;

/// The form of a decision about a correction.
#[derive(Default, Deserialize)]
pub(super) struct Decision {
    id: Option<CorrectionId>,
    reason: Option<String>,
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params, None).await;
    visitor.page(&places::CORRECTIONS, content)
}

/// Accepts a requested correction.
pub(super) async fn accept(visitor: Visitor, params: Params, Form(decision): Form<Decision>) -> Response {
    let outcome = async {
        let (id, reason) = decision.read()?;
        visitor.ask(AcceptCorrection { id, reason }).await
    };
    let outcome = outcome.await;
    after(&visitor, &params, &decision, outcome, Done::Accepted).await
}

/// Refuses a requested correction.
pub(super) async fn refuse(visitor: Visitor, params: Params, Form(decision): Form<Decision>) -> Response {
    let outcome = async {
        let (id, reason) = decision.read()?;
        let reason = reason.ok_or_else(|| Failure::field("reason", "must be given to whoever asked"))?;
        visitor.ask(RefuseCorrection { id, reason }).await
    };
    let outcome = outcome.await;
    after(&visitor, &params, &decision, outcome, Done::Refused).await
}

impl Decision {
    fn read(&self) -> Result<(CorrectionId, Option<Note>), Failure> {
        let id = self.id.ok_or_else(|| Failure::field("id", "must be given"))?;
        let reason = inputs::note(inputs::text(&self.reason)).map_err(|error| Failure::field("reason", error))?;
        Ok((id, reason))
    }
}

async fn after(
    visitor: &Visitor,
    params: &Params,
    decision: &Decision,
    outcome: Result<CorrectionRequest, Failure>,
    done: Done,
) -> Response {
    match outcome {
        Ok(_) => errors::see(&places::after(places::CORRECTIONS.path, done)),
        Err(failure) => {
            let content = content(visitor, params, Some((decision, &failure))).await;
            visitor.again(&places::CORRECTIONS, &failure, content)
        }
    }
}

/// A decision that failed: the submitted form and the failure.
type Attempt<'a> = Option<(&'a Decision, &'a Failure)>;

async fn content(visitor: &Visitor, params: &Params, attempt: Attempt<'_>) -> Result<Markup, Failure> {
    let with = |status, limit| ListCorrections { status: Some(status), limit, ..ListCorrections::default() };
    let ((mut waiting, has_more), (accepted, _), (refused, _)) = try_join!(
        visitor.first(with(CorrectionStatus::Asked, None), MOST),
        visitor.first(with(CorrectionStatus::Accepted, Some(DECIDED)), DECIDED),
        visitor.first(with(CorrectionStatus::Refused, Some(DECIDED)), DECIDED),
    )?;
    // The oldest request is shown first.
    waiting.reverse();
    let mut decided = [accepted, refused].concat();
    decided.sort_by_key(|correction| std::cmp::Reverse(correction.decided_at));
    decided.truncate(DECIDED);
    let count = waiting.len();
    let pager = Pager::of(params, count, WAITING)?;
    let waiting = pager.part(waiting);
    let mut ids = ids_of(&[waiting.as_slice(), decided.as_slice()].concat());
    decided.iter().for_each(|correction| want(&mut ids, actor(correction.decided_by.as_ref())));
    let names = visitor.names(ids).await;
    let gone = attempt.filter(|(decision, _)| waiting.iter().all(|correction| decision.id != Some(correction.id)));
    Ok(html! {
        (notice(params))
        // The correction of the failed decision is not on this page of the list, usually because it
        // was decided meanwhile. So the failure is shown above the list.
        @if let Some((_, failure)) = gone { p.error role="alert" { (failure.detail) } }
        @if waiting.is_empty() {
            section { p.empty { "Nobody waits for a correction." } }
        } @else {
            section {
                h2 { "To be decided (" (visitor.reader.count(count)) @if has_more { " or more" } ")" }
                p { "Whoever asked gets a mail with what you decide and why." }
                ul.cards { @for correction in &waiting { li { (one_waiting(visitor, correction, &names, attempt)) } } }
                (pager.links(visitor))
            }
        }
        @if !decided.is_empty() {
            section {
                details {
                    summary { "Decided lately (" (visitor.reader.count(decided.len())) ")" }
                    ul.cards { @for correction in &decided { li { (one_decided(visitor, correction, &names)) } } }
                }
            }
        }
    })
}

fn name_of(names: &KnownNames, id: EmployeeId) -> &str {
    names.employees.get(&id).map_or("somebody without a name", Name::as_str)
}

fn one_waiting(visitor: &Visitor, correction: &CorrectionRequest, names: &KnownNames, attempt: Attempt<'_>) -> Markup {
    let name = name_of(names, correction.employee_id);
    let attempt = attempt.filter(|(decision, _)| decision.id == Some(correction.id));
    let failure = attempt.map(|(_, failure)| failure);
    let typed = attempt.map_or("", |(decision, _)| inputs::text(&decision.reason));
    let is_own = correction.employee_id == visitor.employee;
    let form = format!("c{}", correction.id.0.simple());
    let error = failure.map(|failure| super::forms::said(Some(failure), "reason").unwrap_or(&failure.detail));
    let reason =
        Input { form: &form, name: "reason", label: "Why you decide so", value: typed, error, ..Input::default() };
    let button = |place: &places::Place, label: &str, class: &str| {
        html! {
            button class=(class) type="submit" formaction=(visitor.address(place.path)) {
                (label) span.unseen { ": " (name) ", " (visitor.reader.moment(correction.start)) }
            }
        }
    };
    html! {
        p { strong { (visitor.person(correction.employee_id, name)) ": " } (what(visitor, correction, names)) }
        p { "Why: " (correction.reason) " (asked " (visitor.reader.moment(correction.asked_at)) ")" }
        @if is_own { p { "This is your own: somebody else decides about it." } }
        @else if visitor.may(Scope::write(Resource::Time)) {
            form method="post" action=(visitor.address(places::ACCEPT_CORRECTION.path)) {
                input type="hidden" name="id" value=(correction.id);
                (reason.line())
                div.row {
                    (button(&places::ACCEPT_CORRECTION, "Accept", ""))
                    (button(&places::REFUSE_CORRECTION, "Refuse", "quiet"))
                }
            }
        }
    }
}

fn one_decided(visitor: &Visitor, correction: &CorrectionRequest, names: &KnownNames) -> Markup {
    let by = doer(visitor, names, actor(correction.decided_by.as_ref()));
    html! {
        p {
            strong { (visitor.person(correction.employee_id, name_of(names, correction.employee_id))) ": " }
            (what(visitor, correction, names)) " " (state(correction.status))
        }
        p {
            @if let Some(at) = correction.decided_at { (visitor.reader.moment(at)) " by " } (by)
            @if let Some(reason) = &correction.decision_reason { ": " (reason) }
        }
    }
}
