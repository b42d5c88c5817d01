//! The races archive-windows and move-windows: windows are posted while their project is archived,
//! or their task is moved. Each window is judged by the state in the time that it covers, and no
//! accepted window is lost or recorded twice.

use anyhow::Result;
use contracts::{Millis, ProjectId, TaskId};
use futures::future::join_all;
use rand::{RngExt, rngs::StdRng};
use reqwest::Method;
use serde_json::json;
use tokio::time::{Duration, sleep};

use super::{
    answer::Answer,
    edges::{Edges, Quiet},
    race::Race,
    sent::{Fate, Sent, body, fates, judge, new_id},
    start_barrier::StartBarrier,
    testbed::{As, Person, Testbed, project_path, task_path},
    verdict::Verdict,
};

/// The race in which a project is archived (`ARCHIVES`), or a task is moved to another project.
pub(super) struct Windows<const ARCHIVES: bool>;

pub(super) struct Setup {
    person: Person,
    from: ProjectId,
    to: ProjectId,
    task: TaskId,
    is_set: bool,
}

#[derive(Debug)]
pub(super) struct Outcome {
    change: Answer,
    /// The project that is archived, or that the task leaves.
    from: ProjectId,
    windows: Vec<Sent>,
    before: Edges,
    after: Quiet,
}

/// The numbers of windows that are posted during and after the change.
const UNDER_WAY: usize = 5;
const SINCE: usize = 1;
/// The longest delay between two windows, in milliseconds.
const LATER: u64 = 6;

impl<const ARCHIVES: bool> Race for Windows<ARCHIVES> {
    const NAME: &'static str = if ARCHIVES { "archive-windows" } else { "move-windows" };
    const SIDES: [&'static str; 2] = [if ARCHIVES { "archive" } else { "move" }, "windows"];
    type Setup = Setup;
    type Outcome = Outcome;

    async fn setup(testbed: &Testbed) -> Result<Setup> {
        let person = testbed.person().await?;
        let (from, to) = (testbed.project(&[person.id]).await?, testbed.project(&[person.id]).await?);
        let task = testbed.task(from, &[person.id]).await?;
        Ok(Setup { person, from, to, task, is_set: true })
    }

    async fn round(testbed: &Testbed, setup: &mut Setup, barrier: &StartBarrier, rng: &mut StdRng) -> Result<Outcome> {
        let (from, to, task, employee) = (setup.from, setup.to, setup.task, setup.person.id);
        let (path, back, there) = match ARCHIVES {
            true => (project_path(from), json!({ "archived": false }), json!({ "archived": true })),
            false => (task_path(task), json!({ "projectId": from }), json!({ "projectId": to })),
        };
        if !std::mem::take(&mut setup.is_set) {
            testbed.set(Method::PUT, &path, &back).await?;
        }
        let before = Edges::quiet(testbed, employee, task, &[from, to]).await?.edges;
        // When the task is moved, some windows are for its new project.
        let plans: Vec<_> = (0..UNDER_WAY + SINCE)
            .map(|n| {
                let project = if !ARCHIVES && rng.random_range(0..3) == 0 { to } else { from };
                let (ago, length) = (rng.random_range(0..30), rng.random_range(1..30));
                (new_id(rng), n, project, ago, length, Duration::from_millis(rng.random_range(0..=LATER)))
            })
            .collect();
        let person = &setup.person;
        let send = async |(id, side, project, ago, length, _): (_, usize, _, i64, i64, Duration)| {
            // The desktop app sends a window after it has ended, so its end may not be in the
            // future.
            let end = Millis(testbed.now().0 - ago);
            let start = Millis(end.0 - length);
            let window = body(id, start, end, project, task);
            let answer = testbed.ask(side, As::Employee(person), Method::POST, "/api/v1/time-entries", &window).await;
            Sent { id, project, start, end, answer, fate: Fate::default() }
        };
        let (change, mut windows) = tokio::join!(
            async {
                barrier.pass(0).await;
                testbed.ask(0, As::Admin, Method::PUT, &path, &there).await
            },
            async {
                barrier.pass(1).await;
                let later = plans[..UNDER_WAY].iter().scan(Duration::ZERO, |later, plan| {
                    *later += plan.5;
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
        for plan in &plans[UNDER_WAY..] {
            windows.push(send(*plan).await);
        }
        let queued = windows.iter().filter(|window| window.answer.status == 202).map(|window| window.id);
        let (ids, queued): (Vec<_>, Vec<_>) = (windows.iter().map(|window| window.id).collect(), queued.collect());
        for (window, fate) in windows.iter_mut().zip(fates(testbed, &ids, &queued).await?) {
            window.fate = fate;
        }
        let after = Edges::quiet(testbed, employee, task, &[from, to]).await?;
        Ok(Outcome { change, from, windows, before, after })
    }

    fn judge(outcome: &Outcome) -> Verdict {
        let Outcome { change, from, windows, before, after } = outcome;
        let mut faults = after.faults.clone();
        faults.extend(change.unpromised("who changed it", &[]));
        for window in windows {
            faults.extend(judge(window, change, before, &after.edges));
        }
        let of_former = || windows.iter().take(UNDER_WAY).filter(|window| window.project == *from);
        let ahead = of_former().filter(|window| window.answer.heard < change.heard).count();
        let first = (of_former().count() > 0).then(|| usize::from(2 * ahead >= of_former().count()));
        let mut notes = Vec::new();
        for window in windows {
            notes.push(match (window.fate.stored.is_some(), window.answer.status) {
                (true, 202) => "windows queued and recorded",
                (true, _) => "windows recorded",
                (false, 202) => "windows queued and held back",
                (false, _) => "windows held back",
            });
            if window.answer.is_unknown() {
                notes.push("an answer that says nothing");
            }
        }
        if change.is_unknown() {
            notes.push("an answer that says nothing");
        }
        Verdict { first, faults, notes }
    }
}

#[cfg(test)]
mod tests {
    use contracts::WindowId;
    use uuid::Uuid;

    use super::{
        super::{
            answer::tests::answered,
            edges::tests::{TASK, bound, project},
            sent::tests::stored,
        },
        *,
    };

    fn good() -> Outcome {
        let (id, before) = (WindowId(Uuid::from_u128(7)), bound());
        let fate = Fate { stored: Some(stored(id, 10, 20, TASK)), quarantined: None, waits: false };
        let (start, end) = (Millis(10), Millis(20));
        let window = Sent { id, project: project(1), start, end, answer: answered(201, ""), fate };
        let after = Quiet { edges: bound(), at_once: vec![], was_late: false, faults: vec![] };
        let mut change = answered(200, "");
        change.heard = 10;
        Outcome { change, from: project(1), windows: vec![window], before, after }
    }

    #[test]
    fn a_window_that_was_recorded_first_is_right() {
        let verdict = Windows::<true>::judge(&good());
        assert_eq!((verdict.faults, verdict.first), (vec![], Some(1)));
        assert_eq!(verdict.notes, ["windows recorded"]);
    }

    #[test]
    fn each_rule_can_be_broken() {
        let faults = |change: fn(&mut Outcome)| {
            let mut outcome = good();
            change(&mut outcome);
            Windows::<true>::judge(&outcome).faults
        };
        assert_eq!(faults(|o| o.windows[0].fate.stored = None).len(), 1, "lost");
        assert_eq!(faults(|o| o.change = answered(409, "conflict")).len(), 1);
        assert_eq!(faults(|o| o.after.faults.push("behind".into())), ["behind"]);
    }
}
