//! Sessions: each log-in is one, until it ends.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Event, Label, LoggedIn, Millis, Secret, Service, SessionId, message::requests};

/// The session that a log-in begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WantedSession {
    /// The program that logs in, as it names itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Label>,
    /// Whether it wants a refresh token.
    pub refresh: bool,
    /// For how many seconds each token of the session is good.
    pub token_seconds: i64,
}

/// The session of a token that is about to be signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartedSession {
    /// Which.
    pub id: SessionId,
    /// When it is over by itself; no token is good for longer.
    pub expires_at: Millis,
    /// What the next token is to be had for; the one before is used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
}

/// Asks for the next token of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshSession {
    /// The session's present refresh token.
    pub refresh_token: Secret,
    /// For how many seconds the token will be good.
    pub token_seconds: i64,
}

/// A session, as the API shows one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id; tokens name it as `sid`.
    pub id: SessionId,
    /// When somebody logged in.
    pub created_at: Millis,
    /// When it was last used, to five minutes.
    pub last_seen_at: Millis,
    /// The program that logged in, as it names itself.
    #[schema(value_type = Option<String>, example = "T3/1.4 (Windows NT 10.0)")]
    pub agent: Option<Label>,
    /// The address from which somebody logged in.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// Whether it is the session of whoever asks.
    pub current: bool,
}

/// Asks for the sessions of whoever asks, the newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSessions {}

/// Ends one session of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndSession {
    /// Which.
    pub id: SessionId,
}

/// Ends all sessions of whoever asks but the one that asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndOtherSessions {}

/// Ends the session that asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOut {}

/// Says which sessions were used lately: a gateway says so every few minutes, not at each request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkSessionsSeen {
    /// Which.
    pub ids: Vec<SessionId>,
    /// When, to five minutes.
    pub at: Millis,
}

/// A session was ended before its time. Directory also keeps it in the bucket
/// [`crate::stream::REVOCATIONS`], under the key `session.<id>`, until no token of it could be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionEnded {
    /// Which.
    pub session_id: SessionId,
    /// When the last of its tokens is over by itself.
    pub until: Millis,
}

impl SessionEnded {
    /// The keys of all ended sessions in the bucket.
    pub const KEYS: &'static str = "session.*";

    /// The key of the entry in the bucket.
    pub fn entry_key(session: SessionId) -> String {
        format!("session.{session}")
    }

    /// The session of an entry in the bucket, if it is one's.
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
    // The same again within a moment gives the same again.
    Directory: RefreshSession => LoggedIn, "sessions.refresh", idempotent;
    Directory: ListSessions => Vec<Session>, "sessions.list", idempotent;
    Directory: EndSession => (), "sessions.end";
    Directory: EndOtherSessions => (), "sessions.end_others";
    Directory: LogOut => (), "sessions.log_out", idempotent;
    Directory: MarkSessionsSeen => (), "sessions.mark_seen", idempotent;
}
