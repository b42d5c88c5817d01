//! Version-1 messages are frozen: `golden/` holds one JSON file for each, and each must still be
//! written and read exactly so. After adding an optional field, `UPDATE_GOLDEN=1 cargo test -p
//! contracts` writes the files anew; look at the difference before you commit it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
};

use contracts::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{json, value::to_raw_value};
use uuid::Uuid;

const AT: Millis = Millis(1_760_000_000_000);

fn id<T: From<Uuid>>(n: u128) -> T {
    Uuid::from_u128(0x0198_c6f2_7f00_7a31_9c5e_0000_0000_0000 + n).into()
}

fn on_condition<R>(change: R) -> Conditional<R> {
    Conditional { change, if_match: IfMatch(Some(vec![Tag::sent("0123456789abcdef")])) }
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn label(text: &str) -> Label {
    Label::parse(text).expect("a label")
}

fn note(text: &str) -> Note {
    Note::parse(text).expect("a note")
}

fn email() -> Email {
    Email::parse("ann@example.org").expect("an address")
}

fn rate(amount: f64) -> Rate {
    Rate::try_from(amount).expect("a rate")
}

fn range() -> TimeRange {
    TimeRange::new(AT, AT + HOUR).expect("a range")
}

fn permissions() -> SystemPermissions {
    let permissions = Permissions {
        accessibility: Permission::Authorized,
        screen_and_system_audio_recording: Permission::Undetermined,
    };
    SystemPermissions { computer: label("anns-mac"), permissions, created_at: Some(AT), updated_at: Some(AT) }
}

fn delivery(state: DeliveryState) -> InvitationDelivery {
    let detail = (state == DeliveryState::Retrying).then(|| "The mail server takes too long.".to_owned());
    InvitationDelivery { state, detail, at: AT }
}

fn employee() -> Employee {
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

fn standing() -> Standing {
    let active = Some(vec![Term { from: None, until: Some(AT) }]);
    Standing { id: id(1), version: 3, epoch: 1, deactivated_at: Some(AT), active }
}

fn payroll() -> Payroll {
    let own = PayrollLine { bill_rate: Some(rate(80.0)), pay_rate: Some(rate(40.5)), ..Default::default() };
    let all = PayrollLine { bill_rate: Some(rate(50.0)), overtime_bill_rate: Some(rate(75.25)), ..Default::default() };
    Payroll([(Payee::Everybody, all), (Payee::Employee(id(1)), own)].into())
}

fn project() -> Project {
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

fn task() -> Task {
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

fn window_sent() -> WindowSent {
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

fn window() -> Window {
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

/// The golden files, compared one by one; at the end none may be left over.
#[derive(Default)]
struct Golden {
    seen: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Golden {
    fn folder() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
    }

    fn is_updating() -> bool {
        env::var_os("UPDATE_GOLDEN").is_some()
    }

    /// Writes and reads the message, and compares both with the file.
    fn check<T: Serialize + DeserializeOwned>(&mut self, file: &str, message: &T) {
        let text = serde_json::to_string_pretty(message).expect("JSON") + "\n";
        let path = Self::folder().join(format!("{file}.json"));
        assert!(self.seen.insert(file.to_owned()), "{file} stands twice");
        if Self::is_updating() {
            fs::create_dir_all(Self::folder()).expect("the folder");
            fs::write(&path, &text).expect("the file");
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        let read_back =
            serde_json::from_str::<T>(&golden).map(|m| serde_json::to_string_pretty(&m).expect("JSON") + "\n");
        if golden != text || read_back.ok().as_ref() != Some(&golden) {
            self.wrong.push(file.to_owned());
        }
    }

    fn request<R: Request>(&mut self, request: R, reply: R::Reply) {
        self.check(&R::subject(), &request);
        self.check(&format!("{}.reply", R::subject()), &Reply::Ok(reply));
    }

    fn event<E: Event>(&mut self, event: E) {
        self.check(&E::filter().replace(".*.", "."), &event);
    }

    fn finish(self) {
        let files = fs::read_dir(Golden::folder()).expect("the folder").map(|f| f.expect("a file").file_name());
        let names: BTreeSet<String> = files.map(|f| f.to_string_lossy().trim_end_matches(".json").to_owned()).collect();
        assert!(
            self.wrong.is_empty(),
            "changed, although version 1 is frozen (see the top of this file): {:?}",
            self.wrong
        );
        assert_eq!(names, self.seen, "golden files without a message, or the other way round");
    }
}

#[test]
fn every_message_is_written_and_read_as_its_golden_file_says() {
    let mut golden = Golden::default();
    accounts(&mut golden);
    employees(&mut golden);
    teams(&mut golden);
    projects(&mut golden);
    rates(&mut golden);
    windows(&mut golden);
    periods(&mut golden);
    corrections(&mut golden);
    golden.request(
        GetProjectTime { range: range(), filter: filter() },
        vec![ProjectTime { id: id(3), time: HOUR, costs: Cents(4_050), income: Cents(5_000) }],
    );
    time(&mut golden);
    attention(&mut golden);
    names(&mut golden);
    golden.request(
        GetTaskTime { employee_id: id(1), task_id: id(4) },
        TaskTime { employee_id: id(1), task_id: id(4), total_time_millis: HOUR },
    );
    audit(&mut golden);
    golden.check("error.reply", &Reply::<()>::Error(Failure::field("name", "must not be empty")));
    let too_many = Failure::new(Code::TooManyAttempts, "Too many attempts have failed.").again_in(64);
    golden.check("error.too_many_attempts.reply", &Reply::<()>::Error(too_many));
    let caused = vec![Awaited { event: id(8), by: vec![Service::Directory, Service::Timetrack] }];
    golden.check("applied", &Applied { event: id(7), by: Service::Projects, caused });
    golden.finish();
}

fn accounts(golden: &mut Golden) {
    golden.request(Activate { token: Secret::new("token"), password: Secret::new("password") }, employee());
    let open = Invitation::Open { name: name("Ann Example"), email: email() };
    golden.request(GetInvitation { token: Secret::new("token") }, open);
    golden.check("svc.directory.v1.accounts.invitation.reply.used", &Reply::Ok(Invitation::Used));
    golden.request(
        CheckPassword {
            email: "ann@example.org".into(),
            password: Secret::new("password"),
            session: Some(WantedSession { agent: Some(label("T3/1.4")), refresh: true, token_seconds: 900 }),
        },
        logged_in(),
    );
    let minted = MintedToken { name: name("Ann Example"), email: email(), token: Secret::new("token"), expires_at: AT };
    golden.request(MintToken { invitation_id: id(6), employee_id: id(1) }, Some(minted));
    passwords(golden);
    golden.check("kv.revocations", &Revocation { epoch: 1 });
    golden.check("kv.revocations.beat", &Beat { number: 2, seen: 7 });
    golden.event(AccountChanged {
        employee_id: id(1),
        version: 4,
        generation: 2,
        except: Some(id(10)),
        role: Role::Admin,
    });
    keys(golden);
    sessions(golden);
}

fn logged_in() -> LoggedIn {
    let session =
        StartedSession { id: id(10), expires_at: AT + HOUR, refresh_token: Some(Secret::new("t3refresh_…")) };
    LoggedIn { employee_id: id(1), epoch: 1, generation: 2, session: Some(session) }
}

fn sessions(golden: &mut Golden) {
    golden.request(RefreshSession { refresh_token: Secret::new("t3refresh_…"), token_seconds: 900 }, logged_in());
    let session = Session {
        id: id(10),
        created_at: AT,
        last_seen_at: AT + HOUR,
        agent: Some(label("T3/1.4")),
        address: Some("192.0.2.7".into()),
        current: true,
    };
    golden.request(ListSessions {}, vec![session]);
    golden.request(EndSession { id: id(10) }, ());
    golden.request(EndOtherSessions {}, ());
    golden.request(LogOut {}, ());
    golden.request(MarkSessionsSeen { ids: vec![id(10)], at: AT }, ());
    golden.event(SessionEnded { session_id: id(10), until: AT + HOUR });
}

fn passwords(golden: &mut Golden) {
    let (token, password) = (|| Secret::new("token"), || Secret::new("password"));
    golden.request(ForgotPassword { email: "ann@example.org".into() }, ());
    golden.request(SendReset { id: id(1) }, ());
    golden.request(ResetPassword { token: token(), password: password() }, employee());
    golden.request(ChangePassword { id: id(1), old: password(), new: Secret::new("another password") }, ());
    let unconfirmed = Employee { email_unconfirmed: true, ..employee() };
    golden.request(ConfirmEmail { token: token(), password: password() }, unconfirmed);
    golden.event(MailRequested { mail_id: id(10) });
    let address = MailAddress { name: name("Ann Example"), email: email() };
    golden.request(GetMailAddress { employee_id: id(1) }, Some(address));
    let minted = |says| MintedMail { name: name("Ann Example"), email: email(), says };
    let mail = minted(MailSays::Reset { token: token(), expires_at: AT });
    golden.request(MintMail { mail_id: id(10) }, Some(mail));
    for (kind, says) in [
        ("confirmation", MailSays::Confirmation { token: token(), expires_at: AT }),
        ("password_changed", MailSays::PasswordChanged),
        ("address_changed", MailSays::AddressChanged),
    ] {
        golden.check(&format!("svc.directory.v1.mails.mint.reply.{kind}"), &Reply::Ok(Some(minted(says))));
    }
    let open = Link::Open { name: name("Ann Example"), email: email() };
    golden.request(GetLink { token: token(), to: LinkTo::Reset }, open);
    golden.check("svc.directory.v1.mails.link.reply.over", &Reply::Ok(Link::Over));
}

fn keys(golden: &mut Golden) {
    let scopes: Scopes = [Scope::read(Resource::Projects), Scope::write(Resource::Time)].into_iter().collect();
    let about = ApiKey {
        id: id(9),
        name: name("Nightly export"),
        role: None,
        scopes: scopes.clone(),
        created_at: AT,
        expires_at: Some(AT + HOUR),
        created_by: Some(Actor::Root),
        last_used_on: Some("2025-10-09".into()),
    };
    golden.request(
        CreateApiKey {
            name: name("Nightly export"),
            role: Some(Role::Auditor),
            scopes: Some(scopes.clone()),
            expires_at: Some(AT + HOUR),
        },
        NewApiKey { about: about.clone(), key: key_text(id(9), [7; 32]) },
    );
    golden.request(ListApiKeys {}, vec![about.clone()]);
    golden.request(GetApiKey { id: id(9) }, about);
    golden.request(RevokeApiKey { id: id(9) }, ());
    golden.request(MarkKeyUsed { id: id(9), on: "2025-10-09".into() }, ());
    golden.request(on_condition(SetRole { id: id(1), role: Role::Admin }), employee());
    golden.event(ApiKeyChanged {
        id: id(9),
        version: 1,
        hash: "ab".repeat(32),
        role: Some(Role::Auditor),
        scopes: Some(scopes),
        expires_at: Some(AT + HOUR),
        revoked: false,
    });
    let table: BTreeMap<_, _> = Role::ALL.map(|role| (format!("{role:?}").to_lowercase(), role.scopes())).into();
    golden.check("roles", &table);
}

fn teams(golden: &mut Golden) {
    let team = || Team { id: id(11), name: name("Design"), managers: vec![id(12)], employees: vec![id(1)] };
    let (managers, employees) = (Some(vec![id(12)]), Some(vec![id(1)]));
    let create = CreateTeam { name: name("Design"), managers: managers.clone(), employees: employees.clone() };
    golden.request(create, team());
    golden.request(GetTeam { id: id(11) }, team());
    golden.request(ListTeams { after: Some(id(11)) }, Page { items: vec![team()], next: Some(id(11)) });
    let changes = TeamChanges { name: Some(name("Design")), managers, employees };
    golden.request(on_condition(UpdateTeam { id: id(11), changes }), team());
    golden.request(on_condition(DeleteTeam { id: id(11) }), ());
    golden.request(GetTeamMembers { teams: vec![id(11)] }, vec![id(1)]);
    golden.request(ListManagers { after: Some(id(1)) }, Page { items: vec![id(2)], next: Some(id(2)) });
    let managed = ManagedTeams { teams: vec![id(11)], employees: vec![id(1)], projects: vec![id(3)] };
    golden.request(GetReach { manager: id(12) }, managed);
    golden.event(TeamChanged { team: team(), version: 2, deleted: true });
    let within = Within { employees: vec![id(1)], manager: Some(id(12)) };
    golden.check("within", &Bounded { asked: GetEmployee { id: id(1) }, within: Some(within) });
}

fn employees(golden: &mut Golden) {
    golden.request(CreateEmployee { name: name("Ann Example"), email: email() }, employee());
    golden.request(GetEmployee { id: id(1) }, employee());
    golden.request(ListEmployees { after: Some(id(1)) }, Page { items: vec![employee()], next: Some(id(1)) });
    let changes = EmployeeChanges { name: Some(name("Ann")), email: Some(email()), title: Some(None) };
    golden.request(on_condition(UpdateEmployee { id: id(1), changes, only_check: true }), employee());
    golden.request(on_condition(DeactivateEmployee { id: id(1) }), employee());
    golden.request(ReactivateEmployee { id: id(1) }, employee());
    let invited = Employee { is_active: false, invitation: Some(delivery(DeliveryState::Queued)), ..employee() };
    golden.request(InviteEmployee { id: id(1) }, invited);
    golden.request(on_condition(SetPermissions { id: id(1), entry: permissions() }), employee());
    golden.request(GetStandings { ids: vec![id(1)] }, vec![standing()]);
    golden.event(EmployeeChanged(standing()));
    let next = Some(id(1));
    golden.request(ListStandings { after: next }, Page { items: vec![standing()], next });
    golden.request(ReconcileDirectory {}, Reconciled { compared: 7, found: 1, repaired: 1 });
    golden.event(InvitationRequested { invitation_id: id(6), employee_id: id(1), version: 1 });
    let delivery = delivery(DeliveryState::Retrying);
    golden.event(DeliveryChanged { invitation_id: id(6), employee_id: id(1), version: 2, delivery });
}

fn projects(golden: &mut Golden) {
    let create = json!({
        "name": "Website", "description": "All of it", "billable": false, "employees": [id::<EmployeeId>(1)],
        "statuses": ["To Do"], "priorities": ["Low"], "screenshotSettings": {"screenshotEnabled": true},
        "payroll": {"*": {"billRate": 50}},
    });
    golden.request(serde_json::from_value::<CreateProject>(create).expect("a project"), project());
    golden.request(GetProject { id: id(3) }, project());
    let set = SetMemberships { employee_id: id(1), projects: vec![id(3)], only_check: true };
    golden.request(on_condition(set), vec![id::<ProjectId>(3)]);
    golden.request(
        ListProjects { archived: true, after: Some(id(3)) },
        Page { items: vec![project()], next: Some(id(3)) },
    );
    let changes = json!({
        "name": "Website", "description": null, "billable": true, "employees": [], "statuses": ["To Do"],
        "priorities": ["Low"], "screenshotSettings": {"screenshotEnabled": true}, "payroll": {}, "archived": true,
    });
    let changes: ProjectChanges = serde_json::from_value(changes).expect("changes");
    golden.request(on_condition(UpdateProject { id: id(3), changes }), project());
    golden.request(on_condition(DeleteProject { id: id(3) }), ());

    let create = json!({
        "name": "Front page", "projectId": id::<ProjectId>(3), "description": "It", "billable": false,
        "employees": [id::<EmployeeId>(1)], "status": "To Do", "priority": "Low",
    });
    golden.request(serde_json::from_value::<CreateTask>(create).expect("a task"), task());
    golden.request(GetTask { id: id(4) }, task());
    golden.request(
        ListTasks { project_id: Some(id(3)), after: Some(id(4)) },
        Page { items: vec![task()], next: Some(id(4)) },
    );
    let changes = json!({
        "name": "Front page", "projectId": id::<ProjectId>(3), "description": null, "billable": true,
        "employees": [], "status": "Done", "priority": "Low",
    });
    let changes: TaskChanges = serde_json::from_value(changes).expect("changes");
    golden.request(on_condition(UpdateTask { id: id(4), changes }), task());
    golden.request(on_condition(DeleteTask { id: id(4) }), ());

    let (first, second) = (Term { from: None, until: Some(AT) }, Term { from: Some(AT + HOUR), until: None });
    let project = ProjectChanged {
        id: id(3),
        version: 2,
        payroll: payroll(),
        archived: false,
        deleted: false,
        open: Some(vec![first, second]),
    };
    golden.event(project.clone());
    golden.request(ListProjectStates { after: Some(id(3)) }, Page { items: vec![project], next: Some(id(3)) });
    let task = TaskChanged {
        id: id(4),
        project_id: id(3),
        version: 2,
        billable: true,
        status: label("To Do"),
        priority: label("Low"),
        deleted: false,
        projects: Some(vec![
            ProjectTerm { project_id: id(7), term: first },
            ProjectTerm { project_id: id(3), term: Term { from: first.until, until: None } },
        ]),
    };
    golden.event(task.clone());
    golden.request(ListTaskStates { after: Some(id(4)) }, Page { items: vec![task], next: Some(id(4)) });
    let member = MemberChanged { project_id: id(3), employee_id: id(1), version: 3, terms: vec![first, second] };
    golden.event(member.clone());
    let next = Some(MemberKey { project: id(3), employee: id(1) });
    golden.request(ListMembers { after: next }, Page { items: vec![member], next });
    let assignment = AssignmentChanged {
        task_id: id(4),
        project_id: id(3),
        employee_id: id(1),
        version: 2,
        terms: vec![TaskTerm { term: second, member_term: 1 }],
        former: vec![FormerTerms { project_id: id(7), terms: vec![TaskTerm { term: first, member_term: 0 }] }],
    };
    golden.event(assignment.clone());
    let next = Some(AssignmentKey { task: id(4), employee: id(1) });
    golden.request(ListAssignments { after: next }, Page { items: vec![assignment], next });
    golden.request(ReconcileProjects {}, Reconciled { compared: 7, found: 1, repaired: 1 });
}

#[test]
fn what_earlier_versions_told_of_bindings_is_still_read() {
    let (employee, project, task) = (id::<EmployeeId>(1), id::<ProjectId>(3), id::<TaskId>(4));
    let standing: Standing = read(json!({ "id": employee, "version": 3, "epoch": 1, "deactivatedAt": AT }));
    assert_eq!((standing.deactivated_at, standing.active), (Some(AT), None));
    let changed = json!({ "id": project, "version": 2, "payroll": {}, "archived": true, "deleted": false });
    assert_eq!(read::<ProjectChanged>(changed).open, None);
    let changed = json!({
        "id": task, "projectId": project, "version": 2, "billable": true, "status": "To Do", "priority": "Low",
        "deleted": false,
    });
    assert_eq!(read::<TaskChanged>(changed).projects, None);
    let changed = json!({
        "taskId": task, "projectId": project, "employeeId": employee, "version": 2,
        "terms": [{ "term": { "from": AT }, "memberTerm": 1 }],
    });
    let changed: AssignmentChanged = read(changed);
    assert_eq!((changed.terms.len(), changed.former), (1, Vec::new()));
}

fn read<T: DeserializeOwned>(json: serde_json::Value) -> T {
    serde_json::from_value(json).expect("it is read")
}

fn audit(golden: &mut Golden) {
    let subject = AuditSubject::new("employee", id::<EmployeeId>(1));
    let changes = changed(&employee(), &Employee { name: name("Anna Example"), ..employee() });
    let told = Audited::new(id(7), Service::Directory, Action::EmployeeUpdated, subject.clone(), AT);
    let told = Audited { address: Some("192.0.2.7".into()), changes: Some(changes.clone()), ..told };
    golden.check("evt.audit.recorded", &told);
    let request_id = Some("0198c6f2-7f00-7a31-9c5e-000000000009".to_owned());
    let list = ListAuditEntries {
        start: Some(AT),
        end: Some(AT + HOUR),
        actor: Some(Actor::Root),
        subject: Some(subject.id.clone()),
        action: Some(Action::EmployeeUpdated.to_string()),
        request_id: request_id.clone(),
        after: Some(4712),
        limit: Some(100),
    };
    let entry = AuditEntry {
        seq: 4711,
        id: id(7),
        at: AT,
        actor: Actor::Root.into(),
        action: Action::EmployeeUpdated.to_string(),
        subject,
        request_id,
        cause: Some(id(8)),
        address: Some("192.0.2.7".into()),
        changes: Some(changes),
        hash: "00".repeat(32),
    };
    golden.request(list, Page { items: vec![entry], next: Some(4711) });
}

fn filter() -> Filter {
    Filter { employees: vec![id(1)], projects: vec![id(3)], tasks: vec![id(4)], shifts: vec![label("shift-1")] }
}

fn time(golden: &mut Golden) {
    let cursor = TimeCursor { start: AT, project: Some(id(3)), task: Some(id(4)), employee: Some(id(1)) };
    let asked = GetTime {
        range: range(),
        group_by: ["project", "task", "employee", "day", "week", "month"]
            .map(|by| by.parse().expect("a grouping"))
            .into(),
        timezone: "Asia/Kathmandu".parse().expect("a time zone"),
        filter: filter(),
        after: Some(cursor),
    };
    let row = TimeRow {
        day: Some(jiff::civil::date(2025, 10, 9)),
        week: Some(jiff::civil::date(2025, 10, 6)),
        month: Some(YearMonth::of(jiff::civil::date(2025, 10, 9))),
        project: Some(id(3)),
        task: Some(id(4)),
        employee: Some(id(1)),
        time: HOUR,
        costs: Cents(4_050),
        income: Cents(5_000),
    };
    golden.request(asked, Page { items: vec![row], next: Some(cursor) });
}

fn periods(golden: &mut Golden) {
    let period = PeriodId { employee: id(1), first: jiff::civil::date(2025, 10, 1) };
    let sum = PeriodSum { time: HOUR, costs: Cents(4_050), income: Cents(5_000), hash: TimeMark(17) };
    let known = KnownPeriod {
        id: period,
        start: AT,
        end: AT + HOUR,
        status: PeriodStatus::Approved,
        sum: Some(sum),
        adjusted: Some(AdjustedSum { time: HOUR, costs: Cents(4_050), income: Cents(5_000) }),
        submitted_at: Some(AT),
        submitted_hash: Some(TimeMark(17)),
        approved_at: Some(AT),
        approved_by: Some("root".into()),
        note: Some(note("Friday was missing.")),
        pay_run: Some(id(12)),
    };
    golden.request(
        ListPeriods { range: range(), employees: vec![id(1)], after: Some(period) },
        Page { items: vec![known.clone()], next: Some(period) },
    );
    golden.request(GetPeriod { id: period }, known.clone());
    golden.request(SubmitPeriod { id: period }, known.clone());
    golden.request(on_condition(ApprovePeriod { id: period }), known.clone());
    golden.request(SendBackPeriod { id: period, note: note("Friday is missing.") }, known.clone());
    golden.request(ReopenPeriod { id: period, reason: note("A sheet was found.") }, known.clone());
    let timezone: Zone = "Europe/Berlin".parse().expect("a zone");
    let decision = PeriodDecision::SentBack;
    golden.event(PeriodDecided { period: known, version: 3, decision, timezone: timezone.clone() });
    golden.request(
        GetPeriodSums { ranges: vec![range()], employees: vec![id(1)], after: Some(id(2)) },
        Page { items: vec![EmployeeSums { employee: id(1), sums: vec![sum] }], next: Some(id(1)) },
    );
    let adjustment = Adjustment {
        id: id(5),
        employee_id: id(1),
        project_id: id(3),
        task_id: id(4),
        start: AT,
        end: AT + HOUR,
        counts_at: AT + 2 * HOUR,
        sum: AdjustedSum { time: HOUR, costs: Cents(4_050), income: Cents(5_000) },
        hash: TimeMark(18),
    };
    let after = AdjustmentCursor { counts_at: AT, id: id(5) };
    golden.request(
        ListAdjustments { range: range(), employees: vec![id(1)], after: Some(after) },
        Page { items: vec![adjustment.clone()], next: Some(after) },
    );
    golden.event(AdjustmentMade { adjustment, timezone });
    pay_runs(golden, period);
    let lock =
        Lock { project_id: Some(id(3)), locked_until: Some(AT), changed_by: Some("root".into()), changed_at: AT };
    golden.request(ListLocks {}, vec![lock.clone()]);
    golden.request(SetLock { project_id: Some(id(3)), locked_until: AT }, lock.clone());
    let reason = note("A sheet was found.");
    golden.request(ReopenLock { project_id: Some(id(3)), locked_until: Some(AT), reason }, lock);
    let settles = SettledTime { employee_id: Some(id(1)), project_id: None, start: Some(AT), end: AT + HOUR };
    golden.event(SettlementChanged { id: period.to_string(), version: 2, settles: Some(settles) });
}

/// A window with other rates on its second day.
fn two_days() -> Window {
    let rates = Rates { bill_rate: Some(rate(60.0)), ..window().rates() };
    Window { rate_parts: vec![RatePart::new(AT + 1_800_000, rates)], ..window() }
}

fn rates(golden: &mut Golden) {
    let (valid_from, amount) = (jiff::civil::date(2026, 2, 1), rate(62.5));
    let scope = RateScope::project(id(3)).of(id(1));
    let set = DatedRate { id: id(13), scope, kind: RateKind::OvertimeBill, amount, valid_from, created_at: AT };
    golden.request(SetRate { scope, kind: RateKind::OvertimeBill, amount, valid_from }, set);
    golden.request(GetRate { id: id(13) }, set);
    let list = ListRates {
        projects: vec![id(3)],
        tasks: vec![id(4)],
        employees: vec![id(1)],
        kinds: vec![RateKind::Pay],
        everywhere: true,
        after: Some(id(12)),
    };
    golden.request(list, Page { items: vec![set], next: Some(id(13)) });
    golden.request(DeleteRate { id: id(13), timezone: "Europe/Berlin".parse().expect("a zone") }, ());
    let line = payroll().line(id(1));
    golden.event(RatesChanged {
        scope,
        version: 4,
        rates: vec![RateSince { kind: RateKind::Bill, amount, valid_from, set_at: AT }],
        payroll: vec![LineSince { since: None, line: Some(line) }, LineSince { since: Some(AT), line: None }],
    });
}

fn reprice(golden: &mut Golden) {
    let filter = RepriceFilter {
        employees: vec![id(1)],
        projects: vec![id(3)],
        tasks: vec![id(4)],
        shifts: vec![label("shift-1")],
        begin: Some(range()),
    };
    let difference = RepriceDifference { costs: Cents(-50), income: Cents(1_250) };
    let (costs, income, hash) = (Cents(4_050), Cents(6_250), "9f86d081884c7d65".to_owned());
    let preview = RepricePreview { count: 2, settled: 1, costs, income, difference, hash: hash.clone() };
    golden.request(PreviewReprice { filter: filter.clone() }, preview);
    let job = RepriceJob {
        id: id(14),
        state: RepriceState::Done,
        count: 2,
        changed: 2,
        settled: 1,
        seen: 3,
        total: 3,
        started_at: AT,
        finished_at: Some(AT + HOUR),
    };
    golden.request(StartReprice { filter, hash }, job.clone());
    golden.request(GetReprice { id: id(14) }, job);
}

fn pay_runs(golden: &mut Golden, period: PeriodId) {
    let run = PayRun {
        id: id(12),
        start: AT,
        end: AT + HOUR,
        created_at: AT,
        created_by: Some("root".into()),
        period_count: 1,
        time: HOUR,
        costs: Cents(4_050),
        income: Cents(5_000),
        adjustment_time: 0,
        adjustment_costs: Cents(0),
        adjustment_income: Cents(0),
    };
    golden.request(CreatePayRun { start: AT, end: AT + HOUR }, MadePayRun { run: run.clone(), is_new: true });
    golden.request(GetPayRun { id: id(12) }, run.clone());
    golden.request(ListPayRuns { after: Some(id(12)) }, Page { items: vec![run], next: Some(id(12)) });
    let paid = PaidPeriod {
        id: period,
        employee_id: id(1),
        start: AT,
        end: AT + HOUR,
        time: HOUR,
        costs: Cents(4_050),
        income: Cents(5_000),
        adjustment_time: 0,
        adjustment_costs: Cents(0),
        adjustment_income: Cents(0),
        hash: TimeMark(17),
    };
    golden
        .request(ListPaidPeriods { run: id(12), after: Some(period) }, Page { items: vec![paid], next: Some(period) });
}

fn attention(golden: &mut Golden) {
    let after = OverlapCursor { employee_id: id(1), start: AT, id: id(5) };
    let lost = Overlapped {
        id: id(9),
        project_id: id(3),
        task_id: id(4),
        start: AT,
        end: AT + HOUR,
        computer: label("anns-pc"),
        taken_time: 60_000,
    };
    let overlap = Overlap {
        id: id(5),
        employee_id: id(1),
        project_id: id(3),
        task_id: id(4),
        start: AT,
        end: AT + HOUR,
        computer: label("anns-mac"),
        taken_time: 60_000,
        taken_from_count: 1,
        taken_from_other_computers: 60_000,
        taken_from: vec![lost],
    };
    let (employees, projects) = (vec![id(1)], vec![id(3)]);
    golden.request(
        ListOverlaps { range: range(), employees, projects, after: Some(after) },
        Page { items: vec![overlap], next: Some(after) },
    );
    let after = TimeCursor { start: AT, project: None, task: None, employee: Some(id(1)) };
    let day = LongDay {
        day: jiff::civil::date(2025, 10, 9),
        employee_id: id(1),
        time: 17 * HOUR,
        window_time: 18 * HOUR,
        window_count: 2,
        longest: Some(LongestWindow { id: id(5), project_id: id(3), task_id: id(4), start: AT, end: AT + HOUR }),
    };
    let asked = ListLongDays {
        range: range(),
        longer_than: 16 * HOUR,
        timezone: "Asia/Kathmandu".parse().expect("a time zone"),
        employees: vec![id(1)],
        after: Some(after),
    };
    golden.request(asked, Page { items: vec![day], next: Some(after) });
}

fn corrections(golden: &mut Golden) {
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

fn names(golden: &mut Golden) {
    let roster = ListRoster { range: range(), employees: vec![id(1)], skip: 50, limit: 50 };
    let people = vec![RosterEntry { id: id(1), name: name("Ann Example") }];
    golden.request(roster, Roster { count: 51, people });
    golden.request(CountUndelivered { employees: vec![id(1)] }, 2);
    golden.request(GetEmployeeNames { ids: vec![id(1)] }, [(id(1), name("Ann Example"))].into());
    golden.request(GetKeyNames { ids: vec![id(9)] }, [(id(9), name("Nightly export"))].into());
    golden.request(
        GetWorkNames { projects: vec![id(3)], tasks: vec![id(4)] },
        WorkNames { projects: [(id(3), name("Website"))].into(), tasks: [(id(4), name("Front page"))].into() },
    );
}

fn windows(golden: &mut Golden) {
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
    golden.event(WindowsHeld { batch: "batch".into(), windows: vec![id(5), id(6)] });
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
