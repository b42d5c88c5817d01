use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of a requested correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CorrectionStatus {
    /// Nobody has decided about the correction yet.
    Asked,
    /// Somebody accepted the correction, and it was made.
    Accepted,
    /// Somebody refused the correction.
    Refused,
}

impl CorrectionStatus {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Asked, Self::Accepted, Self::Refused];

    /// The name of the state in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        }
    }
}

/// The error for a text that is not the name of a [`CorrectionStatus`]. The error does not contain
/// the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be asked, accepted or refused")]
pub struct UnknownCorrectionStatus;

impl std::str::FromStr for CorrectionStatus {
    type Err = UnknownCorrectionStatus;

    fn from_str(word: &str) -> Result<Self, UnknownCorrectionStatus> {
        Self::ALL.into_iter().find(|status| status.name() == word).ok_or(UnknownCorrectionStatus)
    }
}
