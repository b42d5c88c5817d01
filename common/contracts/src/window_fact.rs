//! The facts of a window, from which time and money are counted, and the event with them.

use serde::{Deserialize, Serialize};

use crate::{
    EmployeeId, Event, Label, Millis, Page, ProjectId, Rate, RatePart, Service, TaskId, Window, WindowId,
    message::requests,
};

/// The rates of a window, currency an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rates {
    /// The bill rate of an hour.
    pub bill_rate: Option<Rate>,
    /// The bill rate of an overtime hour; without it, the normal rate counts.
    pub overtime_bill_rate: Option<Rate>,
    /// The pay rate of an hour.
    pub pay_rate: Option<Rate>,
    /// The pay rate of an overtime hour; without it, the normal rate counts.
    pub overtime_pay_rate: Option<Rate>,
}

/// The facts of one window, from which its time and money are counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowFact {
    /// The window.
    pub id: WindowId,
    /// The number of changes. The facts with the higher revision count, in whatever order they come.
    pub revision: i64,
    /// The employee whose time it is.
    pub employee_id: EmployeeId,
    /// The project worked on.
    pub project_id: ProjectId,
    /// The task worked on.
    pub task_id: TaskId,
    /// The id of the shift.
    pub shift_id: Label,
    /// When it began.
    pub start: Millis,
    /// When it ended.
    pub end: Millis,
    /// Whether it earns income.
    pub billable: bool,
    /// Whether the overtime rates apply.
    pub overtime: bool,
    /// The rates at its start.
    pub rates: Rates,
    /// The changes of rates on later days, in order. Version 1 of a fact had none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rate_parts: Vec<RatePart>,
    /// Whether it was voided: it no longer counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voided: bool,
}

impl WindowFact {
    /// The facts of a window at a revision.
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

    /// The income of an hour at these rates: none if it is not billable; the overtime rate if that applies and
    /// there is one.
    pub(crate) fn income_of(&self, rates: Rates) -> Rate {
        let rate = self.rate(rates.overtime_bill_rate, rates.bill_rate);
        if self.billable { rate } else { Rate::default() }
    }

    /// The cost of an hour at these rates: the overtime rate if that applies and there is one.
    pub(crate) fn cost_of(&self, rates: Rates) -> Rate {
        self.rate(rates.overtime_pay_rate, rates.pay_rate)
    }

    fn rate(&self, over: Option<Rate>, normal: Option<Rate>) -> Rate {
        over.filter(|_| self.overtime).or(normal).unwrap_or_default()
    }
}

/// The most windows in one [`WindowsRecorded`]: each takes about 500 bytes, 800 with parts, of 256 KiB.
pub const WINDOWS_AN_EVENT: usize = 300;

/// Windows were recorded, or changed to a higher revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowsRecorded {
    /// The id of the batch that they came in.
    pub batch: String,
    /// The windows as they are now.
    pub windows: Vec<WindowFact>,
}

impl Event for WindowsRecorded {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "windows";
    const VERB: &'static str = "recorded";
    /// No service: a request to analytics waits for the events before it.
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.batch.clone()
    }
}

/// Asks for the facts of all windows, voided ones included, in the order of their ids: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListFacts {
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<WindowId>,
}

requests! {
    Timetrack: ListFacts => Page<WindowFact, WindowId>, "facts.list", idempotent;
}
