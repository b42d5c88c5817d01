//! Sessions of employees. Each log-in starts one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Event, Label, LoggedIn, Millis, Secret, Service, SessionId, message::requests};

/// The session that a log-in should start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedSession {
    /// The name of the program that logs in, as the program states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Label>,
    /// Whether to create a refresh token.
    pub refresh: bool,
    /// The lifetime of the first access token, in seconds. A session without a refresh token ends
    /// with this token.
    pub token_seconds: i64,
}

/// A session, for which the gateway signs an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartedSession {
    /// The id of the session.
    pub id: SessionId,
    /// When the session ends. No token of the session is valid longer.
    pub expires_at: Millis,
    /// The refresh token with which to request the next access token; none if the log-in did not
    /// want any. It replaces the previous refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
}

/// Requests the next access token of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshSession {
    /// The refresh token of the session, which this request replaces.
    pub refresh_token: Secret,
    /// The lifetime of the new access token, in seconds.
    pub token_seconds: i64,
}

/// A session, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The session's id, which the session's tokens contain as `sid`.
    pub id: SessionId,
    /// When the log-in started the session.
    pub created_at: Millis,
    /// When the session was last used, rounded down to five minutes.
    pub last_seen_at: Millis,
    /// The name of the program that logged in, as the program stated it.
    #[schema(value_type = Option<String>, example = "T3/1.4 (Windows NT 10.0)")]
    pub agent: Option<Label>,
    /// The network address from which the log-in came.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// Whether this session is the one of the caller.
    pub current: bool,
}

/// Requests the caller's sessions, the newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSessions {}

/// Ends one of the caller's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndSession {
    /// The id of the session.
    pub id: SessionId,
}

/// Ends all sessions of the caller except the current one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndOtherSessions {}

/// Ends the current session of the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOut {}

/// Records which sessions were used. A gateway sends this request every few minutes, not for each
/// HTTP request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkSessionsSeen {
    /// The ids of the sessions.
    pub ids: Vec<SessionId>,
    /// When the sessions were used, rounded down to five minutes.
    pub at: Millis,
}

/// Published when a session was ended before it expired. Directory also writes it to the bucket
/// [`crate::stream::REVOCATIONS`] under the key `session.<id>`. The entry stays there until the
/// last token of the session has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionEnded {
    /// The id of the session.
    pub session_id: SessionId,
    /// When the last token of the session expires.
    pub until: Millis,
}

impl SessionEnded {
    /// The pattern that matches the keys of the bucket's entries for all ended sessions.
    pub const KEYS: &'static str = "session.*";

    /// The key of the entry of a session in the bucket.
    pub fn entry_key(session: SessionId) -> String {
        format!("session.{session}")
    }

    /// The session whose entry has this key in the bucket; none if the key belongs to another kind
    /// of entry.
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
    // Idempotent, although each refresh token can be used only once: if the same token is sent
    // again within a short time, the reply is the same.
    Directory: RefreshSession => LoggedIn, "sessions.refresh", idempotent;
    Directory: ListSessions => Vec<Session>, "sessions.list", idempotent;
    Directory: EndSession => (), "sessions.end";
    Directory: EndOtherSessions => (), "sessions.end_others";
    Directory: LogOut => (), "sessions.log_out", idempotent;
    Directory: MarkSessionsSeen => (), "sessions.mark_seen", idempotent;
}
