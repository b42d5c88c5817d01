use std::time::Duration;

use contracts::{Code, Failure};
use mongodb::error::{ErrorKind, TRANSIENT_TRANSACTION_ERROR};

use crate::mongo;

/// Why a handler did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the caller is told.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// MongoDB did not do its part.
    #[error("MongoDB failed")]
    Mongo(#[from] mongodb::error::Error),
    /// NATS did not do its part.
    #[error("NATS failed")]
    Nats(#[source] async_nats::Error),
    /// Something outside of the system is away: an event handler wants its event again after so
    /// long, however often that is.
    #[error("to be tried again in {after:?}")]
    Later {
        /// After how long.
        after: Duration,
        /// What is away.
        source: anyhow::Error,
    },
    /// Something that should not happen.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(error.into())
    }
}

impl Error {
    /// Whether something that is needed is away or busy, so that the same will work later: then it
    /// is not the fault of what was asked.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Failure(failure) => failure.code.is_passing(),
            Self::Mongo(error) => is_away(error) || self.is_transient(),
            Self::Nats(_) | Self::Later { .. } => true,
            Self::Other(_) => false,
        }
    }

    /// Whether a transaction lost against another one and should be run again.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Mongo(error) if error.contains_label(TRANSIENT_TRANSACTION_ERROR))
    }

    /// What the caller is told: never the cause of what is our fault.
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

/// What MongoDB says while it cannot be reached in whole, as the drivers' specification of retryable
/// reads lists it: 6, 7, 89 and 9001 of the network, 91 of shutting down, 134 and 262 of time,
/// 189, 10107, 13435 and 13436 of a primary that is none, 11600 and 11602 of what that interrupted.
const PASSING: [i32; 13] = [6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436];

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
        // Host unreachable, shutting down, not primary, interrupted by that.
        for passing in [6, 91, 10107, 11602] {
            assert!(said(passing).is_away(), "{passing}");
            assert_eq!(said(passing).to_failure().code, Code::Unavailable, "{passing}");
        }
        // A value that does not fit, a document that is refused, too large a one.
        for own in [2, 121, 10334] {
            assert!(!said(own).is_away(), "{own}");
            assert_eq!(said(own).to_failure().code, Code::Internal, "{own}");
        }
    }
}
