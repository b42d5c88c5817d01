//! Time windows: how desktop apps send them, how they are recorded, and the requests about them to
//! timetrack.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Code, CorrectionId, EmployeeId, FieldError, Filter, Label, Millis, MomentSent, Note, OffsetSent, Page, ProjectId,
    Rate, RatePart, Rates, SECOND, TaskId, TimeRange, WindowId,
    kept::{kept, kept_if_any},
    lenient::whole_number,
    message::requests,
    present,
    time::DAY,
};

/// The maximum length of a window, in milliseconds.
pub const WINDOW_MOST: i64 = DAY;
/// How far in the future a window may end by the server's clock and still be recorded at once, in
/// milliseconds. A window that ends later is quarantined.
pub const WINDOW_AHEAD: i64 = 300 * SECOND;
/// The beginning of the year 10000. Every window ends before it.
pub(crate) const YEAR_10000: Millis = Millis(253_402_300_800_000);

/// How the time of a window was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WindowType {
    /// The time was entered by hand.
    Manual,
    /// The time was tracked by the desktop app.
    #[default]
    Tracked,
}

/// A window as the desktop app sends it.
///
/// No text in a window is refused, because the app could not correct the text and the hours would
/// be lost. White space at both ends is removed, control characters become spaces, parts that are
/// not valid Unicode become U+FFFD, and text beyond 255 characters (10,000 for the note) is cut. A
/// text that is left out is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "start": 1_760_000_000_000i64, "end": 1_760_000_600_000i64, "timezoneOffset": 7_200_000,
    "projectId": "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071", "taskId": "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072",
    "computer": "anns-mac", "user": "ann", "os": "darwin", "osVersion": "15.1", "hwid": "9f8e7d6c"
}))]
pub struct WindowSent {
    /// The client's own UUID for the window. Without it, the id is computed from employee,
    /// hardware, start, end and task, so that a repeated post has the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Uuid)]
    pub id: Option<WindowId>,
    /// When the window began.
    #[schema(value_type = MomentSent)]
    pub start: Millis,
    /// When the window ended: after `start`, at most 24 hours later.
    #[schema(value_type = MomentSent)]
    pub end: Millis,
    /// The client's offset from UTC in milliseconds, which is stored as sent.
    #[serde(deserialize_with = "whole_number")]
    #[schema(value_type = OffsetSent)]
    pub timezone_offset: i64,
    /// The project that was worked on.
    pub project_id: ProjectId,
    /// The task that was worked on.
    pub task_id: TaskId,
    /// The status of the task; the default is the task's status when the window is recorded.
    #[serde(default, deserialize_with = "kept_if_any", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub task_status: Option<Label>,
    /// The priority of the task; the default is the task's priority when the window is recorded.
    #[serde(default, deserialize_with = "kept_if_any", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub task_priority: Option<Label>,
    /// What was done.
    #[serde(default, deserialize_with = "kept_if_any", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub note: Option<Note>,
    /// The name of the computer.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false)]
    pub computer: Label,
    /// The user's name on the computer.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false)]
    pub user: Label,
    /// The domain of the computer.
    #[serde(default, deserialize_with = "kept_if_any", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub domain: Option<Label>,
    /// The operating system of the computer.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false)]
    pub os: Label,
    /// The version of the operating system.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false)]
    pub os_version: Label,
    /// The id of the hardware of the computer.
    #[serde(default, deserialize_with = "kept")]
    #[schema(value_type = String, required = false)]
    pub hwid: Label,
    /// The client's own id of the shift. Without it, the id is computed from employee, hardware and
    /// UTC day.
    #[serde(default, deserialize_with = "kept_if_any", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub shift_id: Option<Label>,
    /// How the time was recorded.
    #[serde(rename = "type", default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = WindowType, required = false)]
    pub kind: Option<WindowType>,
}

impl WindowSent {
    /// The range of the window, if the window is within the limits of [`WindowSent::check_limits`].
    ///
    /// # Errors
    /// Those of [`WindowSent::check_limits`].
    pub fn range(&self) -> Result<TimeRange, FieldError> {
        Self::check_limits(self.start, self.end, self.timezone_offset)
    }

    /// Checks the limits of a window: `end` is after `start`, the window has at most 24 hours, it
    /// is within the years 1970 to 9999, and the offset from UTC is at most 24 hours. This function
    /// does not refuse windows in the future or far in the past, which timetrack quarantines.
    ///
    /// # Errors
    /// The wrong field, and what the field must be.
    pub fn check_limits(start: Millis, end: Millis, timezone_offset: i64) -> Result<TimeRange, FieldError> {
        let fault = |field: &str, message: &str| FieldError { field: field.into(), message: message.into() };
        let range = TimeRange::new(start, end).map_err(|e| fault("end", &e.to_string()))?;
        if start < Millis(0) {
            Err(fault("start", "must be milliseconds since 1970, not negative"))
        } else if range.length() > WINDOW_MOST {
            Err(fault("end", &too_long(start)))
        } else if end >= YEAR_10000 {
            Err(fault("end", "must be in milliseconds (not microseconds) and before the year 10000"))
        } else if !(-DAY..=DAY).contains(&timezone_offset) {
            Err(fault("timezoneOffset", "must be milliseconds, at most 24 hours either way"))
        } else {
            Ok(range)
        }
    }
}

/// The message for a window of more than 24 hours. It says where to cut the window, because a
/// client may send such a window without a mistake: a local day on which the clock is set back has
/// 25 hours.
fn too_long(start: Millis) -> String {
    let first_end = start + WINDOW_MOST;
    format!(
        "must be at most 24 hours after start, so at most {first_end}: send a longer stretch, such as a day on which \
         the clock is set back, as several windows, the first one until {first_end} and the next one from there"
    )
}

/// A recorded window, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// The id of the window.
    pub id: WindowId,
    /// The employee who the time belongs to.
    pub employee_id: EmployeeId,
    /// The id of the shift: sent by the client, or computed from employee, hardware and UTC day.
    #[schema(value_type = String)]
    pub shift_id: Label,
    /// The id of the organisation: always `default-org`, for now.
    #[schema(example = "default-org")]
    pub organization_id: String,
    /// How the time was recorded.
    #[serde(rename = "type")]
    pub kind: WindowType,
    /// When the window began.
    pub start: Millis,
    /// When the window ended.
    pub end: Millis,
    /// The client's offset from UTC in milliseconds, as sent.
    pub timezone_offset: i64,
    /// The value of `start` − `timezoneOffset`.
    pub start_translated: Millis,
    /// The value of `end` − `timezoneOffset`.
    pub end_translated: Millis,
    /// The time of this window that counts for an earlier window instead, in milliseconds.
    pub negative_time: i64,
    /// The project that was worked on.
    pub project_id: ProjectId,
    /// The task that was worked on.
    pub task_id: TaskId,
    /// The task's status: the one that the client sent, or else the one when the window was
    /// recorded.
    #[schema(value_type = String)]
    pub task_status: Label,
    /// The task's priority: the one that the client sent, or else the one when the window was
    /// recorded.
    #[schema(value_type = String)]
    pub task_priority: Label,
    /// What was done.
    #[schema(value_type = Option<String>)]
    pub note: Option<Note>,
    /// Whether the window earns income: the setting of the task when the window was recorded,
    /// unless an admin has changed it.
    pub billable: bool,
    /// Whether the overtime rates apply to the window.
    pub overtime: bool,
    /// Whether the window has been paid.
    pub paid: bool,
    /// The bill rate of an hour. All rates stay as they were when the window was recorded, until an
    /// admin changes them.
    #[schema(value_type = Option<f64>, example = 50.0)]
    pub bill_rate: Option<Rate>,
    /// The bill rate of an overtime hour; if it is missing, the bill rate of an hour applies.
    #[schema(value_type = Option<f64>, example = json!(null))]
    pub overtime_bill_rate: Option<Rate>,
    /// The pay rate of an hour.
    #[schema(value_type = Option<f64>, example = json!(null))]
    pub pay_rate: Option<Rate>,
    /// The pay rate of an overtime hour; if it is missing, the pay rate of an hour applies.
    #[schema(value_type = Option<f64>, example = json!(null))]
    pub overtime_pay_rate: Option<Rate>,
    /// The rates on later days of the window, where they change. Left out if the rates do not
    /// change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub rate_parts: Vec<RatePart>,
    /// The name of the computer.
    #[schema(value_type = String)]
    pub computer: Label,
    /// The user's name on the computer.
    #[schema(value_type = String)]
    pub user: Label,
    /// The domain of the computer.
    #[schema(value_type = Option<String>)]
    pub domain: Option<Label>,
    /// The operating system of the computer.
    #[schema(value_type = String)]
    pub os: Label,
    /// The version of the operating system.
    #[schema(value_type = String)]
    pub os_version: Label,
    /// The id of the hardware of the computer.
    #[schema(value_type = String)]
    pub hwid: Label,
    /// When the window reached the gateway.
    pub created_at: Millis,
    /// When the window was last changed.
    pub updated_at: Millis,
    /// The requested correction that created or last changed the window; left out if no correction
    /// did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CorrectionId, required = false)]
    pub correction_id: Option<CorrectionId>,
}

impl Window {
    /// The rates at the start of the window.
    pub const fn rates(&self) -> Rates {
        Rates {
            bill_rate: self.bill_rate,
            overtime_bill_rate: self.overtime_bill_rate,
            pay_rate: self.pay_rate,
            overtime_pay_rate: self.overtime_pay_rate,
        }
    }

    /// Sets the rates at the start of the window, and the rates on its later days.
    pub fn set_rates(&mut self, rates: Rates, parts: Vec<RatePart>) {
        let Rates { bill_rate, overtime_bill_rate, pay_rate, overtime_pay_rate } = rates;
        (self.bill_rate, self.overtime_bill_rate) = (bill_rate, overtime_bill_rate);
        (self.pay_rate, self.overtime_pay_rate) = (pay_rate, overtime_pay_rate);
        self.rate_parts = parts;
    }
}

/// Requests the state of one window. An employee may only request their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetWindow {
    /// The id of the window.
    pub id: WindowId,
    /// The sequence number of the window's message in INGEST, from the answer 202.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Whether the caller knows [`WindowState::SetAside`]. If not, the reply is
    /// [`WindowState::Queued`] instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub set_aside: bool,
}

/// The state of a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowState {
    /// The window is recorded.
    Recorded(Box<Window>),
    /// The window is accepted, but not recorded yet.
    Queued,
    /// The window is refused. If it is quarantined, an admin may still admit it.
    Rejected {
        /// The reason, as a code for programs.
        code: Code,
        /// The reason and what happens next, as sentences for people.
        detail: String,
    },
    /// The window is accepted and quarantined. It is recorded when an admin admits it. If its end
    /// is in the future, it is recorded by itself once that time has come. Only callers that know
    /// this state receive it.
    #[serde(rename = "setAside")]
    SetAside {
        /// The reason, as a code for programs.
        code: Code,
        /// The reason and what happens next, as sentences for people.
        detail: String,
    },
}

impl WindowState {
    /// The state as a caller gets it: [`WindowState::Queued`] in place of [`WindowState::SetAside`]
    /// if the caller does not know the latter.
    pub fn told_to(self, knows_set_aside: bool) -> Self {
        match self {
            Self::SetAside { .. } if !knows_set_aside => Self::Queued,
            state => state,
        }
    }
}

/// Requests the windows that touch a range, ordered by start and id, page by page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListWindows {
    /// The range of time.
    pub range: TimeRange,
    /// The employees, projects, tasks and shifts whose windows are listed.
    #[serde(flatten)]
    pub filter: Filter,
    /// The position at which the previous page ended; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<WindowCursor>,
    /// The maximum number of windows on a page. A page may have fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// A position in the list of windows: the last window of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowCursor {
    /// The start of that window.
    pub start: Millis,
    /// The id of that window.
    pub id: WindowId,
}

requests! {
    Timetrack: GetWindow => WindowState, "windows.get", idempotent;
    Timetrack: ListWindows => Page<Window, WindowCursor>, "windows.list", idempotent;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Millis = Millis(1_760_000_000_000);

    proptest! {
        #[test]
        fn a_window_keeps_the_limits_exactly_when_its_range_is_given(
            start in -DAY..3 * DAY, length in -DAY..2 * DAY, offset in -2 * DAY..2 * DAY,
        ) {
            // The windows are near one of the two limits: the beginning of 1970 or of the year
            // 10000.
            for from in [Millis(start), YEAR_10000 - DAY + start] {
                let end = from + length;
                let fits = length > 0 && length <= DAY && from >= Millis(0) && end < YEAR_10000 && offset.abs() <= DAY;
                prop_assert_eq!(WindowSent::check_limits(from, end, offset).is_ok(), fits);
            }
        }

        #[test]
        fn a_stretch_that_is_too_long_is_cut_where_the_refusal_says_until_every_piece_fits(
            start in 0..2 * DAY, length in DAY + 1..5 * DAY,
        ) {
            let end = NOW;
            let mut from = NOW - 2 * DAY - length + start;
            let mut pieces = 1;
            while let Err(refused) = WindowSent::check_limits(from, end, 0) {
                prop_assert_eq!(&refused.field, "end");
                let cut = refused.message.rsplit_once("until ").and_then(|(_, rest)| rest.split(' ').next());
                let cut = Millis(cut.and_then(|cut| cut.parse().ok()).expect("an instant"));
                prop_assert!(WindowSent::check_limits(from, cut, 0).is_ok());
                from = cut;
                pieces += 1;
            }
            prop_assert!((2..=7).contains(&pieces));
        }

        #[test]
        fn no_time_however_far_breaks_the_check(start: i64, end: i64, offset: i64) {
            let checked = WindowSent::check_limits(Millis(start), Millis(end), offset);
            prop_assert!(checked.is_err() || start < end);
        }
    }
}
