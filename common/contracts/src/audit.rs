//! The audit trail: the entries that services write, and the requests that read them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Action, Actor, Event, EventId, Millis, Page, Service, message::requests};

/// The event for one entry of the audit trail: somebody has done something. It is committed
/// together with the change that it records. An action without a change, such as a failed log-in,
/// is recorded by itself.
///
/// The headers of the message contain the actor, and the HTTP request and the event that caused the
/// action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audited {
    /// The id of the entry and of its event. If an event is delivered twice, the audit service
    /// recognises it by this id and records it once.
    pub id: EventId,
    /// The service that publishes the entry.
    pub service: Service,
    /// What was done: the name of an [`Action`]. A service of a newer version may send a name that
    /// this version does not define.
    pub action: String,
    /// What the action was done to.
    pub subject: AuditSubject,
    /// When the action happened.
    pub at: Millis,
    /// The client's network address, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the action changed, as a JSON Patch of what the API shows; none if it changed nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Value>,
}

/// What an entry of the audit trail is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditSubject {
    /// The kind of the subject, such as `employee`.
    #[schema(example = "employee")]
    pub kind: String,
    /// The id of the subject.
    #[schema(example = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072")]
    pub id: String,
}

impl AuditSubject {
    /// A subject of this kind with this id.
    pub fn new(kind: &str, id: impl ToString) -> Self {
        Self { kind: kind.to_owned(), id: id.to_string() }
    }

    /// A subject whose text must not be stored, such as an e-mail address that no employee has. The
    /// SHA-256 of the text is stored instead.
    pub fn hashed(kind: &str, text: &str) -> Self {
        Self::new(kind, crate::audit_changes::sha256(text))
    }
}

/// Every service publishes entries about its own changes on its own subject,
/// `evt.<service>.v1.audit.<id>.recorded`.
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
    /// The name of the actor: for an employee or key the current name, or `null` if it is not
    /// known.
    #[schema(example = "Ann Example")]
    pub name: Option<String>,
}

/// The names of employees and keys are left empty here, because only directory knows them.
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
    /// The position of the entry in the trail: 1, 2, 3 and so on, without a gap.
    #[schema(example = 4711)]
    pub seq: i64,
    /// The id of the event that reported the entry.
    pub id: EventId,
    /// When the action happened.
    pub at: Millis,
    /// Who performed the action.
    pub actor: ShownActor,
    /// What was done, such as `employee.created`.
    #[schema(schema_with = crate::audit_action::schema)]
    pub action: String,
    /// What the action was done to.
    pub subject: AuditSubject,
    /// The id of the HTTP request that caused the action, directly or through events.
    #[schema(example = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6070")]
    pub request_id: Option<String>,
    /// The id of the event that made a service act, if one did.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub cause: Option<EventId>,
    /// The client's network address, if it is known.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// What the action changed: a JSON Patch (RFC 6902) of what the API shows. A `test` operation
    /// before a change has the old value. Notes and descriptions are replaced by their SHA-256.
    #[schema(value_type = Option<Vec<Object>>)]
    pub changes: Option<Value>,
    /// The SHA-256 of the previous entry's hash and all fields of this entry.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub hash: String,
}

/// Requests entries of the audit trail, the newest first, page by page. An entry is listed if it
/// matches every field that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListAuditEntries {
    /// Entries at or after this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Millis>,
    /// Entries before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Millis>,
    /// Entries of this actor. A person without a session matches entries of all sessions of that
    /// person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Entries about the subject with this id, of any kind.
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
    /// The maximum number of entries on a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl Audited {
    /// An entry without the client's address and without changes. The service that publishes the
    /// entry adds them.
    pub fn new(id: EventId, service: Service, action: Action, subject: AuditSubject, at: Millis) -> Self {
        Self { id, service, action: action.as_str().to_owned(), subject, at, address: None, changes: None }
    }
}

requests! {
    Audit: ListAuditEntries => Page<AuditEntry, i64>, "entries.list", idempotent;
}
