use contracts::{DeliveryState, InvitationDelivery, Millis};

/// The delivery state of an employee's last invitation, as the mailer has reported it or as this
/// service has set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The number of the mailer's report, from 1. A state that this service sets has 0, or the
    /// highest number so that no report can replace it.
    pub(crate) version: i64,
    pub(crate) shown: InvitationDelivery,
}

impl Delivery {
    /// The state of a new invitation, before the first report of the mailer.
    pub(crate) fn queued(now: Millis) -> Self {
        Self::ours(0, DeliveryState::Queued, now)
    }

    /// The state after a deactivation, which no report of the mailer may replace.
    pub(crate) fn withdrawn(now: Millis) -> Self {
        Self::ours(i64::MAX, DeliveryState::Withdrawn, now)
    }

    fn ours(version: i64, state: DeliveryState, at: Millis) -> Self {
        Self { version, shown: InvitationDelivery { state, detail: None, at } }
    }
}
