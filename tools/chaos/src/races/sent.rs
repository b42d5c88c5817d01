use std::time::Duration;

use anyhow::Result;
use bson::doc;
use contracts::{Code, Millis, ProjectId, TaskId, Term, Window, WindowId};
use kit::mongo::one_of;
use rand::{RngExt, rngs::StdRng};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    answer::{Answer, Word},
    edges::Edges,
    rows::all,
    testbed::Testbed,
};

/// How long it may take until all windows are recorded or quarantined for good.
const SETTLED: Duration = Duration::from_secs(60);
/// The pause between two reads of the windows' state.
const LOOK: Duration = Duration::from_millis(50);

/// A window that was sent, its answer, and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) id: WindowId,
    pub(super) project: ProjectId,
    pub(super) start: Millis,
    pub(super) end: Millis,
    pub(super) answer: Answer,
    pub(super) fate: Fate,
}

/// What became of a window, as timetrack stores it.
#[derive(Clone, Debug, Default)]
pub(super) struct Fate {
    /// The recorded window, if it is recorded.
    pub(super) stored: Option<StoredRow>,
    /// The reason why the window is quarantined, if it is.
    pub(super) quarantined: Option<Code>,
    /// Whether the quarantined window waits for another attempt, which timetrack makes by itself.
    pub(super) waits: bool,
}

/// A recorded window, as timetrack stores it.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "timetrack::Recorded")]
pub(super) struct StoredRow {
    pub(super) id: WindowId,
    pub(super) revision: i64,
    pub(super) voided: bool,
    pub(super) window: Window,
}

impl From<timetrack::Recorded> for StoredRow {
    fn from(timetrack::Recorded { id, revision, voided, window }: timetrack::Recorded) -> Self {
        Self { id, revision, voided, window }
    }
}

#[derive(Debug, Deserialize)]
struct QuarantineRow {
    window_id: WindowId,
    code: Code,
    waiting: bool,
}

/// Returns a new random id of a window.
pub(super) fn new_id(rng: &mut StdRng) -> WindowId {
    WindowId(Uuid::from_u128(rng.random()))
}

/// Returns a window as a request body, as the desktop app sends it.
pub(super) fn body(id: WindowId, start: Millis, end: Millis, project: ProjectId, task: TaskId) -> Value {
    json!({
        "id": id, "start": start, "end": end, "timezoneOffset": 0, "projectId": project, "taskId": task,
        "computer": "race-pc", "user": "race", "os": "linux", "osVersion": "6.1", "hwid": "0f1e2d3c4b5a",
    })
}

/// Reads what became of these windows, once none of them waits or is in progress, or after
/// [`SETTLED`].
pub(super) async fn fates(testbed: &Testbed, ids: &[WindowId], queued: &[WindowId]) -> Result<Vec<Fate>> {
    let since = Instant::now();
    loop {
        let (stored, quarantined) = tokio::try_join!(
            all::<StoredRow>(&testbed.timetrack, "windows", doc! { "_id": one_of(ids) }),
            all::<QuarantineRow>(&testbed.timetrack, "quarantine", doc! { "window_id": one_of(ids) }),
        )?;
        let fate = |id: &WindowId| {
            let row = quarantined.iter().find(|row| row.window_id == *id);
            Fate {
                stored: stored.iter().find(|row| row.id == *id).cloned(),
                quarantined: row.map(|row| row.code),
                waits: row.is_some_and(|row| row.waiting),
            }
        };
        let fates: Vec<Fate> = ids.iter().map(fate).collect();
        let is_settled = |(id, fate): (&WindowId, &Fate)| {
            let (stored, quarantined) = (fate.stored.is_some(), fate.quarantined.is_some());
            let is_both = stored && quarantined;
            let is_under_way = !stored && !quarantined && queued.contains(id);
            !(fate.waits || is_both || is_under_way)
        };
        if ids.iter().zip(&fates).all(is_settled) || since.elapsed() > SETTLED {
            return Ok(fates);
        }
        sleep(LOOK).await;
    }
}

/// Returns whether a window may be recorded: whether there is a moment in it at which the employee
/// is active and on the task and its project, and the project is open and has the task.
pub(super) fn is_allowed(edges: &Edges, sent: &Sent) -> bool {
    let project = sent.project;
    let Some(Some(row)) = edges.projects.get(&project) else { return false };
    let (Some(member), Some(task), Some(assignment)) =
        (edges.members.get(&project), &edges.task_row, &edges.assignment)
    else {
        return false;
    };
    let of_task: Vec<Term> = task.projects.iter().filter(|on| on.project_id == project).map(|on| on.term).collect();
    let former = assignment.former.iter().find(|former| former.project_id == project);
    let on_task = if assignment.project == project { Some(&assignment.terms) } else { former.map(|f| &f.terms) };
    let on_task = on_task.map(Vec::as_slice).unwrap_or_default();
    let holds_at = |at: Millis| {
        let lies_in =
            |term: &Term| term.from.is_none_or(|from| from <= at) && term.until.is_none_or(|until| at < until);
        let is_on_task = on_task.iter().any(|on| {
            let member = member.terms.get(on.member_term as usize);
            lies_in(&on.term) && member.is_some_and(lies_in)
        });
        is_on_task && [&edges.person.active, &row.open, &of_task].into_iter().all(|terms| terms.iter().any(lies_in))
    };
    (sent.start.0..sent.end.0).any(|at| holds_at(Millis(at)))
}

/// Returns a sentence for each rule that is violated by a window that was sent during or after a
/// change. The window must fit the state before or after the change: only the former if it was
/// answered before the change was requested, and only the latter if it was sent after the change
/// was answered.
pub(super) fn judge(sent: &Sent, change: &Answer, before: &Edges, after: &Edges) -> Vec<String> {
    let Sent { id, answer, fate, .. } = sent;
    let mut faults = Vec::new();
    if fate.waits {
        faults.push(format!("window {id} still waits"));
    }
    if fate.stored.is_some() && fate.quarantined.is_some() {
        faults.push(format!("window {id} is both recorded and held back"));
    }
    let is_stored = fate.stored.is_some();
    let told = match (answer.word(), answer.status) {
        (Word::Done, 202) => is_stored || fate.quarantined.is_some(),
        (Word::Done, _) => is_stored,
        (Word::Refused(_), _) => !is_stored && fate.quarantined.is_some(),
        (Word::Unknown, _) => true,
    };
    if !told {
        faults.push(format!("window {id} was answered {} and is {}", answer.status, name(is_stored)));
    }
    let is_known = is_stored || fate.quarantined.is_some();
    let (then, now) = (is_allowed(before, sent), is_allowed(after, sent));
    let was_settled = matches!(answer.status, 200 | 201 | 400);
    let allowed = if was_settled && answer.heard < change.sent {
        vec![then]
    } else if !change.is_unknown() && answer.sent > change.heard {
        vec![now]
    } else {
        vec![then, now]
    };
    if is_known && !allowed.contains(&is_stored) {
        faults.push(format!("window {id} of [{}, {}) is {}", sent.start, sent.end, name(is_stored)));
    }
    faults.extend(
        answer.unpromised(
            &format!("window {id}"),
            &["unknown_task", "project_archived", "not_on_task", "not_on_project"],
        ),
    );
    faults
}

fn name(is_stored: bool) -> &'static str {
    if is_stored { "recorded" } else { "not recorded" }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{
        super::{
            answer::tests::answered,
            edges::tests::{EMPLOYEE, TASK, bound, project},
        },
        *,
    };

    pub(in crate::races) fn stored(id: WindowId, start: i64, end: i64, task: TaskId) -> StoredRow {
        let sent = body(id, Millis(start), Millis(end), project(1), task);
        let mut window = json!({
            "employeeId": EMPLOYEE, "shiftId": "s", "organizationId": "o", "type": "tracked", "startTranslated": start,
            "endTranslated": end, "negativeTime": 0, "taskStatus": "To Do", "taskPriority": "Medium", "note": null,
            "billable": true, "overtime": false, "paid": false, "billRate": null, "overtimeBillRate": null,
            "payRate": null, "overtimePayRate": null, "domain": null, "createdAt": 0, "updatedAt": 0,
        });
        for (name, value) in sent.as_object().unwrap() {
            window[name] = value.clone();
        }
        StoredRow { id, revision: 1, voided: false, window: serde_json::from_value(window).unwrap() }
    }

    /// Returns a window that was sent while the change was in progress, and answered after it.
    fn sent(start: i64, end: i64, is_stored: bool) -> Sent {
        let id = WindowId(Uuid::from_u128(7));
        let mut answer = if is_stored { answered(201, "") } else { answered(400, "project_archived") };
        (answer.sent, answer.heard) = (15, 25);
        let row = stored(id, start, end, TASK);
        let quarantined = (!is_stored).then_some(Code::ProjectArchived);
        let fate = Fate { stored: is_stored.then_some(row), quarantined, waits: false };
        Sent { id, project: project(1), start: Millis(start), end: Millis(end), answer, fate }
    }

    /// Returns a change that was requested at 10 and answered at 20, in microseconds, and the data
    /// before and after it. The change has archived the project at the time 100, in milliseconds.
    fn change() -> (Answer, Edges, Edges) {
        let mut change = answered(200, "");
        (change.sent, change.heard) = (10, 20);
        let mut after = bound();
        after.projects.get_mut(&project(1)).unwrap().as_mut().unwrap().open[0].until = Some(Millis(100));
        (change, bound(), after)
    }

    fn faults(sent: &Sent) -> Vec<String> {
        let (change, before, after) = change();
        judge(sent, &change, &before, &after)
    }

    #[test]
    fn a_window_from_before_is_recorded_whenever_it_comes() {
        for (start, end) in [(50, 60), (99, 130)] {
            assert_eq!(faults(&sent(start, end, true)), [""; 0]);
            assert_eq!(faults(&sent(start, end, false)).len(), 1);
        }
    }

    #[test]
    fn a_window_from_since_is_recorded_only_while_the_change_is_under_way() {
        let mut under_way = sent(100, 130, true);
        assert_eq!(faults(&under_way), [""; 0]);
        (under_way.answer.sent, under_way.answer.heard) = (21, 30);
        assert_eq!(faults(&under_way).len(), 1, "it was sent once the change was answered");
        let mut early = sent(100, 130, false);
        assert_eq!(faults(&early), [""; 0]);
        (early.answer.sent, early.answer.heard) = (1, 9);
        assert_eq!(faults(&early).len(), 1, "it was refused before the change was asked for");
    }

    #[test]
    fn an_answer_is_kept() {
        let mut lost = sent(50, 60, true);
        lost.fate.stored = None;
        assert_eq!(faults(&lost).len(), 1);
        let mut gone = sent(100, 130, false);
        gone.fate.quarantined = None;
        assert_eq!(faults(&gone).len(), 1, "refused, and kept nowhere");
        let mut both = sent(50, 60, true);
        both.fate.quarantined = Some(Code::NotOnTask);
        assert_eq!(faults(&both).len(), 1);
        let mut queued = sent(50, 60, false);
        queued.answer.status = 202;
        (queued.fate.quarantined, queued.fate.waits) = (Some(Code::UnknownTask), true);
        assert!(!faults(&queued).is_empty());
        let mut strange = sent(50, 60, true);
        strange.answer.status = 500;
        assert_eq!(faults(&strange).len(), 1);
    }

    #[test]
    fn what_held_is_judged_by_all_five() {
        let window = sent(50, 60, true);
        assert!(is_allowed(&bound(), &window));
        let not = |change: fn(&mut Edges)| {
            let mut edges = bound();
            change(&mut edges);
            assert!(!is_allowed(&edges, &window));
        };
        fn until() -> Option<Millis> {
            Some(Millis(50))
        }
        not(|e| e.person.active[0].until = until());
        not(|e| e.projects.get_mut(&project(1)).unwrap().as_mut().unwrap().open[0].until = until());
        not(|e| e.task_row.as_mut().unwrap().projects[0].term.until = until());
        not(|e| e.members.get_mut(&project(1)).unwrap().terms[0].until = until());
        not(|e| e.assignment.as_mut().unwrap().terms[0].term.until = until());
        not(|e| e.assignment.as_mut().unwrap().terms[0].member_term = 3);
    }
}
