//! Sessions: each log-in starts one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Event, Label, LoggedIn, Millis, Secret, Service, SessionId, message::requests};

/// The session that a log-in asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedSession {
    /// The program that logs in, by its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Label>,
    /// Whether to create a refresh token.
    pub refresh: bool,
    /// The lifetime of each token of the session, in seconds.
    pub token_seconds: i64,
}

/// The session of a token that is to be signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartedSession {
    /// The id of the session.
    pub id: SessionId,
    /// When the session ends. No token is valid longer.
    pub expires_at: Millis,
    /// The refresh token for the next token. It replaces the previous one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
}

/// Asks for the next token of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshSession {
    /// The current refresh token of the session.
    pub refresh_token: Secret,
    /// The lifetime of the new token, in seconds.
    pub token_seconds: i64,
}

/// A session, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The session's id, which tokens contain as `sid`.
    pub id: SessionId,
    /// When somebody logged in.
    pub created_at: Millis,
    /// When it was last used, within five minutes.
    pub last_seen_at: Millis,
    /// The program that logged in, by its own name.
    #[schema(value_type = Option<String>, example = "T3/1.4 (Windows NT 10.0)")]
    pub agent: Option<Label>,
    /// The address from which somebody logged in.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// Whether it is the caller's session.
    pub current: bool,
}

/// Asks for the caller's sessions, the newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSessions {}

/// Ends one of the caller's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndSession {
    /// The id of the session.
    pub id: SessionId,
}

/// Ends all of the caller's other sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndOtherSessions {}

/// Ends the caller's session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOut {}

/// Reports which sessions were used. A gateway sends it every few minutes, not for each request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkSessionsSeen {
    /// The ids of the sessions.
    pub ids: Vec<SessionId>,
    /// When they were used, within five minutes.
    pub at: Millis,
}

/// A session was ended early. Directory also writes it into the bucket [`crate::stream::REVOCATIONS`], under the
/// key `session.<id>`, until its last token has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionEnded {
    /// The id of the session.
    pub session_id: SessionId,
    /// When its last token expires.
    pub until: Millis,
}

impl SessionEnded {
    /// The pattern of the keys of all ended sessions in the bucket.
    pub const KEYS: &'static str = "session.*";

    /// The key of the entry in the bucket.
    pub fn entry_key(session: SessionId) -> String {
        format!("session.{session}")
    }

    /// The session that an entry of the bucket belongs to, or none for other entries.
    pub fn of_entry(key: &str) -> Option<SessionId> {
        key.strip_prefix("session.")?.parse().ok()
    }
}

impl Event for SessionEnded {
    const SERVICE: Service = Service::Directory;
    const NOUN: &'static str = "session";
    const VERB: &'static str = "ended";
    const AWAITED: &'static [Service] = &[Service::Directory];

    fn aggregate(&self) -> String {
        self.session_id.to_string()
    }
}

requests! {
    // A repetition within a short time gets the same answer.
    Directory: RefreshSession => LoggedIn, "sessions.refresh", idempotent;
    Directory: ListSessions => Vec<Session>, "sessions.list", idempotent;
    Directory: EndSession => (), "sessions.end";
    Directory: EndOtherSessions => (), "sessions.end_others";
    Directory: LogOut => (), "sessions.log_out", idempotent;
    Directory: MarkSessionsSeen => (), "sessions.mark_seen", idempotent;
}
