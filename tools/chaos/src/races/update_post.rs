//! The race update-post: windows are posted during a bulk update. The update changes every window
//! that was answered 201 before the update was requested, and none that was posted after its
//! answer.

use anyhow::Result;
use contracts::{Millis, ProjectId, TaskId};
use futures::future::join_all;
use rand::{RngExt, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use super::{
    answer::Answer,
    race::Race,
    sent::{Fate, Sent, body, fates, new_id},
    start_barrier::StartBarrier,
    testbed::{As, Person, Testbed},
    verdict::Verdict,
};

pub(super) struct UpdatePost;

pub(super) struct Setup {
    person: Person,
    project: ProjectId,
    task: TaskId,
    /// The start of the first window of the next round.
    next: Millis,
}

#[derive(Debug)]
pub(super) struct Outcome {
    update: Answer,
    windows: Vec<Sent>,
    /// The income of the round in a report, in cents; `None` if the report failed.
    income: Option<i64>,
}

/// The numbers of windows that are posted before, during and after the update.
const BEFORE: usize = 2;
const WITH: usize = 5;
const AFTER: usize = 1;
/// The length of a window in milliseconds. It is a hundredth of an hour, so that the income of a
/// window is whole cents. Windows do not overlap.
const LENGTH: i64 = 36_000;
/// The range of time of a round, in milliseconds.
const ROUND: i64 = 600_000;
/// The start of the first round, in milliseconds since 1970.
const FIRST: i64 = 1_450_000_000_000;
/// The longest delay between two windows that are posted during the update, in milliseconds.
const LATER: u64 = 8;
/// The bill rate per hour before and after the update.
const RATES: [i64; 2] = [50, 70];
const NOTE: &str = "updated";

impl Race for UpdatePost {
    const NAME: &'static str = "update-post";
    const SIDES: [&'static str; 2] = ["update", "posts"];
    type Setup = Setup;
    type Outcome = Outcome;

    async fn setup(testbed: &Testbed) -> Result<Setup> {
        let person = testbed.person().await?;
        let project = testbed.project(&[person.id]).await?;
        Ok(Setup { task: testbed.task(project, &[person.id]).await?, person, project, next: Millis(FIRST) })
    }

    async fn round(testbed: &Testbed, setup: &mut Setup, barrier: &StartBarrier, rng: &mut StdRng) -> Result<Outcome> {
        let begin = setup.next;
        setup.next = begin + ROUND;
        let (project, task, person) = (setup.project, setup.task, &setup.person);
        // The update reads windows in the order of ids. The ids are random, so that a window that
        // is posted during the update may come before or after the last one that it has read.
        let plans: Vec<_> = (0..BEFORE + WITH + AFTER)
            .map(|n| (new_id(rng), n, Duration::from_millis(rng.random_range(0..=LATER))))
            .collect();
        let send = async |(id, n, _): (_, usize, Duration)| {
            let start = begin + n as i64 * LENGTH;
            let window = body(id, start, start + LENGTH, project, task);
            let answer = testbed.ask(n, As::Employee(person), Method::POST, "/api/v1/time-entries", &window).await;
            Sent { id, project, start, end: start + LENGTH, answer, fate: Fate::default() }
        };
        let mut windows = join_all(plans[..BEFORE].iter().map(|plan| send(*plan))).await;
        let end = begin + ROUND;
        let range = format!("start={begin}&end={end}&employeeId={}", person.id);
        let path = format!("/api/v1/time-entries/update?{range}");
        let changes = json!({ "note": NOTE, "billRate": RATES[1] });
        let (update, with) = tokio::join!(
            async {
                barrier.pass(0).await;
                testbed.ask(0, As::Admin, Method::PUT, &path, &changes).await
            },
            async {
                barrier.pass(1).await;
                let later = plans[BEFORE..BEFORE + WITH].iter().scan(Duration::ZERO, |later, plan| {
                    *later += plan.2;
                    Some((*later, *plan))
                });
                join_all(later.map(|(later, plan)| {
                    let send = &send;
                    async move {
                        sleep(later).await;
                        send(plan).await
                    }
                }))
                .await
            },
        );
        windows.extend(with);
        windows.extend(join_all(plans[BEFORE + WITH..].iter().map(|plan| send(*plan))).await);
        let queued: Vec<_> = windows.iter().filter(|w| w.answer.status == 202).map(|w| w.id).collect();
        let ids: Vec<_> = windows.iter().map(|window| window.id).collect();
        for (window, fate) in windows.iter_mut().zip(fates(testbed, &ids, &queued).await?) {
            window.fate = fate;
        }
        let question = format!("/api/v1/analytics/project-time?{range}");
        let said = testbed.ask(rng.random_range(0..2), As::Admin, Method::GET, &question, &Value::Null).await;
        let projects = said.body.as_array().filter(|_| said.is_done());
        let cents = |project: &Value| project["income"].as_f64().map(|income| (income * 100.0).round() as i64);
        let income = projects.map(|projects| projects.iter().filter_map(cents).sum());
        Ok(Outcome { update, windows, income })
    }

    fn judge(outcome: &Outcome) -> Verdict {
        let Outcome { update, windows, income } = outcome;
        let mut faults = Vec::new();
        faults.extend(update.unpromised("who updated", &[]));
        let (mut changed, mut earned, mut ahead, mut under_way) = (0, 0, 0, 0);
        for Sent { id, answer, fate, .. } in windows {
            faults.extend(answer.unpromised(&format!("window {id}"), &[]));
            let Some(row) = &fate.stored else {
                if !answer.is_unknown() {
                    faults.push(format!("window {id} was answered {} and is not recorded", answer.status));
                }
                continue;
            };
            let is_changed = serde_json::to_value(&row.window).is_ok_and(|window| window["note"] == NOTE);
            earned += RATES[usize::from(is_changed)];
            changed += usize::from(is_changed);
            if row.revision != 1 + i64::from(is_changed) {
                faults.push(format!("window {id} is at revision {}", row.revision));
            }
            let was_before = matches!(answer.status, 200 | 201) && answer.heard < update.sent;
            if was_before && !is_changed && update.is_done() {
                faults.push(format!("window {id} was answered before the update was asked for, and it missed it"));
            }
            let is_since = answer.sent > update.heard;
            if is_since && is_changed && update.is_done() {
                faults.push(format!("window {id} was sent once the update was answered, and it changed it"));
            }
            if !was_before && !is_since {
                under_way += 1;
                ahead += usize::from(is_changed);
            }
        }
        if let Some(told) = update.body["modified_count"].as_u64()
            && told != changed as u64
        {
            faults.push(format!("{told} windows were said to be changed, and {changed} are"));
        }
        if let Some(income) = income
            && *income != earned
            && update.is_done()
            && !windows.iter().any(|window| window.answer.is_unknown())
        {
            faults.push(format!("analytics say {income} cents, and it is {earned} cents"));
        }
        let first = (under_way > 0).then(|| usize::from(2 * ahead >= under_way));
        let mut notes = vec!["windows changed"; changed];
        notes.extend(vec!["windows left as they were"; windows.len() - changed]);
        if update.is_unknown() {
            notes.push("an answer that says nothing");
        }
        if windows.iter().any(|window| window.answer.status == 202) {
            notes.push("rounds with a window that was queued");
        }
        if income.is_none() {
            notes.push("analytics did not say");
        }
        Verdict { first, faults, notes }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{Note, WindowId};
    use uuid::Uuid;

    use super::{
        super::{
            answer::tests::answered,
            edges::tests::{TASK, project},
            sent::tests::stored,
        },
        *,
    };

    /// Returns the outcome with one window before the update, two during it, of which the update
    /// has changed one, and one after it.
    fn good() -> Outcome {
        let window = |n: u128, (sent, heard), is_changed: bool| {
            let id = WindowId(Uuid::from_u128(n));
            let mut row = stored(id, 10, 20, TASK);
            if is_changed {
                row.revision = 2;
                row.window.note = Some(serde_json::from_value::<Note>(NOTE.into()).unwrap());
            }
            let mut answer = answered(201, "");
            (answer.sent, answer.heard) = (sent, heard);
            let fate = Fate { stored: Some(row), quarantined: None, waits: false };
            Sent { id, project: project(1), start: Millis(10), end: Millis(20), answer, fate }
        };
        let mut update = answered(200, "");
        (update.sent, update.heard) = (10, 20);
        update.body = json!({ "modified_count": 2 });
        let windows = vec![
            window(1, (1, 9), true),
            window(2, (8, 15), true),
            window(3, (8, 15), false),
            window(4, (21, 22), false),
        ];
        Outcome { update, windows, income: Some(240) }
    }

    #[test]
    fn what_came_before_is_changed_and_what_comes_after_is_not() {
        let verdict = UpdatePost::judge(&good());
        assert_eq!((verdict.faults, verdict.first), (vec![], Some(1)));
    }

    #[test]
    fn each_rule_can_be_broken() {
        let faults = |change: fn(&mut Outcome)| {
            let mut outcome = good();
            change(&mut outcome);
            UpdatePost::judge(&outcome).faults
        };
        let missed = faults(|o| {
            let row = o.windows[0].fate.stored.as_mut().unwrap();
            (row.revision, row.window.note) = (1, None);
            (o.update.body, o.income) = (Value::Null, None);
        });
        assert_eq!(missed.len(), 1, "{missed:?}");
        assert_eq!(faults(|o| o.windows[3].fate = o.windows[0].fate.clone()).len(), 3, "changed too late");
        assert_eq!(faults(|o| o.windows[1].fate.stored.as_mut().unwrap().revision = 3).len(), 1, "changed twice");
        assert_eq!(faults(|o| o.update.body = json!({ "modified_count": 3 })).len(), 1);
        assert_eq!(faults(|o| o.income = Some(239)).len(), 1);
        assert_eq!(faults(|o| o.update = answered(500, "internal")).len(), 1);
        assert_eq!(faults(|o| o.windows[3].answer = answered(400, "not_on_task")).len(), 1);
        assert!(!faults(|o| o.windows[3].fate.stored = None).is_empty(), "lost");
    }
}
