//! Golden files of messages about time windows.

use contracts::*;
use serde_json::{json, value::to_raw_value};

use crate::{
    examples::{AT, filter, id, label, note, on_condition, range, two_days, window, window_sent},
    files::Golden,
    rates::reprice,
};

pub(crate) fn windows(golden: &mut Golden) {
    golden.request(GetWindow { id: id(5), seq: Some(17), set_aside: true }, WindowState::Recorded(Box::new(window())));
    let rejected = WindowState::Rejected { code: Code::NotOnTask, detail: "You were not on this task.".into() };
    golden.check("svc.timetrack.v1.windows.get.reply.rejected", &Reply::Ok(rejected));
    golden.check("svc.timetrack.v1.windows.get.reply.queued", &Reply::Ok(WindowState::Queued));
    let set_aside = WindowState::SetAside { code: Code::ClockAhead, detail: "It is recorded by itself.".into() };
    golden.check("svc.timetrack.v1.windows.get.reply.set_aside", &Reply::Ok(set_aside));
    let cursor = WindowCursor { start: AT, id: id(5) };
    let list = ListWindows { range: range(), filter: filter(), after: Some(cursor), limit: Some(100) };
    golden.request(list, Page { items: vec![window()], next: Some(cursor) });
    let tracked = Tracked {
        employee_id: id(1),
        project_id: id(3),
        task_id: id(4),
        computer: label("anns-mac"),
        since: Some(AT),
        until: AT + HOUR,
    };
    let tracking = ListTracking { employees: vec![id(1)], skip: 50, limit: 50 };
    golden.request(tracking, TrackingNow { count: 51, people: vec![tracked] });
    let stretch = Stretch { project_id: id(3), task_id: id(4), start: AT, end: AT + HOUR, time: HOUR - 60_000 };
    let lane = Lane { employee_id: id(1), stretches: vec![stretch], lost: vec![(AT - HOUR, AT)] };
    let lanes = ListLanes { range: range(), employees: vec![id(1), id(2)], after: Some(id(1)) };
    golden.request(lanes, Page { items: vec![lane], next: Some(id::<EmployeeId>(1)) });
    golden.request(ListSilent { worked: range(), silent: range(), employees: vec![id(1)] }, vec![id(1)]);
    let changes = json!({
        "taskStatus": "Done", "taskPriority": "Low", "paid": true, "billable": true, "overtime": true, "note": null,
        "billRate": 50, "overtimeBillRate": null, "payRate": 30.5, "overtimePayRate": null,
    });
    let changes: WindowChanges = serde_json::from_value(changes).expect("changes");
    let update = UpdateWindows {
        employees: vec![id(1)],
        projects: vec![id(3)],
        tasks: vec![id(4)],
        shifts: vec![label("shift-1")],
        begin: Some(range()),
        changes,
    };
    golden.request(update, WindowsUpdated { modified: 2 });
    let correction = json!({
        "start": AT, "end": AT + HOUR, "projectId": id::<ProjectId>(3), "taskId": id::<TaskId>(4), "taskStatus": "Done",
        "taskPriority": "Low", "paid": true, "billable": true, "overtime": true, "note": null, "billRate": 50,
        "overtimeBillRate": null, "payRate": 30.5, "overtimePayRate": null,
    });
    let changes: WindowCorrection = serde_json::from_value(correction).expect("changes");
    golden.request(
        on_condition(CorrectWindow { id: id(5), changes, reason: Some(note("Went home earlier.")) }),
        window(),
    );
    golden.request(on_condition(VoidWindow { id: id(5), reason: Some(note("Sent twice.")) }), ());
    let held = QuarantinedWindow {
        id: id(5),
        employee_id: id(1),
        code: Code::NotOnTask,
        detail: "You were not on this task.".into(),
        waiting: false,
        due: Some(AT),
        received_at: AT,
        since: AT,
        content: Some(id(9)),
        decided_by: Some("root".into()),
        decided_at: Some(AT),
        recorded_as: Some(id(6)),
        window: window_sent(),
    };
    let cursor = QuarantineCursor { since: AT, employee_id: id(1), id: id(5), content: Some(id(9)) };
    let list = ListQuarantine { after: Some(cursor), decided: true, employee: Some(id(1)) };
    golden.request(list, Page { items: vec![held], next: Some(cursor) });
    golden.request(CountQuarantine {}, 3);
    golden.request(ReplayQuarantined { id: id(5), content: Some(id(9)), set_aside: true }, WindowState::Queued);
    golden.request(AdmitQuarantined { id: id(5), content: Some(id(9)) }, window());
    golden.request(DiscardQuarantined { id: id(5), content: Some(id(9)) }, ());
    let settings = Settings {
        timezone: "Europe/Berlin".parse().expect("a zone"),
        pay_period: PayPeriod::Biweek,
        anchor: "2026-01-04".parse().expect("a day"),
        week_start: WeekDay::Sunday,
        currency: None,
    };
    golden.request(GetSettings {}, settings.clone());
    let in_euros = Settings { currency: "EUR".parse().ok(), ..settings.clone() };
    golden.check("svc.timetrack.v1.settings.get.reply.currency", &Reply::Ok(in_euros));
    golden.request(on_condition(SetSettings { settings: settings.clone() }), settings);
    let after = Some(id(5));
    golden.request(ListFacts { after }, Page { items: vec![WindowFact::of(&window(), 1)], next: after });
    golden.check(
        "svc.timetrack.v1.windows.get.reply.rate_parts",
        &Reply::Ok(WindowState::Recorded(Box::new(two_days()))),
    );
    let on_two_days = WindowFact::of(&two_days(), 2);
    golden.check("evt.timetrack.v1.windows.recorded.rate_parts", &on_two_days);
    reprice(golden);
    golden.event(SettingsChanged {});
    let sum = FactSum { employee_id: id(1), month: 202_510, windows: 120, revisions: 121, time: 100 * HOUR };
    golden.request(SumFacts { after: Some(id(1)) }, Page { items: vec![sum], next: Some(id(1)) });
    golden.request(
        ListFactsOf { employee_id: id(1), start: AT, end: AT + DAY, after },
        Page { items: vec![WindowFact::of(&window(), 1)], next: after },
    );
    golden.request(FindFacts { ids: vec![id(5)] }, vec![WindowFact::of(&window(), 1)]);
    golden.request(ReconcileTimetrack {}, Reconciled { compared: 7, found: 1, repaired: 1 });
    golden.request(ReconcileAnalytics {}, Reconciled { compared: 7, found: 1, repaired: 1 });
    golden.event(BindingsRepaired { id: id(10) });
    golden.event(QuarantineChanged { batch: "batch".into(), windows: vec![id(5), id(6)] });
    golden.event(WindowsRecorded { batch: "batch".into(), windows: vec![WindowFact::of(&window(), 1)] });

    let item = IngestItem {
        id: id(5),
        employee_id: id(1),
        received_at: AT,
        hash: content_hash(&window_sent()),
        window: window_sent(),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
    };
    golden.check("ingest.v1.windows", &IngestBatch { items: vec![item] });
    let raw = || to_raw_value(&json!({"id": "…"})).expect("JSON");
    let rejected = Outcome::Rejected { code: Code::NotOnProject, detail: "You were not on this project.".into() };
    let set_aside = vec![SetAside { item: 4, code: Code::ClockAhead, detail: "It is recorded by itself.".into() }];
    let items = vec![Outcome::Stored(raw()), Outcome::Duplicate(raw()), Outcome::Conflict, rejected, Outcome::Queued];
    golden.check("ingest.v1.windows.answer", &IngestAnswer { items, set_aside });
}
