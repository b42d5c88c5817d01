//! Golden files of requests for corrections, and of the messages for the daily mail about what
//! waits for a decision.

use contracts::*;
use serde_json::json;

use crate::{
    examples::{AT, id, note},
    files::Golden,
};

pub(crate) fn corrections(golden: &mut Golden) {
    let sent = json!({
        "id": id::<CorrectionId>(12), "windowId": id::<WindowId>(5), "void": true, "start": AT, "end": AT + HOUR,
        "projectId": id::<ProjectId>(3), "taskId": id::<TaskId>(4), "note": "Phoned", "reason": "I forgot the clock.",
    });
    let asked: CorrectionSent = serde_json::from_value(sent).expect("a correction");
    let was = WorkedTime { start: AT, end: AT + HOUR, project_id: id(3), task_id: id(4), note: None };
    let correction = CorrectionRequest {
        id: id(12),
        employee_id: id(1),
        status: CorrectionStatus::Accepted,
        window_id: Some(id(5)),
        was: Some(was),
        void: false,
        start: AT,
        end: AT + HOUR / 2,
        project_id: id(3),
        task_id: id(4),
        note: Some(note("Phoned")),
        reason: note("I forgot the clock."),
        asked_at: AT,
        decided_by: Some("root".into()),
        decided_at: Some(AT),
        decision_reason: Some(note("Of course.")),
        recorded_as: Some(id(5)),
    };
    let taken = CorrectionTaken { correction: correction.clone(), repeated: true };
    golden.request(AskCorrection { id: id(12), asked }, taken);
    golden.request(GetCorrection { id: id(12) }, correction.clone());
    let after = Some(correction.place());
    let (employee_id, status) = (Some(id(1)), Some(CorrectionStatus::Asked));
    let list = ListCorrections { employee_id, status, after, limit: Some(100) };
    golden.request(list, Page { items: vec![correction.clone()], next: after });
    golden.request(AcceptCorrection { id: id(12), reason: Some(note("Of course.")) }, correction.clone());
    golden.request(RefuseCorrection { id: id(12), reason: note("That was a holiday.") }, correction.clone());
    let timezone = "Europe/Berlin".parse().expect("a zone");
    golden.event(CorrectionDecided { correction, timezone });
    golden.request(CountWaiting { employees: vec![id(1)] }, Waiting { periods: 3, corrections: 1 });
    golden.event(DigestRequested { manager_id: id(1), day: jiff::civil::date(2025, 10, 9), until: AT });
}
