//! The race email-email: one e-mail address, in two spellings, is given to two employees at once.
//! Exactly one has it afterwards.

use anyhow::Result;
use bson::doc;
use contracts::EmployeeId;
use kit::mongo::one_of;
use rand::{RngExt, rngs::StdRng};
use reqwest::Method;
use serde_json::json;

use super::{
    answer::Answer,
    race::Race,
    rows::{EmployeeRow, all},
    start_barrier::StartBarrier,
    testbed::{As, Testbed, employee_path},
    verdict::Verdict,
};

pub(super) struct EmailTwice;

pub(super) struct Setup {
    employees: [EmployeeId; 2],
}

#[derive(Debug)]
pub(super) struct Outcome {
    email: String,
    /// The employee to whom each request gives the address; `None` if the request creates a new
    /// employee.
    asked: [Option<EmployeeId>; 2],
    answers: [Answer; 2],
    /// The employees who have the address afterwards.
    having: Vec<EmployeeId>,
    /// The addresses that the two employees of the setup have afterwards.
    have: Vec<(EmployeeId, String)>,
}

impl Race for EmailTwice {
    const NAME: &'static str = "email-email";
    const SIDES: [&'static str; 2] = ["one", "the other"];
    type Setup = Setup;
    type Outcome = Outcome;

    async fn setup(testbed: &Testbed) -> Result<Setup> {
        Ok(Setup { employees: [testbed.employee().await?, testbed.employee().await?] })
    }

    async fn round(testbed: &Testbed, setup: &mut Setup, barrier: &StartBarrier, rng: &mut StdRng) -> Result<Outcome> {
        let email = testbed.address();
        let spellings = [email.clone(), email.to_uppercase()];
        let asked = setup.employees.map(|employee| (rng.random_range(0..8) > 0).then_some(employee));
        let give = async |side: usize| {
            let (method, path, body) = match asked[side] {
                Some(employee) => (Method::PUT, employee_path(employee), json!({ "email": spellings[side] })),
                None => {
                    let body = json!({ "name": "Somebody", "email": spellings[side] });
                    (Method::POST, "/api/v1/employee".to_owned(), body)
                }
            };
            barrier.pass(side).await;
            testbed.ask(side, As::Admin, method, &path, &body).await
        };
        let (first, second) = tokio::join!(give(0), give(1));
        let taken = doc! { "emailKey": &email };
        let having: Vec<EmployeeRow> = all(&testbed.directory, "employees", taken).await?;
        let these = doc! { "_id": one_of(setup.employees) };
        let have: Vec<EmployeeRow> = all(&testbed.directory, "employees", these).await?;
        Ok(Outcome {
            email,
            asked,
            answers: [first, second],
            having: having.iter().map(|row| row.id).collect(),
            have: have.into_iter().map(|row| (row.id, row.email)).collect(),
        })
    }

    fn judge(outcome: &Outcome) -> Verdict {
        let Outcome { email, asked, answers, having, have } = outcome;
        let mut faults = Vec::new();
        for answer in answers {
            faults.extend(answer.unpromised("who asked for it", &["email_taken"]));
        }
        let done = answers.iter().filter(|answer| answer.is_done()).count();
        let unknown = answers.iter().filter(|answer| answer.is_unknown()).count();
        if done > 1 || done + unknown == 0 {
            faults.push(format!("{done} were told that they have the address"));
        }
        if having.len() > 1 || (done == 1 && having.is_empty()) {
            faults.push(format!("{} have the address", having.len()));
        }
        for (side, answer) in answers.iter().enumerate() {
            let told = answer.body["id"].as_str().and_then(|id| id.parse().ok());
            if answer.is_done() && having.first().copied() != told {
                faults.push("another one has the address than was told so".into());
            }
            let has = asked[side].and_then(|id| have.iter().find(|(other, _)| *other == id));
            if answer.is_refused() && has.is_some_and(|(_, has)| has.eq_ignore_ascii_case(email)) {
                faults.push("somebody was refused the address and has it".into());
            }
        }
        let first = (done == 1).then(|| usize::from(answers[1].is_done()));
        let notes = (unknown > 0).then_some("an answer that says nothing").into_iter().collect();
        Verdict { first, faults, notes }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::{super::answer::tests::answered, *};

    const ONE: EmployeeId = EmployeeId(Uuid::from_u128(1));
    const OTHER: EmployeeId = EmployeeId(Uuid::from_u128(2));

    fn good() -> Outcome {
        let mut done = answered(200, "");
        done.body = json!({ "id": ONE });
        Outcome {
            email: "a@x.org".into(),
            asked: [Some(ONE), Some(OTHER)],
            answers: [done, answered(400, "email_taken")],
            having: vec![ONE],
            have: vec![(ONE, "a@x.org".into()), (OTHER, "b@x.org".into())],
        }
    }

    #[test]
    fn one_of_them_is_right() {
        assert_eq!(EmailTwice::judge(&good()), Verdict { first: Some(0), ..Verdict::default() });
    }

    #[test]
    fn each_rule_can_be_broken() {
        let faults = |change: fn(&mut Outcome)| {
            let mut outcome = good();
            change(&mut outcome);
            EmailTwice::judge(&outcome).faults
        };
        assert_eq!(faults(|o| o.answers[1] = o.answers[0].clone()).len(), 1, "both");
        assert_eq!(faults(|o| o.answers[0] = answered(400, "email_taken")).len(), 2, "none, and has it");
        assert_eq!(faults(|o| o.answers[1] = answered(404, "not_found")).len(), 1);
        assert_eq!(faults(|o| o.having.push(OTHER)).len(), 1);
        assert_eq!(faults(|o| o.having.clear()).len(), 2);
        assert_eq!(faults(|o| o.having = vec![OTHER]).len(), 1);
        assert_eq!(faults(|o| o.have[1].1 = "A@X.ORG".into()).len(), 1);
    }
}
