//! The audit trail: what services tell it, and how it is read.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Action, Actor, Event, EventId, Millis, Page, Service, message::requests};

/// Somebody did something: one entry of the audit trail. Committed with the change that it tells
/// of; told alone where nothing changes, such as a log-in.
///
/// Who did it, by which request and because of which event stand in the message's headers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audited {
    /// The entry's id: the event's id too, so that an entry that comes twice is taken once.
    pub id: EventId,
    /// Who tells.
    pub service: Service,
    /// What was done: an [`Action`], or one that only a newer version knows.
    pub action: String,
    /// To what.
    pub subject: AuditSubject,
    /// When.
    pub at: Millis,
    /// From which address, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What changed, as a JSON Patch of what the API shows; nothing where nothing changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Value>,
}

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditSubject {
    /// Its kind.
    #[schema(example = "employee")]
    pub kind: String,
    /// Its id.
    #[schema(example = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072")]
    pub id: String,
}

impl AuditSubject {
    /// This one.
    pub fn new(kind: &str, id: impl ToString) -> Self {
        Self { kind: kind.to_owned(), id: id.to_string() }
    }

    /// Something that must not be kept in clear, such as an address that nobody here has: its
    /// SHA-256.
    pub fn hashed(kind: &str, text: &str) -> Self {
        Self::new(kind, crate::audit_changes::sha256(text))
    }
}

/// Every service tells of its own changes, on a subject of its own.
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

/// Who acts, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShownActor {
    /// `person`, `key`, `root` or `service`.
    #[schema(example = "person")]
    pub kind: String,
    /// The employee's or the key's id, the service's name; nothing for the root key.
    #[schema(example = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072")]
    pub id: Option<String>,
    /// The name that this employee or key has now; nothing where it cannot be told.
    #[schema(example = "Ann Example")]
    pub name: Option<String>,
}

/// Without the names of employees and keys, which only directory knows.
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
    /// Its place in the trail: 1, 2, 3 and so on, without a gap.
    #[schema(example = 4711)]
    pub seq: i64,
    /// Its id.
    pub id: EventId,
    /// When it was done.
    pub at: Millis,
    /// Who did it.
    pub actor: ShownActor,
    /// What was done.
    #[schema(schema_with = crate::audit_action::schema)]
    pub action: String,
    /// To what.
    pub subject: AuditSubject,
    /// By which HTTP request: whatever it caused has the same.
    #[schema(example = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6070")]
    pub request_id: Option<String>,
    /// Because of which event, where a service acted by itself.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub cause: Option<EventId>,
    /// From which address, where that is known.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// What changed: a JSON Patch (RFC 6902) of what the API shows. A `test` before a change says
    /// what was there. Notes and descriptions stand as their SHA-256.
    #[schema(value_type = Option<Vec<Object>>)]
    pub changes: Option<Value>,
    /// SHA-256 over the hash of the entry before and all of this one.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub hash: String,
}

/// Asks for the entries of the trail, the newest first, page by page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListAuditEntries {
    /// Of this moment and later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Millis>,
    /// Of before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Millis>,
    /// By this actor; a person without a session is that person in any session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// About what has this id, of any kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// That did this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// By this HTTP request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Older than this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl Audited {
    /// Something that was done now. Whoever tells of it adds the address.
    pub fn new(id: EventId, service: Service, action: Action, subject: AuditSubject, at: Millis) -> Self {
        Self { id, service, action: action.as_str().to_owned(), subject, at, address: None, changes: None }
    }
}

requests! {
    Audit: ListAuditEntries => Page<AuditEntry, i64>, "entries.list", idempotent;
}
