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
    /// Whether something that is needed is away, so that the same will work when it is back.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Failure(failure) => failure.code.is_passing(),
            Self::Mongo(error) => is_away(error),
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
            _ if self.is_away() => Failure::new(Code::Unavailable, "The database is away. Try again in a moment."),
            _ if self.is_transient() => {
                Failure::new(Code::Unavailable, "Too many changes at once. Try again in a moment.")
            }
            _ => Failure::new(Code::Internal, "Something went wrong on our side. The log knows more by the trace id."),
        }
    }
}

fn is_away(error: &mongodb::error::Error) -> bool {
    // 91: shutting down, 189 and 10107: no longer primary, 11600 to 11602: interrupted by that.
    const STEPPING_DOWN: [i32; 6] = [91, 189, 10107, 11600, 11602, 13435];
    match &*error.kind {
        ErrorKind::Io(_) | ErrorKind::ServerSelection { .. } | ErrorKind::ConnectionPoolCleared { .. } => true,
        ErrorKind::Command(e) => STEPPING_DOWN.contains(&e.code),
        _ => mongo::is_not_on_majority(error) || error.contains_label("RetryableWriteError"),
    }
}
