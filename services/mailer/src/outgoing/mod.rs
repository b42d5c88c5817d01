//! The two ways to deliver mails: to an SMTP server, or into a folder.

mod folder;
mod letter;
mod smtp;

use contracts::Millis;

pub(crate) use folder::Folder;
pub(crate) use letter::Letter;
pub(crate) use smtp::{Security, Smtp};

use crate::domain::Cause;

/// Why a mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(crate) struct NotSent {
    /// The cause, which decides whether and when to try again.
    pub(crate) cause: Cause,
    /// The reason as a sentence without secrets. It contains neither the link nor the server's
    /// text, which may quote the mail.
    pub(crate) why: String,
}

impl NotSent {
    pub(crate) fn new(cause: Cause, why: impl Into<String>) -> Self {
        Self { cause, why: why.into() }
    }
}

/// Where mails are delivered.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// To the recipients, by SMTP.
    Smtp(Smtp),
    /// Into files, in development.
    Folder(Folder),
}

impl Outgoing {
    /// Sends a mail. After success, the receiving server is responsible for the mail.
    pub(crate) async fn send(&self, letter: &Letter, now: Millis) -> Result<(), NotSent> {
        match self {
            Self::Smtp(smtp) => smtp.send(letter).await,
            Self::Folder(folder) => folder.write(letter, now).await,
        }
    }
}
