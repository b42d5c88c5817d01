//! The race activate-activate: an invitation is used twice at once, and exactly one activation
//! succeeds.

use anyhow::{Context, Result};
use bson::{Document, doc};
use contracts::EmployeeId;
use kit::mongo::value;
use rand::{RngExt, rngs::StdRng};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::{
    answer::Answer,
    race::Race,
    rows::{EmployeeRow, all, one},
    start_barrier::StartBarrier,
    testbed::{As, Testbed},
    verdict::Verdict,
};

pub(super) struct ActivateTwice;

#[derive(Debug)]
pub(super) struct Outcome {
    answers: [Answer; 2],
    before: EmployeeRow,
    after: EmployeeRow,
    /// For each invitation of the employee, whether it was used.
    used: Vec<bool>,
    credentials: usize,
    /// The answer to a log-in with the password of the request that succeeded. Only some rounds
    /// have a log-in.
    log_in: Option<Answer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invitation {
    used_at: Option<i64>,
}

const PASSWORDS: [&str; 2] = ["lantern over the quiet harbour", "seven herons and a wooden ladder"];
/// One in this many rounds has a log-in, because a log-in takes a while.
const TRIED: u32 = 4;

impl Race for ActivateTwice {
    const NAME: &'static str = "activate-activate";
    const SIDES: [&'static str; 2] = ["one", "the other"];
    type Setup = ();
    type Outcome = Outcome;

    async fn setup(_: &Testbed) -> Result<()> {
        Ok(())
    }

    async fn round(testbed: &Testbed, (): &mut (), barrier: &StartBarrier, rng: &mut StdRng) -> Result<Outcome> {
        let email = testbed.address();
        let employee: EmployeeId =
            testbed.make("/api/v1/employee", &json!({ "name": "Somebody", "email": email })).await?;
        let token = testbed.mails.invitation(&email).await?;
        let before = read(testbed, employee).await?;
        let activate = async |side: usize| {
            barrier.pass(side).await;
            let body = json!({ "token": token, "password": PASSWORDS[side] });
            testbed.ask(side, As::Nobody, Method::POST, "/api/auth/activate", &body).await
        };
        let (first, second) = tokio::join!(activate(0), activate(1));
        let answers = [first, second];
        let winner = answers.iter().position(Answer::is_done);
        let log_in = match winner.filter(|_| rng.random_range(0..TRIED) == 0) {
            Some(winner) => Some(testbed.log_in(winner, &email, PASSWORDS[winner]).await),
            None => None,
        };
        let directory = &testbed.directory;
        let of = doc! { "employee": value(&employee) };
        // An activation without an answer may still be committed between these reads. It changes the
        // version of the employee, so they are repeated until the version stays the same.
        let (invitations, credentials, after) = loop {
            let earlier = read(testbed, employee).await?;
            let invitations: Vec<Invitation> = all(directory, "invitations", of.clone()).await?;
            let credentials: Vec<Document> = all(directory, "credentials", doc! { "_id": value(&employee) }).await?;
            let after = read(testbed, employee).await?;
            if after.version == earlier.version {
                break (invitations, credentials, after);
            }
        };
        Ok(Outcome {
            answers,
            before,
            after,
            used: invitations.iter().map(|invitation| invitation.used_at.is_some()).collect(),
            credentials: credentials.len(),
            log_in,
        })
    }

    fn judge(outcome: &Outcome) -> Verdict {
        let Outcome { answers, before, after, used, credentials, log_in } = outcome;
        let mut faults = Vec::new();
        for answer in answers {
            faults.extend(answer.unpromised("who activated", &["invalid_token"]));
        }
        let done = answers.iter().filter(|answer| answer.is_done()).count();
        let unknown = answers.iter().filter(|answer| answer.is_unknown()).count();
        if done > 1 || done + unknown == 0 {
            faults.push(format!("one invitation was used, and {done} were told that they did"));
        }
        let times = usize::from(after.activated_at.is_some());
        if done == 1 && times == 0 {
            faults.push("an activation was answered and is not done".into());
        }
        if used.iter().filter(|used| **used).count() != times || *credentials != times {
            faults.push("invitation, password and employee disagree".into());
        }
        if after.version != before.version + times as i64 {
            faults.push("the employee has changed more than once".into());
        }
        if let Some(log_in) = log_in {
            faults.extend(log_in.unpromised("who activated and logs in", &["too_many_attempts"]));
        }
        let first = (done == 1).then(|| usize::from(answers[1].is_done()));
        let notes = (unknown > 0).then_some("an answer that says nothing").into_iter().collect();
        Verdict { first, faults, notes }
    }
}

async fn read(testbed: &Testbed, employee: EmployeeId) -> Result<EmployeeRow> {
    one(&testbed.directory, "employees", value(&employee)).await?.context("no such employee")
}

#[cfg(test)]
mod tests {
    use contracts::Millis;

    use super::{
        super::{answer::tests::answered, edges::tests::bound},
        *,
    };

    fn good() -> Outcome {
        let (before, mut after) = (bound().person, bound().person);
        (after.version, after.activated_at) = (before.version + 1, Some(Millis(5)));
        let answers = [answered(400, "invalid_token"), answered(200, "")];
        Outcome { answers, before, after, used: vec![true], credentials: 1, log_in: Some(answered(200, "")) }
    }

    #[test]
    fn one_of_them_is_right() {
        assert_eq!(ActivateTwice::judge(&good()), Verdict { first: Some(1), ..Verdict::default() });
    }

    #[test]
    fn each_rule_can_be_broken() {
        let faults = |change: fn(&mut Outcome)| {
            let mut outcome = good();
            change(&mut outcome);
            ActivateTwice::judge(&outcome).faults
        };
        assert_eq!(faults(|o| o.answers[0] = answered(200, "")).len(), 1, "both");
        assert_eq!(faults(|o| o.answers[1] = answered(400, "invalid_token")).len(), 1, "none");
        assert_eq!(faults(|o| o.answers[0] = answered(500, "internal")).len(), 1);
        assert_eq!(faults(|o| o.after.activated_at = None).len(), 3);
        assert_eq!(faults(|o| o.used = vec![false]).len(), 1);
        assert_eq!(faults(|o| o.credentials = 0).len(), 1);
        assert_eq!(faults(|o| o.after.version += 1).len(), 1);
        assert_eq!(faults(|o| o.log_in = Some(answered(401, "unauthorized"))).len(), 1);
    }
}
