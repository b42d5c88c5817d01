//! The race correct-correct: one window is corrected twice at once. No correction is lost or half
//! done, and reports count the last state.

use anyhow::{Context, Result};
use bson::doc;
use contracts::{Millis, ProjectId, TaskId, WindowId};
use kit::mongo::value;
use rand::{RngExt, rngs::StdRng};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    answer::Answer,
    race::Race,
    rows::{all, one},
    sent::{StoredRow, body, new_id},
    start_barrier::StartBarrier,
    testbed::{As, Person, Testbed},
    verdict::Verdict,
};

pub(super) struct CorrectTwice;

pub(super) struct Setup {
    person: Person,
    project: ProjectId,
    task: TaskId,
    /// The start of the window of the next round.
    next: Millis,
}

/// What the second request changes. The first request always changes the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Other {
    /// It changes the note.
    Note,
    /// It changes the end too.
    End,
    /// It changes the end too. Both requests have the condition that the window has not changed.
    EndIfUnchanged,
    /// It voids the window.
    Void,
}

const OTHERS: [Other; 4] = [Other::Note, Other::End, Other::EndIfUnchanged, Other::Void];
/// The length of the window, and the lengths that the two requests set, in milliseconds.
const LENGTHS: [i64; 3] = [600_000, 900_000, 1_200_000];
/// The interval between the starts of the windows of two rounds, in milliseconds.
const APART: i64 = 3_600_000;
/// The start of the first window, in milliseconds since 1970.
const FIRST: i64 = 1_420_070_400_000;
const NOTE: &str = "corrected";

#[derive(Debug)]
pub(super) struct Outcome {
    other: Other,
    answers: [Answer; 2],
    /// The window at each revision.
    states: Vec<State>,
    /// The time that a report counts after both answers, in milliseconds; `None` if the report
    /// failed.
    counted: Option<i64>,
}

/// The content of a window at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    revision: i64,
    length: i64,
    has_note: bool,
    voided: bool,
}

impl From<&StoredRow> for State {
    fn from(row: &StoredRow) -> Self {
        let window = &row.window;
        let has_note = serde_json::to_value(window).is_ok_and(|window| window["note"] == NOTE);
        Self { revision: row.revision, length: window.end.0 - window.start.0, has_note, voided: row.voided }
    }
}

#[derive(Debug, Deserialize)]
struct Former {
    was: StoredRow,
}

impl Race for CorrectTwice {
    const NAME: &'static str = "correct-correct";
    const SIDES: [&'static str; 2] = ["one", "the other"];
    type Setup = Setup;
    type Outcome = Outcome;

    async fn setup(testbed: &Testbed) -> Result<Setup> {
        let person = testbed.person().await?;
        let project = testbed.project(&[person.id]).await?;
        Ok(Setup { task: testbed.task(project, &[person.id]).await?, person, project, next: Millis(FIRST) })
    }

    async fn round(testbed: &Testbed, setup: &mut Setup, barrier: &StartBarrier, rng: &mut StdRng) -> Result<Outcome> {
        let (id, start) = (new_id(rng), setup.next);
        setup.next = start + APART;
        let window = body(id, start, start + LENGTHS[0], setup.project, setup.task);
        let as_sender = As::Employee(&setup.person);
        testbed.settled(as_sender, Method::POST, "/api/v1/time-entries", &window).await?;
        let path = format!("/api/v1/time-entries/{id}");
        let tag = testbed.settled(As::Admin, Method::GET, &path, &Value::Null).await?.tag;
        let other = OTHERS[rng.random_range(0..OTHERS.len())];
        let condition = if other == Other::EndIfUnchanged { tag.as_str() } else { "*" };
        let ends = |length| json!({ "end": start + length });
        let (method, changes) = match other {
            Other::Note => (Method::PATCH, json!({ "note": NOTE })),
            Other::End | Other::EndIfUnchanged => (Method::PATCH, ends(LENGTHS[2])),
            Other::Void => (Method::DELETE, Value::Null),
        };
        let (one_answer, other_answer) = tokio::join!(
            async {
                barrier.pass(0).await;
                testbed.ask_if(0, Method::PATCH, &path, &ends(LENGTHS[1]), condition).await
            },
            async {
                barrier.pass(1).await;
                testbed.ask_if(1, method, &path, &changes, condition).await
            },
        );
        let employee = setup.person.id;
        let question =
            format!("/api/v1/analytics/project-time?start={start}&end={}&employeeId={employee}", start + APART);
        let counted = testbed.ask(rng.random_range(0..2), As::Admin, Method::GET, &question, &Value::Null).await;
        let times = counted.body.as_array().filter(|_| counted.is_done());
        let counted = times.map(|times| times.iter().filter_map(|time| time["time"].as_i64()).sum());
        Ok(Outcome { other, answers: [one_answer, other_answer], states: states(testbed, id).await?, counted })
    }

    fn judge(outcome: &Outcome) -> Verdict {
        let Outcome { other, answers: [one, two], states, counted } = outcome;
        let mut faults = Vec::new();
        let conditional = *other == Other::EndIfUnchanged;
        let reasons: &[&str] = match other {
            Other::EndIfUnchanged => &["precondition_failed"],
            Other::Void => &["voided"],
            Other::Note | Other::End => &[],
        };
        faults.extend(one.unpromised("one", reasons));
        faults.extend(two.unpromised("the other", if conditional { reasons } else { &[] }));
        let done = [one, two].into_iter().filter(|answer| answer.is_done()).count();
        let unknown = [one, two].into_iter().filter(|answer| answer.is_unknown()).count();
        if conditional && (done > 1 || done + unknown == 0) {
            faults.push(format!("{done} were told that they changed what both had seen"));
        }
        if states.iter().zip(1..).any(|(state, revision)| state.revision != revision) {
            faults.push("revisions are missing or doubled".into());
        }
        let changes = states.len().saturating_sub(1);
        if changes < done || changes > done + unknown {
            faults.push(format!("{done} were told that they changed it, and it has changed {changes} times"));
        }
        let steps: Vec<_> = states.windows(2).map(|pair| step(&pair[0], &pair[1])).collect();
        let wanted = match other {
            Other::Note => Step::Note,
            Other::End | Other::EndIfUnchanged => Step::End(LENGTHS[2]),
            Other::Void => Step::Void,
        };
        for (answer, wanted) in [(one, Step::End(LENGTHS[1])), (two, wanted)] {
            let times = steps.iter().filter(|step| **step == wanted).count();
            let is_right = match (answer.is_done(), answer.is_refused()) {
                (true, _) => times == 1,
                (_, true) => times == 0,
                _ => times <= 1,
            };
            if !is_right {
                faults.push(format!("{wanted:?} was answered {} and is done {times} times", answer.status));
            }
        }
        if let (Some(last), Some(counted)) = (states.last(), counted) {
            let expected = if last.voided { 0 } else { last.length };
            if *counted != expected && unknown == 0 {
                faults.push(format!("analytics count {counted} ms, and it is {expected} ms"));
            }
        }
        let first = steps.first().map(|step| usize::from(*step != Step::End(LENGTHS[1])));
        let mut notes = Vec::new();
        if unknown > 0 {
            notes.push("an answer that says nothing");
        }
        if counted.is_none() {
            notes.push("analytics did not say");
        }
        Verdict { first, faults, notes }
    }
}

/// The difference between two consecutive revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    End(i64),
    Note,
    Void,
    /// No difference, or any other, for example the changes of both requests in one revision.
    Strange,
}

fn step(was: &State, is: &State) -> Step {
    let changed = [was.length != is.length, was.has_note != is.has_note, was.voided != is.voided];
    match changed {
        [true, false, false] => Step::End(is.length),
        [false, true, false] if is.has_note => Step::Note,
        [false, false, true] if is.voided => Step::Void,
        _ => Step::Strange,
    }
}

async fn states(testbed: &Testbed, id: WindowId) -> Result<Vec<State>> {
    // A change without an answer may still be committed between these reads. So they are repeated until
    // the window has the same revision before and after its history is read.
    let window = async || one::<StoredRow>(&testbed.timetrack, "windows", value(&id)).await;
    let revision = |row: &Option<StoredRow>| row.as_ref().map(|row| row.revision);
    let (former, last) = loop {
        let earlier = window().await?;
        let former: Vec<Former> = all(&testbed.timetrack, "window_history", doc! { "was._id": value(&id) }).await?;
        let last = window().await?;
        if revision(&earlier) == revision(&last) {
            break (former, last);
        }
    };
    let mut states: Vec<State> = former.iter().map(|former| (&former.was).into()).collect();
    states.push((&last.context("no such window")?).into());
    states.sort_by_key(|state| state.revision);
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::{super::answer::tests::answered, *};

    fn state(revision: i64, length: usize, has_note: bool, voided: bool) -> State {
        State { revision, length: LENGTHS[length], has_note, voided }
    }

    /// Returns the outcome in which the end is changed first, and then the note.
    fn good() -> Outcome {
        Outcome {
            other: Other::Note,
            answers: [answered(200, ""), answered(200, "")],
            states: vec![state(1, 0, false, false), state(2, 1, false, false), state(3, 1, true, false)],
            counted: Some(LENGTHS[1]),
        }
    }

    #[test]
    fn either_order_is_right_and_a_condition_holds_for_one() {
        assert_eq!(CorrectTwice::judge(&good()), Verdict { first: Some(0), ..Verdict::default() });
        let mut other = good();
        other.states[1] = state(2, 0, true, false);
        assert_eq!(CorrectTwice::judge(&other), Verdict { first: Some(1), ..Verdict::default() });
        let mut conditional = good();
        conditional.other = Other::EndIfUnchanged;
        conditional.answers[0] = answered(412, "precondition_failed");
        conditional.states = vec![state(1, 0, false, false), state(2, 2, false, false)];
        conditional.counted = Some(LENGTHS[2]);
        assert_eq!(CorrectTwice::judge(&conditional), Verdict { first: Some(1), ..Verdict::default() });
        let mut void = good();
        void.other = Other::Void;
        void.answers[0] = answered(409, "voided");
        void.states = vec![state(1, 0, false, false), state(2, 0, false, true)];
        void.counted = Some(0);
        assert_eq!(CorrectTwice::judge(&void), Verdict { first: Some(1), ..Verdict::default() });
    }

    #[test]
    fn each_rule_can_be_broken() {
        let faults = |change: fn(&mut Outcome)| {
            let mut outcome = good();
            change(&mut outcome);
            CorrectTwice::judge(&outcome).faults
        };
        assert!(!faults(|o| o.states[2] = state(3, 0, true, false)).is_empty(), "a lost update");
        assert!(!faults(|o| o.states.truncate(2)).is_empty(), "answered and not done");
        assert!(!faults(|o| o.states[1].revision = 1).is_empty(), "one revision twice");
        assert!(!faults(|o| o.states.push(state(4, 2, true, false))).is_empty(), "changed by nobody");
        assert_eq!(faults(|o| o.counted = Some(LENGTHS[0])).len(), 1, "analytics are behind");
        assert_eq!(faults(|o| o.answers[0] = answered(400, "unknown_task")).len(), 3);
        assert!(!faults(|o| o.other = Other::EndIfUnchanged).is_empty(), "both on the same condition");
    }
}
