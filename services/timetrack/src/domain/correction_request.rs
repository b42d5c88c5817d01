use contracts::{
    Code, CorrectionId, CorrectionRequest, CorrectionSent, CorrectionStatus, EmployeeId, Failure, FieldError,
    IngestItem, Label, Millis, Note, SECOND, Window, WindowCorrection, WindowId, WindowSent, WindowType, WorkedTime,
    Zone, content_hash,
};
use jiff::Timestamp;

use super::{refusal, untimely};

/// The decision about a requested correction: accepted or refused, by whom, when, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) status: CorrectionStatus,
    pub(crate) by: Option<String>,
    pub(crate) at: Millis,
    pub(crate) reason: Option<Note>,
    /// The window that the accepted correction creates or changes.
    pub(crate) recorded_as: Option<WindowId>,
}

/// Checks a requested correction, of a recorded window of the employee or of new time. `window` is
/// the window to correct, and whether it is voided. Whether the employee was on the project and
/// task is not checked here.
///
/// # Errors
/// 422 if a field is wrong or missing; 400 if the correction would change nothing, or the time is
/// in the future or too long ago; 409 if the window is voided.
pub(crate) fn ask(
    id: CorrectionId,
    employee_id: EmployeeId,
    sent: &CorrectionSent,
    window: Option<(&Window, bool)>,
    now: Millis,
    earliest: Millis,
) -> Result<CorrectionRequest, Failure> {
    let was = match window {
        Some((_, true)) => {
            return Err(Failure::new(Code::Voided, "The window counts no longer; it cannot be corrected."));
        }
        Some((window, false)) => Some(worked(window)),
        None => None,
    };
    let time = match (&was, sent.void) {
        (None, true) => return Err(Failure::field("windowId", "must be given: name the window that should not count")),
        (None, false) => new_time(sent)?,
        (Some(was), true) => was.clone(),
        (Some(was), false) => other_time(was, sent)?,
    };
    if !sent.void {
        if was.as_ref() == Some(&time) {
            return Err(Failure::new(Code::NothingToChange, "This is what the window says already."));
        }
        WindowSent::check_limits(time.start, time.end, 0).map_err(|fault| Failure::fields(vec![fault]))?;
        if let Some(reason) = untimely(time.start, time.end, earliest, now) {
            return Err(Failure::new(reason.code, too_far(reason.code)));
        }
    }
    let WorkedTime { start, end, project_id, task_id, note } = time;
    Ok(CorrectionRequest {
        id,
        employee_id,
        status: CorrectionStatus::Asked,
        window_id: window.map(|(window, _)| window.id),
        was,
        void: sent.void,
        start,
        end,
        project_id,
        task_id,
        note,
        reason: sent.reason.clone(),
        asked_at: now,
        decided_by: None,
        decided_at: None,
        decision_reason: None,
        recorded_as: None,
    })
}

/// The worked time of a window.
pub(crate) fn worked(window: &Window) -> WorkedTime {
    let Window { start, end, project_id, task_id, ref note, .. } = *window;
    WorkedTime { start, end, project_id, task_id, note: note.clone() }
}

/// The message for a time that is in the future or too long ago.
fn too_far(code: Code) -> &'static str {
    match code {
        Code::ClockAhead => "This time is still to come. Ask again once it is over.",
        Code::ClockBehind => "This time is too long ago to be asked for. Talk to an admin.",
        other => refusal(other),
    }
}

fn new_time(sent: &CorrectionSent) -> Result<WorkedTime, Failure> {
    let missing = [
        ("start", sent.start.is_none()),
        ("end", sent.end.is_none()),
        ("projectId", sent.project_id.is_none()),
        ("taskId", sent.task_id.is_none()),
    ];
    let fault = |field: &str| FieldError { field: field.to_owned(), message: "must be given".to_owned() };
    let (Some(start), Some(end), Some(project_id), Some(task_id)) =
        (sent.start, sent.end, sent.project_id, sent.task_id)
    else {
        let missing = missing.into_iter().filter(|(_, is_missing)| *is_missing);
        return Err(Failure::fields(missing.map(|(field, _)| fault(field)).collect()));
    };
    Ok(WorkedTime { start, end, project_id, task_id, note: said(sent, None) })
}

fn other_time(was: &WorkedTime, sent: &CorrectionSent) -> Result<WorkedTime, Failure> {
    if sent.project_id.is_some_and(|project| project != was.project_id) && sent.task_id.is_none() {
        return Err(Failure::field("taskId", "must be given with projectId: a task belongs to one project"));
    }
    Ok(WorkedTime {
        start: sent.start.unwrap_or(was.start),
        end: sent.end.unwrap_or(was.end),
        project_id: sent.project_id.unwrap_or(was.project_id),
        task_id: sent.task_id.unwrap_or(was.task_id),
        note: said(sent, was.note.clone()),
    })
}

/// The note of the correction, or else the former note. An empty note counts as none.
fn said(sent: &CorrectionSent, was: Option<Note>) -> Option<Note> {
    sent.note.clone().unwrap_or(was).filter(|note| !note.as_str().is_empty())
}

/// Whether it must be checked that the employee was on the project and task. Not for a window that
/// is to be voided, nor for time within the recorded window if the project and task stay the same.
pub(crate) fn needs_admission(request: &CorrectionRequest) -> bool {
    let Some(was) = &request.was else { return true };
    let is_same_work = (was.project_id, was.task_id) == (request.project_id, request.task_id);
    let lies_inside = was.start <= request.start && request.end <= was.end;
    !(request.void || is_same_work && lies_inside)
}

/// The correction as a manually entered window. Its offset from UTC is that of the zone at the
/// window's start.
pub(crate) fn by_hand(id: WindowId, request: &CorrectionRequest, zone: &Zone, now: Millis) -> IngestItem {
    let at = Timestamp::from_millisecond(request.start.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let window = WindowSent {
        id: Some(id),
        start: request.start,
        end: request.end,
        timezone_offset: i64::from(zone.rules().to_offset(at).seconds()) * SECOND,
        project_id: request.project_id,
        task_id: request.task_id,
        task_status: None,
        task_priority: None,
        note: request.note.clone(),
        computer: Label::default(),
        user: Label::default(),
        domain: None,
        os: Label::default(),
        os_version: Label::default(),
        hwid: Label::default(),
        shift_id: None,
        kind: Some(WindowType::Manual),
    };
    let (employee_id, hash) = (request.employee_id, content_hash(&window));
    IngestItem { id, employee_id, received_at: now, hash, window, traceparent: None }
}

/// The changes of the window that the correction requests.
pub(crate) fn changes(request: &CorrectionRequest, window: &Window) -> WindowCorrection {
    let is_moved = (request.project_id, request.task_id) != (window.project_id, window.task_id);
    WindowCorrection {
        start: (request.start != window.start).then_some(request.start),
        end: (request.end != window.end).then_some(request.end),
        project_id: is_moved.then_some(request.project_id),
        task_id: is_moved.then_some(request.task_id),
        note: (request.note != window.note).then_some(request.note.clone()),
        ..WindowCorrection::default()
    }
}

/// The request with this decision; none if the same decision was made before.
///
/// # Errors
/// 409 if another decision was made before.
pub(crate) fn decide(request: &CorrectionRequest, verdict: Verdict) -> Result<Option<CorrectionRequest>, Failure> {
    let Verdict { status, by, at, reason, recorded_as } = verdict;
    match request.status {
        CorrectionStatus::Asked => Ok(Some(CorrectionRequest {
            status,
            decided_by: by,
            decided_at: Some(at),
            decision_reason: reason,
            recorded_as,
            ..request.clone()
        })),
        decided if decided == status => Ok(None),
        CorrectionStatus::Accepted => {
            let detail = "This was accepted before. Correct or void the window that it has made or changed.";
            Err(Failure::new(Code::AlreadyDecided, detail))
        }
        CorrectionStatus::Refused => {
            let detail = "This was refused before. Whoever asked for it can ask again, with another reason.";
            Err(Failure::new(Code::AlreadyDecided, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{DAY, HOUR, ProjectId, TaskId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Admitted, record};

    const NOW: Millis = Millis(1_760_000_000_000);
    const EARLIEST: Millis = Millis(978_307_200_000);

    fn note(text: &str) -> Note {
        Note::parse(text).expect("a note")
    }

    fn sent() -> CorrectionSent {
        serde_json::from_value(serde_json::json!({ "reason": "I forgot the clock." })).expect("a correction")
    }

    fn window() -> Window {
        let (item, _) = crate::domain::admission::tests::item(NOW.0 - 2 * HOUR, NOW.0 - HOUR);
        let label = |text| contracts::Label::parse(text).expect("a label");
        let admitted =
            Admitted { billable: true, status: label("To Do"), priority: label("Low"), price: Default::default() };
        record(item, admitted)
    }

    fn asked(sent: &CorrectionSent, window: Option<(&Window, bool)>) -> Result<CorrectionRequest, Failure> {
        ask(CorrectionId(Uuid::from_u128(7)), EmployeeId(Uuid::from_u128(1)), sent, window, NOW, EARLIEST)
    }

    fn new(start: i64, end: i64) -> CorrectionSent {
        let (project_id, task_id) = (ProjectId(Uuid::from_u128(2)), TaskId(Uuid::from_u128(3)));
        let (start, end) = (Some(NOW + start), Some(NOW + end));
        CorrectionSent { start, end, project_id: Some(project_id), task_id: Some(task_id), ..sent() }
    }

    #[test]
    fn a_new_time_needs_all_that_a_window_says() {
        let request = asked(&new(-HOUR, 0), None).expect("asked");
        assert_eq!((request.start, request.end, request.status), (NOW - HOUR, NOW, CorrectionStatus::Asked));
        assert_eq!((request.window_id, request.was.is_none(), request.void), (None, true, false));
        let failure = asked(&sent(), None).expect_err("refused");
        let fields: Vec<&str> = failure.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["start", "end", "projectId", "taskId"]);
        let code = |sent| asked(&sent, None).expect_err("refused").code;
        assert_eq!(code(new(0, -HOUR)), Code::Invalid);
        assert_eq!(code(new(-DAY - 1, 0)), Code::Invalid);
        assert_eq!(code(new(0, HOUR)), Code::ClockAhead);
        assert_eq!(code(new(EARLIEST.0 - NOW.0 - 1, EARLIEST.0 - NOW.0 + HOUR)), Code::ClockBehind);
        assert_eq!(code(CorrectionSent { void: true, ..sent() }), Code::Invalid);
    }

    #[test]
    fn what_is_left_out_stays_as_the_window_says_it() {
        let window = window();
        let end = Some(window.end + HOUR / 2);
        let request = asked(&CorrectionSent { end, ..sent() }, Some((&window, false))).expect("asked");
        assert_eq!(request.was, Some(worked(&window)));
        let changed = changes(&request, &window);
        assert_eq!(changed, WindowCorrection { end, ..WindowCorrection::default() });
        assert!(needs_admission(&request), "it is longer than what was recorded");
        let shorter = CorrectionSent { end: Some(window.end - 1), ..sent() };
        assert!(!needs_admission(&asked(&shorter, Some((&window, false))).expect("asked")));
        let noted = CorrectionSent { note: Some(Some(note("Phoned"))), ..sent() };
        let changed = changes(&asked(&noted, Some((&window, false))).expect("asked"), &window);
        assert_eq!(changed.note, Some(Some(note("Phoned"))));
    }

    #[test]
    fn what_changes_nothing_and_what_counts_no_longer_is_refused() {
        let window = window();
        let same = CorrectionSent { start: Some(window.start), note: Some(None), ..sent() };
        let code = |sent: &CorrectionSent, voided| asked(sent, Some((&window, voided))).expect_err("refused").code;
        assert_eq!(code(&same, false), Code::NothingToChange);
        assert_eq!(code(&CorrectionSent { void: true, ..sent() }, true), Code::Voided);
        let elsewhere = CorrectionSent { project_id: Some(ProjectId(Uuid::nil())), ..sent() };
        assert_eq!(code(&elsewhere, false), Code::Invalid);
        let taken_back = asked(&CorrectionSent { void: true, ..sent() }, Some((&window, false))).expect("asked");
        assert!(taken_back.void && !needs_admission(&taken_back));
        assert_eq!(changes(&taken_back, &window), WindowCorrection::default());
    }

    #[test]
    fn a_time_by_hand_has_the_offset_of_the_zone_at_that_moment() {
        let offset = |start: i64| {
            let request = asked(&new(start - NOW.0, start - NOW.0 + HOUR), None).expect("asked");
            by_hand(WindowId(Uuid::nil()), &request, &"Europe/Berlin".parse().expect("a zone"), NOW)
                .window
                .timezone_offset
        };
        // The offsets in winter and in summer.
        assert_eq!([1_740_000_000_000, 1_750_000_000_000].map(offset), [HOUR, 2 * HOUR]);
    }

    proptest! {
        #[test]
        fn the_first_decision_stands_whoever_decides_after_it(verdicts in prop::collection::vec(any::<bool>(), 1..6)) {
            let mut request = asked(&new(-HOUR, 0), None).expect("asked");
            let first = verdicts[0];
            for (at, accept) in verdicts.iter().enumerate() {
                let status = if *accept { CorrectionStatus::Accepted } else { CorrectionStatus::Refused };
                let (by, reason) = (Some(format!("person {at}")), Some(note("because")));
                let verdict = Verdict { status, by, at: NOW + at as i64, reason, recorded_as: None };
                match decide(&request, verdict) {
                    Ok(Some(decided)) => {
                        prop_assert_eq!(at, 0);
                        let undecided = CorrectionRequest {
                            status: CorrectionStatus::Asked, decided_by: None, decided_at: None, decision_reason: None,
                            ..decided.clone()
                        };
                        prop_assert_eq!(undecided, request, "what was asked stays");
                        request = decided;
                    }
                    Ok(None) => prop_assert!(at > 0 && *accept == first),
                    Err(failure) => prop_assert!(failure.code == Code::AlreadyDecided && *accept != first),
                }
            }
            prop_assert_eq!(request.decided_by.as_deref(), Some("person 0"));
        }
    }
}
