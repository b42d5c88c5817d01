//! What the time and the money of a window are counted from, and the event that says so.

use serde::{Deserialize, Serialize};

use crate::{
    EmployeeId, Event, Label, Millis, Page, ProjectId, Rate, RatePart, Service, TaskId, Window, WindowId,
    message::requests,
};

/// The rates of a window, currency an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rates {
    /// What an hour is billed with.
    pub bill_rate: Option<Rate>,
    /// The same for overtime; the normal rate where there is none.
    pub overtime_bill_rate: Option<Rate>,
    /// What an hour costs.
    pub pay_rate: Option<Rate>,
    /// The same for overtime; the normal rate where there is none.
    pub overtime_pay_rate: Option<Rate>,
}

/// What the time and the money of one window are counted from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowFact {
    /// The window.
    pub id: WindowId,
    /// How often it was changed: the higher revision counts, however late the lower comes.
    pub revision: i64,
    /// Whose time it is.
    pub employee_id: EmployeeId,
    /// The project worked on.
    pub project_id: ProjectId,
    /// The task worked on.
    pub task_id: TaskId,
    /// The shift.
    pub shift_id: Label,
    /// When it began.
    pub start: Millis,
    /// When it ended.
    pub end: Millis,
    /// Whether it earns income.
    pub billable: bool,
    /// Whether the overtime rates count.
    pub overtime: bool,
    /// Its rates, at its beginning.
    pub rates: Rates,
    /// Those of later days, where they are other ones; in their order. Version 1 of a fact knew none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rate_parts: Vec<RatePart>,
    /// Whether it no longer counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voided: bool,
}

impl WindowFact {
    /// What a window at a revision counts for.
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

    /// What an hour of it earns by these rates: nothing where it is not billable, the overtime rate where
    /// that counts and there is one.
    pub(crate) fn income_of(&self, rates: Rates) -> Rate {
        let rate = self.rate(rates.overtime_bill_rate, rates.bill_rate);
        if self.billable { rate } else { Rate::default() }
    }

    /// What an hour of it costs by these rates: the overtime rate where that counts and there is one.
    pub(crate) fn cost_of(&self, rates: Rates) -> Rate {
        self.rate(rates.overtime_pay_rate, rates.pay_rate)
    }

    fn rate(&self, over: Option<Rate>, normal: Option<Rate>) -> Rate {
        over.filter(|_| self.overtime).or(normal).unwrap_or_default()
    }
}

/// The most windows of one [`WindowsRecorded`]: about 500 bytes each, 800 with parts, of 256 KiB.
pub const WINDOWS_AN_EVENT: usize = 300;

/// Windows were recorded, or changed to a higher revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowsRecorded {
    /// The batch they came in.
    pub batch: String,
    /// The windows as they are now.
    pub windows: Vec<WindowFact>,
}

impl Event for WindowsRecorded {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "windows";
    const VERB: &'static str = "recorded";
    /// Nobody: a question to analytics waits for the events before it.
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.batch.clone()
    }
}

/// Asks for what all windows count for, voided ones too, in the order of their ids: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListFacts {
    /// After this window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<WindowId>,
}

requests! {
    Timetrack: ListFacts => Page<WindowFact, WindowId>, "facts.list", idempotent;
}
