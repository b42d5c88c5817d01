//! Adds the current names of actors to records of what they did.

use std::str::FromStr;

use contracts::{
    Actor, ApiKey, AuditEntry, CorrectionRequest, EmployeeId, KeyId, NewApiKey, QuarantinedWindow, Secret, ShownActor,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::names::{Ids, Names};

/// A value that contains an actor.
pub(super) trait HasActor {
    /// The actor in the value, if there is one.
    fn actor(&mut self) -> Option<&mut ShownActor>;
}

/// Looks up the names of the actors in these values, and adds them.
pub(super) async fn name_actors<T: HasActor>(names: &Names, items: &mut [T]) {
    let mut wanted = Ids::default();
    for actor in items.iter_mut().filter_map(HasActor::actor) {
        wanted.employees.extend(id_of::<EmployeeId>(actor, "person"));
        wanted.keys.extend(id_of::<KeyId>(actor, "key"));
    }
    let known = names.of(wanted).await;
    for actor in items.iter_mut().filter_map(HasActor::actor) {
        let person = id_of(actor, "person").and_then(|id| known.employees.get(&id));
        let key = id_of(actor, "key").and_then(|id| known.keys.get(&id));
        if let Some(name) = person.or(key) {
            actor.name = Some(name.to_string());
        }
    }
}

fn id_of<T: FromStr>(actor: &ShownActor, kind: &str) -> Option<T> {
    if actor.kind == kind { actor.id.as_deref()?.parse().ok() } else { None }
}

impl HasActor for AuditEntry {
    fn actor(&mut self) -> Option<&mut ShownActor> {
        Some(&mut self.actor)
    }
}

/// An API key, with the name of the actor who made it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ListedApiKey)]
pub(super) struct KeyWithMaker {
    #[serde(flatten)]
    about: ApiKey,
    /// The actor who made the key.
    created_by: Option<ShownActor>,
}

impl From<ApiKey> for KeyWithMaker {
    fn from(mut about: ApiKey) -> Self {
        Self { created_by: about.created_by.take().map(Into::into), about }
    }
}

impl HasActor for KeyWithMaker {
    fn actor(&mut self) -> Option<&mut ShownActor> {
        self.created_by.as_mut()
    }
}

/// A new API key. No other response contains the text of the key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NewApiKey)]
pub(super) struct NewKeyWithMaker {
    #[serde(flatten)]
    about: KeyWithMaker,
    /// The text of the key. Send it as `X-API-Key`. It is never shown again.
    #[schema(value_type = String, example = "t3key_0198c6f27f007a319c5e3b1d2a4f6071_…")]
    key: Secret,
}

impl From<NewApiKey> for NewKeyWithMaker {
    fn from(NewApiKey { about, key }: NewApiKey) -> Self {
        Self { about: about.into(), key }
    }
}

impl HasActor for NewKeyWithMaker {
    fn actor(&mut self) -> Option<&mut ShownActor> {
        self.about.actor()
    }
}

/// A quarantined window, with the name of the actor who has decided about it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ListedQuarantinedWindow)]
pub(super) struct QuarantinedWithDecider {
    #[serde(flatten)]
    pub(super) quarantined: QuarantinedWindow,
    /// The actor who has decided about the window, if somebody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<ShownActor>,
}

impl From<QuarantinedWindow> for QuarantinedWithDecider {
    fn from(mut quarantined: QuarantinedWindow) -> Self {
        let actor = quarantined.decided_by.take().and_then(|text| text.parse::<Actor>().ok());
        Self { decided_by: actor.map(Into::into), quarantined }
    }
}

impl HasActor for QuarantinedWithDecider {
    fn actor(&mut self) -> Option<&mut ShownActor> {
        self.decided_by.as_mut()
    }
}

/// A correction, with the name of the actor who has decided about it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Correction)]
pub(super) struct CorrectionWithDecider {
    #[serde(flatten)]
    pub(super) correction: CorrectionRequest,
    /// The actor who has decided about the correction, if somebody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<ShownActor>,
}

impl From<CorrectionRequest> for CorrectionWithDecider {
    fn from(mut correction: CorrectionRequest) -> Self {
        let actor = correction.decided_by.take().and_then(|text| text.parse::<Actor>().ok());
        Self { decided_by: actor.map(Into::into), correction }
    }
}

impl HasActor for CorrectionWithDecider {
    fn actor(&mut self) -> Option<&mut ShownActor> {
        self.decided_by.as_mut()
    }
}
