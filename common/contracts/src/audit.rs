//! The audit trail: the entries that services write, and the requests that read them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Action, Actor, Event, EventId, Millis, Page, Service, message::requests};

/// One entry of the audit trail: somebody did something. It is committed together with the change that it records;
/// a log-in changes nothing and is recorded alone.
///
/// The headers of the message name the actor, the HTTP request and the event that caused it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audited {
    /// The id of the entry and of its event, so that a repeated event is recorded once.
    pub id: EventId,
    /// The service that reports it.
    pub service: Service,
    /// What was done: an [`Action`], or one that only a newer version defines.
    pub action: String,
    /// What it was done to.
    pub subject: AuditSubject,
    /// When it happened.
    pub at: Millis,
    /// The client's address, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What changed, as a JSON Patch of what the API shows; none if nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Value>,
}

/// The thing that an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditSubject {
    /// The kind of thing, such as `employee`.
    #[schema(example = "employee")]
    pub kind: String,
    /// The id of the thing.
    #[schema(example = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072")]
    pub id: String,
}

impl AuditSubject {
    /// A subject of this kind with this id.
    pub fn new(kind: &str, id: impl ToString) -> Self {
        Self { kind: kind.to_owned(), id: id.to_string() }
    }

    /// A subject whose text must not be stored, such as an address that no employee has. Its SHA-256 is stored
    /// instead.
    pub fn hashed(kind: &str, text: &str) -> Self {
        Self::new(kind, crate::audit_changes::sha256(text))
    }
}

/// Every service reports its own changes, on a subject of its own.
impl Event for Audited {
    const SERVICE: Service = Service::Audit;
    const NOUN: &'static str = "audit";
    const VERB: &'static str = "recorded";
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.id.to_string()
    }

    fn subject(&self) -> String {
        format!("evt.{}.v1.{}.{}.{}", self.service, Self::NOUN, self.aggregate(), Self::VERB)
    }

    fn filter() -> String {
        format!("evt.*.v1.{}.*.{}", Self::NOUN, Self::VERB)
    }
}

/// An actor as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShownActor {
    /// `person`, `key`, `root` or `service`.
    #[schema(example = "person")]
    pub kind: String,
    /// The id of the employee or key, or the name of the service; none for the root key.
    #[schema(example = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072")]
    pub id: Option<String>,
    /// The current name of the employee or key; none if it cannot be found.
    #[schema(example = "Ann Example")]
    pub name: Option<String>,
}

/// The names of employees and keys are missing: only directory knows them.
impl From<Actor> for ShownActor {
    fn from(actor: Actor) -> Self {
        let (kind, id, name) = match actor {
            Actor::Root => ("root", None, Some("root".to_owned())),
            Actor::Key(id) => ("key", Some(id.to_string()), None),
            Actor::Person { employee, .. } => ("person", Some(employee.to_string()), None),
            Actor::Service(service) => ("service", Some(service.to_string()), Some(service.to_string())),
        };
        Self { kind: kind.to_owned(), id, name }
    }
}

/// An entry of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// The position in the trail: 1, 2, 3 and so on, without a gap.
    #[schema(example = 4711)]
    pub seq: i64,
    /// The id of the event.
    pub id: EventId,
    /// When it was done.
    pub at: Millis,
    /// The actor.
    pub actor: ShownActor,
    /// What was done.
    #[schema(schema_with = crate::audit_action::schema)]
    pub action: String,
    /// What it was done to.
    pub subject: AuditSubject,
    /// The id of the HTTP request that caused it, directly or through events.
    #[schema(example = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6070")]
    pub request_id: Option<String>,
    /// The event that made a service act, if one did.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub cause: Option<EventId>,
    /// The client's address, if it is known.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// What changed: a JSON Patch (RFC 6902) of what the API shows. A `test` before a change has the old value.
    /// Notes and descriptions are replaced by their SHA-256.
    #[schema(value_type = Option<Vec<Object>>)]
    pub changes: Option<Value>,
    /// The SHA-256 over the hash of the previous entry and all of this one.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub hash: String,
}

/// Asks for entries of the trail, the newest first, page by page. Each field limits the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListAuditEntries {
    /// Entries at or after this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Millis>,
    /// Entries before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Millis>,
    /// Entries of this actor; a person without a session stands for all their sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Entries about the thing with this id, of any kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Entries with this action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Entries caused by this HTTP request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The position of the last entry of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The most entries of a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl Audited {
    /// An entry without an address; the service that reports it adds the address.
    pub fn new(id: EventId, service: Service, action: Action, subject: AuditSubject, at: Millis) -> Self {
        Self { id, service, action: action.as_str().to_owned(), subject, at, address: None, changes: None }
    }
}

requests! {
    Audit: ListAuditEntries => Page<AuditEntry, i64>, "entries.list", idempotent;
}
