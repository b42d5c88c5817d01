//! Example values for the messages in the golden files.

use contracts::*;
use uuid::Uuid;

pub(crate) const AT: Millis = Millis(1_760_000_000_000);

pub(crate) fn id<T: From<Uuid>>(n: u128) -> T {
    Uuid::from_u128(0x0198_c6f2_7f00_7a31_9c5e_0000_0000_0000 + n).into()
}

pub(crate) fn on_condition<R>(change: R) -> Conditional<R> {
    Conditional { change, if_match: IfMatch(Some(vec![Tag::sent("0123456789abcdef")])) }
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

pub(crate) fn label(text: &str) -> Label {
    Label::parse(text).expect("a label")
}

pub(crate) fn note(text: &str) -> Note {
    Note::parse(text).expect("a note")
}

pub(crate) fn email() -> Email {
    Email::parse("ann@example.org").expect("an address")
}

pub(crate) fn rate(amount: f64) -> Rate {
    Rate::try_from(amount).expect("a rate")
}

pub(crate) fn range() -> TimeRange {
    TimeRange::new(AT, AT + HOUR).expect("a range")
}

pub(crate) fn permissions() -> SystemPermissions {
    let permissions = Permissions {
        accessibility: Permission::Authorized,
        screen_and_system_audio_recording: Permission::Undetermined,
    };
    SystemPermissions { computer: label("anns-mac"), permissions, created_at: Some(AT), updated_at: Some(AT) }
}

pub(crate) fn delivery(state: DeliveryState) -> InvitationDelivery {
    let detail = (state == DeliveryState::Retrying).then(|| "The mail server takes too long.".to_owned());
    InvitationDelivery { state, detail, at: AT }
}

pub(crate) fn employee() -> Employee {
    Employee {
        id: id(1),
        name: name("Ann Example"),
        email: email(),
        account_id: id(2),
        organization_id: ORGANIZATION.into(),
        email_unconfirmed: false,
        identifier: email(),
        kind: "personal".into(),
        title: Some(label("Engineer")),
        role: Role::Manager,
        team_id: Some(id(11)),
        projects: vec![id(3)],
        system_permissions: vec![permissions()],
        is_active: true,
        created_at: AT,
        invited: AT,
        invitation: None,
        deactivated_at: None,
        deactivated: Millis(0),
    }
}

pub(crate) fn employee_state() -> EmployeeState {
    let active = Some(vec![Term { from: None, until: Some(AT) }]);
    EmployeeState { id: id(1), version: 3, epoch: 1, deactivated_at: Some(AT), active }
}

pub(crate) fn payroll() -> Payroll {
    let own = PayrollLine { bill_rate: Some(rate(80.0)), pay_rate: Some(rate(40.5)), ..Default::default() };
    let all = PayrollLine { bill_rate: Some(rate(50.0)), overtime_bill_rate: Some(rate(75.25)), ..Default::default() };
    Payroll([(Payee::Everybody, all), (Payee::Employee(id(1)), own)].into())
}

pub(crate) fn project() -> Project {
    Project {
        id: id(3),
        name: name("Website"),
        description: Some(note("All of it")),
        billable: true,
        employees: vec![id(1)],
        screenshot_settings: ScreenshotSettings { screenshot_enabled: false },
        payroll: payroll(),
        creator_id: CREATOR.into(),
        organization_id: ORGANIZATION.into(),
        archived: false,
        statuses: vec![label("To Do"), label("Done")],
        priorities: vec![label("Low")],
        created_at: AT,
    }
}

pub(crate) fn task() -> Task {
    Task {
        id: id(4),
        name: name("Front page"),
        project_id: id(3),
        description: None,
        billable: true,
        employees: vec![id(1)],
        status: label("To Do"),
        priority: label("Low"),
        creator_id: CREATOR.into(),
        organization_id: ORGANIZATION.into(),
        created_at: AT,
    }
}

pub(crate) fn window_sent() -> WindowSent {
    WindowSent {
        id: Some(id(5)),
        start: AT,
        end: AT + HOUR,
        timezone_offset: 7_200_000,
        project_id: id(3),
        task_id: id(4),
        task_status: Some(label("To Do")),
        task_priority: Some(label("Low")),
        note: Some(note("the header")),
        computer: label("anns-mac"),
        user: label("ann"),
        domain: Some(label("corp")),
        os: label("darwin"),
        os_version: label("15.1"),
        hwid: label("9f8e7d6c"),
        shift_id: Some(label("shift-1")),
        kind: Some(WindowType::Tracked),
    }
}

pub(crate) fn window() -> Window {
    Window {
        id: id(5),
        employee_id: id(1),
        shift_id: label("shift-1"),
        organization_id: ORGANIZATION.into(),
        kind: WindowType::Manual,
        start: AT,
        end: AT + HOUR,
        timezone_offset: 7_200_000,
        start_translated: AT - 7_200_000,
        end_translated: AT + HOUR - 7_200_000,
        negative_time: 60_000,
        project_id: id(3),
        task_id: id(4),
        task_status: label("To Do"),
        task_priority: label("Low"),
        note: None,
        billable: true,
        overtime: false,
        paid: false,
        bill_rate: Some(rate(50.0)),
        overtime_bill_rate: Some(rate(75.25)),
        pay_rate: None,
        overtime_pay_rate: None,
        rate_parts: Vec::new(),
        computer: label("anns-mac"),
        user: label("ann"),
        domain: None,
        os: label("darwin"),
        os_version: label("15.1"),
        hwid: label("9f8e7d6c"),
        created_at: AT,
        updated_at: AT,
        correction_id: Some(id(12)),
    }
}

/// Makes a window on two days, with other rates on the second. The examples take the moment 30
/// minutes after `AT` as the midnight between the days.
pub(crate) fn two_days() -> Window {
    let rates = Rates { bill_rate: Some(rate(60.0)), ..window().rates() };
    Window { rate_parts: vec![RatePart::new(AT + 1_800_000, rates)], ..window() }
}

pub(crate) fn filter() -> Filter {
    Filter { employees: vec![id(1)], projects: vec![id(3)], tasks: vec![id(4)], shifts: vec![label("shift-1")] }
}
