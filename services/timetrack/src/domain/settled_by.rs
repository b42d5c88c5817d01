//! What settles time, and the refusals that name it.

use contracts::{Code, Failure, Millis, PeriodId, ProjectId};
use jiff::Timestamp;

/// What has settled a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettledBy {
    /// The lock of the organisation, up to this moment.
    Organisation { until: Millis },
    /// The lock of a project.
    Project { project: ProjectId, until: Millis },
    /// An approved period.
    Period(PeriodId),
    /// An adjustment has counted this time, even if its period was reopened since.
    Adjustment,
}

impl SettledBy {
    /// The refusal of a change in a paid period, which cannot be reopened.
    pub(crate) fn refusal_of_paid(id: PeriodId) -> Failure {
        let detail = format!(
            "This is settled: the pay period {id} is paid, and stays as it is. What is missing is recorded in time that \
             is open; what comes late is admitted as an adjustment."
        );
        Failure::new(Code::PeriodLocked, detail)
    }

    /// The refusal of a change in a period that is being approved at this moment.
    pub(crate) fn refusal_of_closing(id: PeriodId) -> Failure {
        let detail = format!("Somebody is about to approve the pay period {id}. Try again in a moment.");
        Failure::new(Code::Unavailable, detail)
    }

    /// The refusal of a change in this settled time. Of a period, it is the refusal of one that is approved and not
    /// paid.
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
