//! Corrections that employees request of their own hours: time that was not tracked, other values
//! for a recorded window, or that a window no longer counts. Somebody else accepts or refuses them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    CorrectionId, CorrectionStatus, EmployeeId, Event, MailId, Millis, MomentSent, Note, Page, ProjectId, Reason,
    Service, TaskId, TruthSent, WindowId, Zone, given, lenient::truth, message::requests, nullable, present,
};

/// The namespace of the computed ids of corrections. It is the UUIDv5 of "corrections.t3" in the
/// DNS namespace.
const CORRECTIONS: Uuid = Uuid::from_u128(0x532e_74b7_86fe_5c15_be53_c23c_1745_6fe3);

/// The correction that an employee requests.
///
/// Without `windowId`, it is new time: `start`, `end`, `projectId` and `taskId` are required. With
/// `windowId`, it changes that window: the fields that are left out stay as they are. With
/// `windowId` and `void`, that window no longer counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CorrectionSent {
    /// The client's own UUID for the correction. Without it, the id is computed from the request,
    /// so that a repeated request has the same id.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CorrectionId, required = false)]
    pub id: Option<CorrectionId>,
    /// The recorded window to change or void; left out for new time.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = WindowId, required = false)]
    pub window_id: Option<WindowId>,
    /// Whether the window `windowId` should no longer count.
    #[serde(default, deserialize_with = "truth", skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = TruthSent, required = false)]
    pub void: bool,
    /// When the work really began.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = MomentSent, required = false)]
    pub start: Option<Millis>,
    /// When the work really ended: after `start`, at most 24 hours later.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = MomentSent, required = false)]
    pub end: Option<Millis>,
    /// The project really worked on. `taskId` is then required too.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ProjectId, required = false)]
    pub project_id: Option<ProjectId>,
    /// The task really worked on.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TaskId, required = false)]
    pub task_id: Option<TaskId>,
    /// What was done. `null` removes the note of the window.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub note: Option<Option<Note>>,
    /// Why the correction is needed, for the person who decides.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Reason)]
    pub reason: Note,
}

impl CorrectionSent {
    /// The id of the correction: `id` if the client has sent one, or else the UUIDv5 of these
    /// bytes, in this order:
    ///
    /// | bytes | what |
    /// |---|---|
    /// | 16 | the employee's id, as the bytes of the UUID |
    /// | 16 each | the ids of window, project and task, in the same form; zeros if left out |
    /// | 1 | 1 if `void` is true, else 0 |
    /// | 8 each | start and end in milliseconds, big-endian; `i64::MIN` if left out |
    /// | 1 or more | the note: 0 if left out, 1 if `null`, else 2 and then its text as UTF-8 |
    /// | 1 | 0xff, which no UTF-8 text contains |
    /// | rest | the reason as UTF-8 |
    ///
    /// This layout is frozen. With another layout, a repeated request would get another id and be
    /// stored as a new correction.
    pub fn id(&self, employee: EmployeeId) -> CorrectionId {
        if let Some(id) = self.id {
            return id;
        }
        let mut name = employee.0.as_bytes().to_vec();
        let things = [self.window_id.map(|id| id.0), self.project_id.map(|id| id.0), self.task_id.map(|id| id.0)];
        for thing in things {
            name.extend_from_slice(thing.unwrap_or_default().as_bytes());
        }
        name.push(self.void.into());
        for moment in [self.start, self.end] {
            name.extend_from_slice(&moment.map_or(i64::MIN, |at| at.0).to_be_bytes());
        }
        match &self.note {
            None => name.push(0),
            Some(None) => name.push(1),
            Some(Some(note)) => {
                name.push(2);
                name.extend_from_slice(note.as_str().as_bytes());
            }
        }
        name.push(0xff);
        name.extend_from_slice(self.reason.as_str().as_bytes());
        CorrectionId(Uuid::new_v5(&CORRECTIONS, &name))
    }
}

/// A range of time, the project and task that were worked on in it, and a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkedTime {
    /// When the work began.
    pub start: Millis,
    /// When the work ended.
    pub end: Millis,
    /// The project that was worked on.
    pub project_id: ProjectId,
    /// The task that was worked on.
    pub task_id: TaskId,
    /// What was done.
    #[schema(value_type = Option<String>)]
    pub note: Option<Note>,
}

/// A correction that an employee has requested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CorrectionRequest {
    /// The id of the correction.
    pub id: CorrectionId,
    /// The employee who the time belongs to.
    pub employee_id: EmployeeId,
    /// Whether somebody has decided about the correction, and how.
    pub status: CorrectionStatus,
    /// The recorded window to change or void; left out for new time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = WindowId, required = false)]
    pub window_id: Option<WindowId>,
    /// The values of that window when the correction was requested; left out for new time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = WorkedTime, required = false)]
    pub was: Option<WorkedTime>,
    /// Whether the window `windowId` should no longer count.
    pub void: bool,
    /// When the work really began. The values of this field and the next four are what the employee
    /// wants recorded. If `void` is true, they are the same as in `was`.
    pub start: Millis,
    /// When the work really ended.
    pub end: Millis,
    /// The project really worked on.
    pub project_id: ProjectId,
    /// The task really worked on.
    pub task_id: TaskId,
    /// What was done.
    #[schema(value_type = Option<String>)]
    pub note: Option<Note>,
    /// The employee's reason.
    #[schema(value_type = String)]
    pub reason: Note,
    /// When the correction was requested.
    pub asked_at: Millis,
    /// Who decided: an [`crate::Actor`] as text; none while nobody has decided. The API shows the
    /// name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub decided_by: Option<String>,
    /// When somebody decided; left out until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    pub decided_at: Option<Millis>,
    /// The reason that was given for the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub decision_reason: Option<Note>,
    /// The window that was created or changed when the correction was accepted; left out until
    /// then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = WindowId, required = false)]
    pub recorded_as: Option<WindowId>,
}

/// Stores the caller's request for a correction of their own time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskCorrection {
    /// The id of the correction.
    pub id: CorrectionId,
    /// The correction to request.
    pub asked: CorrectionSent,
}

/// The reply to [`AskCorrection`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CorrectionTaken {
    /// The correction in its present state.
    pub correction: CorrectionRequest,
    /// Whether the same correction was requested before.
    pub repeated: bool,
}

/// Reads one requested correction. An employee may read only their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetCorrection {
    /// The id of the correction.
    pub id: CorrectionId,
}

/// Lists requested corrections, the newest first, page by page. An employee gets only their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListCorrections {
    /// Only corrections of this employee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<EmployeeId>,
    /// Only corrections in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<CorrectionStatus>,
    /// The position at which the previous page ended; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<CorrectionCursor>,
    /// The maximum number of corrections on a page. A page may have fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// A position in the list of corrections: the last correction of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CorrectionCursor {
    /// When that correction was requested.
    pub asked_at: Millis,
    /// The id of that correction.
    pub id: CorrectionId,
}

impl CorrectionRequest {
    /// The position of this correction in the list.
    pub const fn place(&self) -> CorrectionCursor {
        CorrectionCursor { asked_at: self.asked_at, id: self.id }
    }
}

/// Accepts a correction and makes it as it was requested. If it is accepted already, nothing
/// changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptCorrection {
    /// The id of the correction.
    pub id: CorrectionId,
    /// The reason, for the employee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

/// Refuses a correction. If it is refused already, nothing changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefuseCorrection {
    /// The id of the correction.
    pub id: CorrectionId,
    /// The reason, for the employee.
    pub reason: Note,
}

/// Published when somebody has accepted or refused a correction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionDecided {
    /// The correction in its final state.
    pub correction: CorrectionRequest,
    /// The time zone of the organisation, for the dates in the mail to the employee.
    pub timezone: Zone,
}

impl CorrectionDecided {
    /// The id of the mail that informs the employee. It is computed from the correction's id, so
    /// that the mail is sent once even if the event is delivered twice.
    pub fn mail_id(&self) -> MailId {
        MailId(Uuid::new_v5(&self.correction.id.0, b"decided"))
    }
}

impl Event for CorrectionDecided {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "correction";
    const VERB: &'static str = "decided";
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.correction.id.to_string()
    }
}

requests! {
    Timetrack: AskCorrection => CorrectionTaken, "corrections.ask", idempotent;
    Timetrack: GetCorrection => CorrectionRequest, "corrections.get", idempotent;
    Timetrack: ListCorrections => Page<CorrectionRequest, CorrectionCursor>, "corrections.list", idempotent;
    Timetrack: AcceptCorrection => CorrectionRequest, "corrections.accept", idempotent;
    Timetrack: RefuseCorrection => CorrectionRequest, "corrections.refuse", idempotent;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(
        window: Option<u128>,
        void: bool,
        start: Option<i64>,
        note: Option<Option<&str>>,
        reason: &str,
    ) -> CorrectionSent {
        CorrectionSent {
            id: None,
            window_id: window.map(|n| WindowId(Uuid::from_u128(n))),
            void,
            start: start.map(Millis),
            end: None,
            project_id: None,
            task_id: None,
            note: note.map(|note| note.map(|note| Note::parse(note).expect("a note"))),
            reason: Note::parse(reason).expect("a reason"),
        }
    }

    #[test]
    fn the_layout_of_an_id_is_frozen() {
        let ann = EmployeeId(Uuid::from_u128(1));
        let asked = asked(Some(2), false, Some(1_000), Some(Some("note")), "forgot the clock");
        assert_eq!(CORRECTIONS, Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"corrections.t3"));
        assert_eq!(asked.id(ann).to_string(), "0ef60dfe-e179-5300-8a20-22181a6a1bd9");
        let own = CorrectionId(Uuid::from_u128(9));
        assert_eq!(CorrectionSent { id: Some(own), ..asked }.id(ann), own);
    }

    #[test]
    fn a_reason_is_given_in_words_that_can_be_seen() {
        let read = |reason: &str| serde_json::from_value::<CorrectionSent>(serde_json::json!({ "reason": reason }));
        assert!(read("I forgot\nthe clock").is_ok());
        for unseen in ["", " ", "\u{200b}"] {
            assert!(read(unseen).is_err(), "{unseen:?}");
        }
        assert!(serde_json::from_str::<CorrectionSent>("{}").is_err());
    }

    type Said = (Option<u128>, bool, Option<i64>, Option<Option<&'static str>>, &'static str);

    fn said() -> impl Strategy<Value = Said> {
        let note = prop_oneof![Just(None), Just(Some(None)), Just(Some(Some("a"))), Just(Some(Some("ab")))];
        let window = prop::option::of(0..3_u128);
        (window, any::<bool>(), prop::option::of(0..3_i64), note, prop_oneof![Just("b"), Just("bc"), Just("c")])
    }

    proptest! {
        #[test]
        fn what_differs_in_anything_has_another_id(one in said(), other in said()) {
            let ann = EmployeeId(Uuid::from_u128(1));
            let id = |(window, void, start, note, reason): Said| asked(window, void, start, note, reason).id(ann);
            let named = |(window, ..): &Said| *window != Some(0);
            if named(&one) && named(&other) {
                prop_assert_eq!(one == other, id(one) == id(other));
            }
        }
    }
}
