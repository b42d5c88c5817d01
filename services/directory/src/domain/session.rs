use contracts::{
    DAY, EmployeeId, HOUR, Label, Millis, SECOND, Secret, SessionEnded, SessionId, StartedSession, WantedSession,
};

use super::{Employee, RefreshToken, TokenHash};

/// How long a session with refresh tokens can last, in milliseconds. Then the employee must log in
/// again (NIST SP 800-63B, 2.1.3, requires a time limit, and recommends at most 30 days).
const LONGEST: i64 = 30 * DAY;
/// The longest time between two refreshes of a session, in milliseconds.
const IDLE: i64 = 14 * DAY;
/// How long a used refresh token is accepted again, in milliseconds: two programs may share it, or
/// the answer may have been lost. A thief would have to use a stolen token within this time.
const GRACE: i64 = 60 * SECOND;
/// How long a session is still remembered after its last token has expired, in milliseconds,
/// because the clocks of two machines may differ.
const SLACK: i64 = HOUR / 12;

/// A session of an employee, which begins with a log-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) employee: EmployeeId,
    /// The employee's epoch and generation when the last token was issued.
    pub(crate) epoch: i64,
    pub(crate) generation: i64,
    pub(crate) created_at: Millis,
    pub(crate) last_seen_at: Millis,
    pub(crate) agent: Option<Label>,
    pub(crate) address: Option<String>,
    /// When the session expires.
    pub(crate) expires_at: Millis,
    pub(crate) ended_at: Option<Millis>,
    /// The lifetime of each access token of the session, in seconds.
    pub(crate) token_seconds: i64,
    /// The refresh tokens. None for a session with a single access token.
    pub(crate) refresh: Option<Refresh>,
}

/// The hashes of a session's refresh tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refresh {
    /// The hash of the first half, which all tokens of the session share.
    pub(crate) family: TokenHash,
    /// The hash of the token that has not been used yet.
    pub(crate) current: TokenHash,
    /// The token before the current one. None before the first refresh.
    pub(crate) previous: Option<Replaced>,
}

/// A refresh token that was used and replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replaced {
    pub(crate) hash: TokenHash,
    pub(crate) at: Millis,
    /// The salt from which the next token was computed.
    pub(crate) salt: [u8; 32],
}

/// The error for a refresh token that was used before and is not accepted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reused;

impl Session {
    /// Starts a session after a log-in.
    pub(crate) fn start(
        id: SessionId,
        employee: &Employee,
        wanted: WantedSession,
        token: Option<&RefreshToken>,
        address: Option<String>,
        now: Millis,
    ) -> Self {
        let WantedSession { agent, refresh: _, token_seconds } = wanted;
        let life = if token.is_some() { IDLE } else { token_seconds * SECOND };
        Self {
            id,
            employee: employee.id,
            epoch: employee.epoch,
            generation: employee.generation,
            created_at: now,
            last_seen_at: now,
            agent,
            address,
            expires_at: now + life,
            ended_at: None,
            token_seconds,
            refresh: token.map(|token| Refresh { family: token.family(), current: token.hash(), previous: None }),
        }
    }

    /// Whether the session is still valid.
    pub(crate) fn is_open(&self, employee: &Employee, now: Millis) -> bool {
        self.ended_at.is_none()
            && now < self.expires_at
            && employee.is_active()
            && self.epoch == employee.epoch
            && !employee.account_changed().ends(self.generation, Some(self.id))
    }

    /// Uses a refresh token, and returns the next one.
    ///
    /// A used token is accepted again, with the same successor, for a minute and only until the
    /// successor is used. So neither concurrent requests nor a lost answer end the session. A used
    /// token that comes later must have been copied, and is refused.
    pub(crate) fn refresh(
        &mut self,
        shown: &RefreshToken,
        salt: [u8; 32],
        now: Millis,
    ) -> Result<RefreshToken, Reused> {
        let Some(refresh) = &mut self.refresh else { return Err(Reused) };
        let hash = shown.hash();
        if hash == refresh.current {
            let next = shown.successor(&salt);
            refresh.current = next.hash();
            refresh.previous = Some(Replaced { hash, at: now, salt });
            self.last_seen_at = now;
            self.expires_at = (self.created_at + LONGEST).min(now + IDLE);
            return Ok(next);
        }
        match &refresh.previous {
            Some(previous) if previous.hash == hash && now - previous.at <= GRACE => {
                Ok(shown.successor(&previous.salt))
            }
            _ => Err(Reused),
        }
    }

    /// Ends the session.
    pub(crate) fn end(&mut self, now: Millis) {
        self.ended_at.get_or_insert(now);
    }

    /// The event that tells gateways that the session has ended.
    pub(crate) fn ended(&self) -> SessionEnded {
        let ended_at = self.ended_at.unwrap_or(self.expires_at);
        let last_token = self.expires_at.min(ended_at + self.token_seconds * SECOND);
        SessionEnded { session_id: self.id, until: last_token + SLACK }
    }

    /// When the stored session can be deleted.
    pub(crate) fn forgotten_at(&self) -> Millis {
        self.expires_at + SLACK
    }

    /// What a gateway needs to sign the next access token of the session.
    pub(crate) fn started(&self, refresh_token: Option<Secret>) -> StartedSession {
        StartedSession { id: self.id, expires_at: self.expires_at, refresh_token }
    }

    /// The session as the API shows it. `asks` is the session in which the request is made.
    pub(crate) fn shown(&self, asks: Option<SessionId>) -> contracts::Session {
        contracts::Session {
            id: self.id,
            created_at: self.created_at,
            last_seen_at: self.last_seen_at,
            agent: self.agent.clone(),
            address: self.address.clone(),
            current: asks == Some(self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::employee::tests::ann, *};

    const NOW: Millis = Millis(1_760_000_000_000);

    fn token() -> RefreshToken {
        RefreshToken::first([1; 32], [2; 32])
    }

    fn employee() -> Employee {
        let mut ann = ann();
        ann.activate(NOW);
        ann
    }

    fn session(employee: &Employee, token: Option<&RefreshToken>) -> Session {
        let wanted = WantedSession { agent: None, refresh: token.is_some(), token_seconds: 900 };
        Session::start(kit::new_id(), employee, wanted, token, None, NOW)
    }

    #[test]
    fn a_session_is_open_until_it_is_over_or_ended() {
        let ann = employee();
        let mut session = session(&ann, None);
        assert!(session.is_open(&ann, NOW + 899_999) && !session.is_open(&ann, NOW + 900_000));
        session.end(NOW + 1);
        session.end(NOW + 2);
        assert_eq!(session.ended_at, Some(NOW + 1));
        assert!(!session.is_open(&ann, NOW + 1));
    }

    #[test]
    fn all_sessions_end_with_a_deactivation_and_all_but_the_one_that_is_spared_with_a_new_generation() {
        let mut ann = employee();
        let (spared, other) = (session(&ann, None), session(&ann, None));
        ann.end_sessions(Some(spared.id));
        assert!(spared.is_open(&ann, NOW) && !other.is_open(&ann, NOW));
        assert!(session(&ann, None).is_open(&ann, NOW));
        ann.end_sessions(None);
        assert!(!spared.is_open(&ann, NOW));
        let last = session(&ann, None);
        ann.deactivate(NOW).unwrap();
        assert!(!last.is_open(&ann, NOW));
        ann.reactivate(NOW).unwrap();
        assert!(!last.is_open(&ann, NOW));
    }

    #[test]
    fn the_end_of_a_session_is_remembered_until_its_last_token_is_over() {
        let ann = employee();
        let of_one_token = session(&ann, None);
        let mut refreshing = session(&ann, Some(&token()));
        refreshing.end(NOW + HOUR);
        assert_eq!(of_one_token.ended().until, NOW + 900_000 + SLACK);
        assert_eq!(refreshing.ended().until, NOW + HOUR + 900_000 + SLACK);
        assert!(refreshing.forgotten_at() >= refreshing.ended().until);
    }

    #[test]
    fn a_refresh_token_is_good_once_and_gives_the_same_again_only_for_a_moment() {
        let mut session = session(&employee(), Some(&token()));
        let next = session.refresh(&token(), [3; 32], NOW).unwrap();
        // A concurrent request, or a repetition after a lost answer.
        assert_eq!(session.refresh(&token(), [4; 32], NOW + GRACE), Ok(next.clone()));
        assert_eq!(session.clone().refresh(&token(), [5; 32], NOW + GRACE + 1), Err(Reused));
        // The client that used the next token has received it, so the first token now comes from
        // another client.
        let third = session.refresh(&next, [6; 32], NOW + 1).unwrap();
        assert_eq!(session.clone().refresh(&token(), [7; 32], NOW + 1), Err(Reused));
        assert_eq!(session.refresh(&next, [8; 32], NOW + 2), Ok(third));
    }

    #[test]
    fn a_session_with_one_token_has_no_refresh_tokens() {
        assert_eq!(session(&employee(), None).refresh(&token(), [3; 32], NOW), Err(Reused));
    }

    #[test]
    fn a_session_lasts_for_30_days_at_most_and_for_14_without_a_new_token() {
        let ann = employee();
        let (mut session, mut token) = (session(&ann, Some(&token())), token());
        assert_eq!(session.expires_at, NOW + IDLE);
        for (day, until) in [(10, 24), (20, 30), (29, 30)] {
            let now = NOW + day * DAY;
            assert!(session.is_open(&ann, now));
            token = session.refresh(&token, [3; 32], now).unwrap();
            assert_eq!(session.expires_at, NOW + until * DAY);
        }
    }

    proptest! {
        /// The current token gives a new token. The token before it gives the current token again,
        /// for a minute. All older tokens are refused.
        #[test]
        fn only_the_last_two_tokens_are_ever_taken(
            steps in prop::collection::vec((0_usize..6, 0_i64..2 * GRACE), 1..40),
        ) {
            let mut session = session(&employee(), Some(&token()));
            let (mut given, mut now, mut used_at) = (vec![token()], NOW, NOW);
            for (salt, (back, later)) in steps.into_iter().enumerate() {
                now = now + later;
                let Some(shown) = given.len().checked_sub(1 + back).map(|at| given[at].clone()) else { continue };
                match (back, session.clone().refresh(&shown, [salt as u8; 32], now)) {
                    (0, Ok(next)) => {
                        session.refresh(&shown, [salt as u8; 32], now).unwrap();
                        prop_assert!(!given.contains(&next));
                        given.push(next);
                        used_at = now;
                    }
                    (1, Ok(next)) => prop_assert!(given.last() == Some(&next) && now - used_at <= GRACE),
                    (1, Err(Reused)) => prop_assert!(now - used_at > GRACE),
                    (0, Err(Reused)) => prop_assert!(false, "the present token is always good"),
                    (_, outcome) => prop_assert!(outcome.is_err()),
                }
            }
        }
    }
}
