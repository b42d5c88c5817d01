use contracts::{DeliveryState, InvitationDelivery, Millis};

/// The delivery state of an employee's last invitation, as the mailer reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The mailer counts from 1. States set here have 0 before its first report, or the highest number to outrank all.
    pub(crate) version: i64,
    pub(crate) shown: InvitationDelivery,
}

impl Delivery {
    /// The state of a new invitation, before a report of the mailer.
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
