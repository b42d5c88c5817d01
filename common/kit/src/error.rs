use std::time::Duration;

use contracts::{Code, Failure};
use mongodb::error::{ErrorKind, TRANSIENT_TRANSACTION_ERROR};

use crate::mongo;

/// Why a handler could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A refusal with a text for the caller.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// A call to MongoDB failed.
    #[error("MongoDB failed")]
    Mongo(#[from] mongodb::error::Error),
    /// A call to NATS failed.
    #[error("NATS failed")]
    Nats(#[source] async_nats::Error),
    /// Something outside the system cannot be reached. The event is redelivered after the given
    /// delay, any number of times, and is never moved to DEAD.
    #[error("to be tried again in {after:?}")]
    Later {
        /// The delay before the next delivery.
        after: Duration,
        /// What could not be reached.
        source: anyhow::Error,
    },
    /// An unexpected error: a fault of this system.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(error.into())
    }
}

impl Error {
    /// Whether the same call can succeed later, because MongoDB, NATS or another service is
    /// unreachable or busy. Then the message that caused the call is not at fault.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Failure(failure) => failure.code.is_passing(),
            Self::Mongo(error) => is_away(error) || self.is_transient(),
            Self::Nats(_) | Self::Later { .. } => true,
            Self::Other(_) => false,
        }
    }

    /// Whether MongoDB reports a transient transaction error, such as a write conflict. Then the
    /// transaction should be run again.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Mongo(error) if error.contains_label(TRANSIENT_TRANSACTION_ERROR))
    }

    /// The failure that is sent to the caller. It never reveals the cause of an internal error.
    pub fn to_failure(&self) -> Failure {
        match self {
            Self::Failure(failure) => failure.clone(),
            Self::Later { .. } => Failure::new(Code::Unavailable, "This cannot be done now. Try again in a moment."),
            Self::Mongo(error) if self.is_transient() && !is_away(error) => {
                Failure::new(Code::Unavailable, "Too many changes at once. Try again in a moment.")
            }
            _ if self.is_away() => Failure::new(Code::Unavailable, "The database is away. Try again in a moment."),
            _ => Failure::new(Code::Internal, "Something went wrong on our side. The log knows more by the trace id."),
        }
    }
}

/// MongoDB's error codes for what passes, or what an operator puts right (`error_codes.yml` of
/// MongoDB 6.0). From the drivers' specification of retryable reads, network: 6, 7, 89, 9001;
/// shutdown: 91; time limits: 134, 262; no primary: 189, 10107, 13435, 13436; interrupted by a
/// shutdown or a change of primary: 11600, 11602. Others: a cursor that the server lost when it was
/// started again: 43; a time limit: 50; a write conflict outside a transaction: 112; no member to
/// read from: 133; a member that was just started and has not read the keys that sign cluster
/// times: 211; a full disk: 14031.
const PASSING: [i32; 19] =
    [6, 7, 43, 50, 89, 91, 112, 133, 134, 189, 211, 262, 9001, 10107, 11600, 11602, 13435, 13436, 14031];

fn is_away(error: &mongodb::error::Error) -> bool {
    match &*error.kind {
        ErrorKind::Io(_)
        | ErrorKind::ServerSelection { .. }
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::Authentication { .. }
        | ErrorKind::Shutdown => true,
        ErrorKind::Command(e) => PASSING.contains(&e.code),
        _ => mongo::is_not_on_majority(error) || error.contains_label("RetryableWriteError"),
    }
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};
    use mongodb::error::CommandError;

    use super::*;

    fn said(code: i32) -> Error {
        let said: Document = doc! { "code": code, "codeName": "AName", "errmsg": "a sentence" };
        let error: CommandError = bson::deserialize_from_document(said).expect("a reply");
        Error::Mongo(ErrorKind::Command(error).into())
    }

    #[test]
    fn a_server_that_cannot_now_is_away_and_one_that_refuses_is_not() {
        // In this order: host unreachable, lost cursor, shutdown in progress, no key to sign with, not
        // primary, interrupted by a change of state, full disk.
        for passing in [6, 43, 91, 211, 10107, 11602, 14031] {
            assert!(said(passing).is_away(), "{passing}");
            assert_eq!(said(passing).to_failure().code, Code::Unavailable, "{passing}");
        }
        // In this order: bad value, document failed validation, document too large.
        for own in [2, 121, 10334] {
            assert!(!said(own).is_away(), "{own}");
            assert_eq!(said(own).to_failure().code, Code::Internal, "{own}");
        }
    }
}
