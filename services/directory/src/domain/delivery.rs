use contracts::{DeliveryState, InvitationDelivery, Millis};

/// How the mail of an employee's last invitation stands, as the mailer tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The mailer counts from 1; ours are 0 before its first word, and the highest after the last that counts.
    pub(crate) version: i64,
    pub(crate) shown: InvitationDelivery,
}

impl Delivery {
    /// Of a fresh invitation: the mailer has not said anything yet.
    pub(crate) fn queued(now: Millis) -> Self {
        Self::ours(0, DeliveryState::Queued, now)
    }

    /// Of an invitation that a deactivation ended, whatever the mailer still says about it.
    pub(crate) fn withdrawn(now: Millis) -> Self {
        Self::ours(i64::MAX, DeliveryState::Withdrawn, now)
    }

    fn ours(version: i64, state: DeliveryState, at: Millis) -> Self {
        Self { version, shown: InvitationDelivery { state, detail: None, at } }
    }
}
