use contracts::{IngestItem, Label, Millis, ORGANIZATION, Price, Window, shift_id};

use super::Admitted;

/// Makes the recorded window from the window as it was sent and from what the admission has
/// determined: the task's status and priority, whether it is billable, and the rates.
///
/// `negativeTime` depends on other windows, so it is 0 here. It is computed whenever the window is
/// read.
pub(crate) fn record(item: IngestItem, admitted: Admitted) -> Window {
    let IngestItem { id, employee_id, received_at, window: sent, .. } = item;
    let shift = sent.shift_id.unwrap_or_else(|| {
        let id = shift_id(employee_id, &sent.hwid, sent.start).to_string();
        Label::parse(&id).expect("a UUID is a label")
    });
    let Price { rates, parts } = admitted.price;
    let translated = |at: Millis| at - sent.timezone_offset;
    Window {
        id,
        employee_id,
        shift_id: shift,
        organization_id: ORGANIZATION.to_owned(),
        kind: sent.kind.unwrap_or_default(),
        start: sent.start,
        end: sent.end,
        timezone_offset: sent.timezone_offset,
        start_translated: translated(sent.start),
        end_translated: translated(sent.end),
        negative_time: 0,
        project_id: sent.project_id,
        task_id: sent.task_id,
        task_status: admitted.status,
        task_priority: admitted.priority,
        note: sent.note,
        billable: admitted.billable,
        overtime: false,
        paid: false,
        bill_rate: rates.bill_rate,
        overtime_bill_rate: rates.overtime_bill_rate,
        pay_rate: rates.pay_rate,
        overtime_pay_rate: rates.overtime_pay_rate,
        rate_parts: parts,
        computer: sent.computer,
        user: sent.user,
        domain: sent.domain,
        os: sent.os,
        os_version: sent.os_version,
        hwid: sent.hwid,
        created_at: received_at,
        updated_at: received_at,
        correction_id: None,
    }
}
