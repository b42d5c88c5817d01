use contracts::{HOUR, Millis};

/// The most mails with a link that may go to one address within an hour.
const MOST: usize = 3;

/// The times of the mails with a link that went to one address within the last hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MailBound(pub(crate) Vec<Millis>);

impl MailBound {
    /// Counts a mail if it may be sent, and returns whether it may be sent. A refused mail does not
    /// count.
    pub(crate) fn take(&mut self, now: Millis) -> bool {
        self.0.retain(|at| now < *at + HOUR);
        let may = self.0.len() < MOST;
        if may {
            self.0.push(now);
        }
        may
    }

    /// When the last of these mails no longer counts.
    pub(crate) fn over_at(&self) -> Millis {
        self.0.last().map_or(Millis(0), |last| *last + HOUR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_mails_may_go_to_an_address_within_any_hour() {
        let mut bound = MailBound::default();
        let may: Vec<bool> = [0, 10, 20, 30, HOUR - 1, HOUR, HOUR + 9, HOUR + 10]
            .map(|millis| bound.take(Millis(1_000 + millis)))
            .into();
        assert_eq!(may, [true, true, true, false, false, true, false, true]);
        assert_eq!(bound.over_at(), Millis(1_000 + 2 * HOUR + 10));
    }
}
