//! The ways out: an SMTP server, or a folder where there is none.

mod folder;
mod letter;
mod smtp;

use contracts::Millis;

pub(crate) use folder::Folder;
pub(crate) use letter::Letter;
pub(crate) use smtp::{Security, Smtp};

use crate::domain::Cause;

/// Why a mail is not on its way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(crate) struct NotSent {
    /// Whether, and when, the same may work later.
    pub(crate) cause: Cause,
    /// A sentence that holds no secret: neither the link nor what a mail server said, which may
    /// quote the mail.
    pub(crate) why: String,
}

impl NotSent {
    pub(crate) fn new(cause: Cause, why: impl Into<String>) -> Self {
        Self { cause, why: why.into() }
    }
}

/// Where mails go.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// To people.
    Smtp(Smtp),
    /// To whoever tries us out: as files on this machine.
    Folder(Folder),
}

impl Outgoing {
    /// Sends a mail. Once this is done, somebody else answers for it.
    pub(crate) async fn send(&self, letter: &Letter, now: Millis) -> Result<(), NotSent> {
        match self {
            Self::Smtp(smtp) => smtp.send(letter).await,
            Self::Folder(folder) => folder.write(letter, now).await,
        }
    }
}
