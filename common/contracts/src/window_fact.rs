//! The facts of a window, from which its time and money are computed, and the event that contains
//! them.

use serde::{Deserialize, Serialize};

use crate::{
    EmployeeId, Event, Label, Millis, Page, ProjectId, Rate, RatePart, Service, TaskId, Window, WindowId,
    message::requests,
};

/// The rates of a window for one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rates {
    /// The bill rate of an hour.
    pub bill_rate: Option<Rate>,
    /// The bill rate of an overtime hour; if it is missing, the bill rate of an hour applies.
    pub overtime_bill_rate: Option<Rate>,
    /// The pay rate of an hour.
    pub pay_rate: Option<Rate>,
    /// The pay rate of an overtime hour; if it is missing, the pay rate of an hour applies.
    pub overtime_pay_rate: Option<Rate>,
}

/// The facts of one window, from which its time and money are computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowFact {
    /// The id of the window.
    pub id: WindowId,
    /// The revision of the window: 1 for a new window, and one more after every change. Of two
    /// facts of a window, the one with the higher revision is valid, whichever arrives first.
    pub revision: i64,
    /// The employee who the time belongs to.
    pub employee_id: EmployeeId,
    /// The project that was worked on.
    pub project_id: ProjectId,
    /// The task that was worked on.
    pub task_id: TaskId,
    /// The id of the shift.
    pub shift_id: Label,
    /// When the window began.
    pub start: Millis,
    /// When the window ended.
    pub end: Millis,
    /// Whether the window earns income.
    pub billable: bool,
    /// Whether the overtime rates apply to the window.
    pub overtime: bool,
    /// The rates at the start of the window.
    pub rates: Rates,
    /// The rates on later days of the window where they change, in order. Facts from earlier
    /// versions of the service do not have this field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rate_parts: Vec<RatePart>,
    /// Whether the window was voided and no longer counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voided: bool,
}

impl WindowFact {
    /// The facts of a window that is not voided, at this revision.
    pub fn of(window: &Window, revision: i64) -> Self {
        Self {
            id: window.id,
            revision,
            employee_id: window.employee_id,
            project_id: window.project_id,
            task_id: window.task_id,
            shift_id: window.shift_id.clone(),
            start: window.start,
            end: window.end,
            billable: window.billable,
            overtime: window.overtime,
            rates: window.rates(),
            rate_parts: window.rate_parts.clone(),
            voided: false,
        }
    }

    /// The income of one hour at these rates: zero if the window is not billable; the overtime rate
    /// if it applies and there is one, or else the normal rate.
    pub(crate) fn income_of(&self, rates: Rates) -> Rate {
        let rate = self.rate(rates.overtime_bill_rate, rates.bill_rate);
        if self.billable { rate } else { Rate::default() }
    }

    /// The cost of one hour at these rates: the overtime rate if it applies and there is one, or
    /// else the normal rate.
    pub(crate) fn cost_of(&self, rates: Rates) -> Rate {
        self.rate(rates.overtime_pay_rate, rates.pay_rate)
    }

    fn rate(&self, over: Option<Rate>, normal: Option<Rate>) -> Rate {
        over.filter(|_| self.overtime).or(normal).unwrap_or_default()
    }
}

/// The maximum number of windows in one [`WindowsRecorded`]. Each window takes about 500 bytes, or
/// 800 with `rate_parts`, and an event may have 256 KiB.
pub const WINDOWS_AN_EVENT: usize = 300;

/// Published when windows were recorded, or changed to a higher revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowsRecorded {
    /// The id of the batch in which the windows were recorded or changed.
    pub batch: String,
    /// The facts of the windows after the change.
    pub windows: Vec<WindowFact>,
}

impl Event for WindowsRecorded {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "windows";
    const VERB: &'static str = "recorded";
    /// No service is awaited: a request to analytics waits until all earlier events are counted.
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.batch.clone()
    }
}

/// Requests the facts of all windows, voided windows included, ordered by window id, page by page.
/// For services only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListFacts {
    /// The id of the last window of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<WindowId>,
}

requests! {
    Timetrack: ListFacts => Page<WindowFact, WindowId>, "facts.list", idempotent;
}
