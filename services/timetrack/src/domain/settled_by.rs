//! What has settled time, and the error for a refused change.

use contracts::{Code, Failure, Millis, PeriodId, ProjectId};
use jiff::Timestamp;

/// The lock, period or adjustment that has settled a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettledBy {
    /// The lock of the organisation: everything before this moment is settled.
    Organisation { until: Millis },
    /// The lock of a project: everything before this moment on this project is settled.
    Project { project: ProjectId, until: Millis },
    /// A period that is approved or closing.
    Period(PeriodId),
    /// An adjustment that counts this time, or for which the time is reserved. The time stays
    /// settled even if the period around it is reopened.
    Adjustment,
}

impl SettledBy {
    /// The error for a change in a paid period, which cannot be reopened.
    pub(crate) fn refusal_of_paid(id: PeriodId) -> Failure {
        let detail = format!(
            "This is settled: the pay period {id} is paid, and stays as it is. What is missing is recorded in time that \
             is open; what comes late is admitted as an adjustment."
        );
        Failure::new(Code::PeriodLocked, detail)
    }

    /// The error for a change in a period that somebody is approving at this moment.
    pub(crate) fn refusal_of_closing(id: PeriodId) -> Failure {
        let detail = format!("Somebody is about to approve the pay period {id}. Try again in a moment.");
        Failure::new(Code::Unavailable, detail)
    }

    /// The error for a change in this settled time. For a period, it says that the period is
    /// approved: use [`Self::refusal_of_paid`] for a paid period and [`Self::refusal_of_closing`]
    /// for a closing one.
    pub(crate) fn refusal(self) -> Failure {
        let moment =
            |at: Millis| Timestamp::from_millisecond(at.0).map_or_else(|_| at.to_string(), |at| at.to_string());
        let by = match self {
            Self::Organisation { until } => format!("everything before {} is locked", moment(until)),
            Self::Project { project, until } => {
                format!("everything on the project {project} before {} is locked", moment(until))
            }
            Self::Period(id) => format!("the pay period {id} is approved"),
            Self::Adjustment => {
                let detail = "This is settled: hours of this time came late, and count as an adjustment already. What \
                              else comes late can be admitted as another one.";
                return Failure::new(Code::PeriodLocked, detail);
            }
        };
        Failure::new(Code::PeriodLocked, format!("This is settled: {by}. An admin can open it again."))
    }
}
