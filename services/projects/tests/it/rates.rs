//! Tests of rates with a first day, and of the history of the payroll.

use contracts::{
    Code, DatedRate, DeactivateEmployee, DeleteRate, EmployeeId, GetRate, LineSince, ListRates, Payee, Payroll,
    PayrollLine, Project, ProjectChanges, Rate, RateId, RateKind, RateScope, RatesChanged, SetMemberships, SetRate,
    Zone,
};
use jiff::civil::{Date, date};

use crate::fixture::Fixture;

fn amount(amount: f64) -> Rate {
    Rate::try_from(amount).unwrap()
}

fn bill(scope: RateScope, of: f64, valid_from: Date) -> SetRate {
    SetRate { scope, kind: RateKind::Bill, amount: amount(of), valid_from }
}

fn line(of: f64) -> PayrollLine {
    PayrollLine { bill_rate: Some(amount(of)), ..PayrollLine::default() }
}

fn rates_of(scope: RateScope) -> RatesChanged {
    RatesChanged { scope, version: 0, rates: Vec::new(), payroll: Vec::new() }
}

fn tomorrow(fixture: &Fixture) -> Date {
    Zone::default().day(fixture.harness.clock.now()).tomorrow().unwrap()
}

impl Fixture {
    async fn set(&self, set: SetRate) -> Result<DatedRate, contracts::Failure> {
        self.ask(&set).await
    }

    async fn delete(&self, id: RateId) -> Result<(), contracts::Failure> {
        self.ask(&DeleteRate { id, timezone: Zone::default() }).await
    }

    async fn set_payroll(&self, project: &Project, lines: &[(Payee, f64)]) {
        let payroll = Payroll(lines.iter().map(|(payee, of)| (*payee, line(*of))).collect());
        let changes = ProjectChanges { payroll: Some(payroll), ..Default::default() };
        self.change_project(project.id, changes).await.unwrap();
    }

    async fn told_of(&self, scope: RateScope, lines: usize) -> Vec<(bool, Option<PayrollLine>)> {
        let event = self.until_told(&rates_of(scope), |event| event.payroll.len() == lines).await;
        event.payroll.iter().map(|LineSince { since, line }| (since.is_some(), *line)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_set_told_found_and_deleted_until_its_day_begins() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    let scope = RateScope::project(project.id).of(ann);
    let now = fixture.set(bill(scope, 50.0, date(2026, 1, 1))).await.unwrap();
    let next = fixture.set(bill(scope, 60.0, tomorrow(&fixture))).await.unwrap();
    assert_eq!(fixture.ask(&GetRate { id: next.id }).await.unwrap(), next);
    let all = fixture.until_told(&rates_of(scope), |event| event.rates.len() == 2).await;
    assert!(all.rates.iter().any(|rate| (rate.amount, rate.valid_from) == (amount(60.0), next.valid_from)));

    assert_eq!(fixture.delete(now.id).await.unwrap_err().code, Code::RateHasBegun);
    fixture.delete(next.id).await.unwrap();
    assert_eq!(fixture.delete(next.id).await.unwrap_err().code, Code::NotFound);
    let left = fixture.until_told(&rates_of(scope), |event| event.rates.len() == 1).await;
    assert!(left.version > all.version);
    assert_eq!(fixture.ask(&ListRates::default()).await.unwrap().items, [now]);
    let actions = fixture.harness.audited().await.into_iter().map(|(_, entry)| entry.action);
    let actions: Vec<_> = actions.filter(|action| action.starts_with("rate.")).collect();
    assert_eq!(actions, ["rate.set", "rate.set", "rate.deleted"]);
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_one_day_there_is_one_amount_of_a_kind_however_many_set_it_at_once() {
    let fixture = Fixture::start_replicated().await;
    let day = date(2026, 3, 1);
    let all = RateScope::default();
    let set = futures::future::join_all((0..8).map(|n| fixture.set(bill(all, f64::from(n % 2), day)))).await;
    let stored = fixture.ask(&ListRates::default()).await.unwrap().items;
    assert_eq!(stored.len(), 1, "{stored:?}");
    for outcome in set {
        match outcome {
            Ok(rate) => assert_eq!(rate, stored[0]),
            Err(refused) => assert_eq!(refused.code, Code::RateExists),
        }
    }
    assert_eq!(fixture.set(SetRate { kind: RateKind::Pay, ..bill(all, 9.0, day) }).await.unwrap().amount, amount(9.0));
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_or_does_not_belong_together_has_no_rate() {
    let fixture = Fixture::start().await;
    let (one, other) = (fixture.project(&[]).await, fixture.project(&[]).await);
    let task = fixture.task(one.id, &[]).await;
    let refused = async |scope| fixture.set(bill(scope, 1.0, date(2026, 1, 1))).await.unwrap_err().code;
    assert_eq!(refused(RateScope::project(kit::new_id())).await, Code::UnknownProject);
    assert_eq!(refused(RateScope::task(kit::new_id())).await, Code::UnknownTask);
    assert_eq!(refused(RateScope::employee(kit::new_id())).await, Code::UnknownEmployee);
    assert_eq!(refused(RateScope { project: Some(other.id), ..RateScope::task(task.id) }).await, Code::UnknownTask);
    let far = fixture.set(bill(RateScope::default(), 1.0, date(2999, 1, 1))).await.unwrap_err();
    assert_eq!((far.code, far.errors[0].field.as_str()), (Code::Invalid, "validFrom"));
    // The request may name the project of the task. The rate is stored without the project, because
    // the task may move.
    let set = bill(RateScope { project: Some(one.id), ..RateScope::task(task.id) }, 1.0, date(2026, 1, 1));
    assert_eq!(fixture.set(set).await.unwrap().scope, RateScope::task(task.id));
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_takes_the_rates_of_projects_with_their_tasks_of_employees_and_of_kinds() {
    let fixture = Fixture::start().await;
    let (ann, project) = (fixture.employee().await, fixture.project(&[]).await);
    let task = fixture.task(project.id, &[]).await;
    let day = date(2026, 1, 1);
    let scopes = [
        RateScope::default(),
        RateScope::employee(ann),
        RateScope::project(project.id),
        RateScope::task(task.id),
        RateScope::task(task.id).of(ann),
    ];
    let mut rates = Vec::new();
    for scope in scopes {
        rates.push(fixture.set(bill(scope, 5.0, day)).await.unwrap());
    }
    let pay = fixture.set(SetRate { kind: RateKind::Pay, ..bill(scopes[0], 5.0, day) }).await.unwrap();
    let listed = async |list: ListRates| fixture.ask(&list).await.unwrap().items;
    let none = ListRates::default();
    assert_eq!(listed(ListRates { projects: vec![project.id], ..none.clone() }).await, rates[2..]);
    assert_eq!(listed(ListRates { tasks: vec![task.id], ..none.clone() }).await, rates[3..]);
    assert_eq!(listed(ListRates { employees: vec![ann], ..none.clone() }).await, [rates[1], rates[4]]);
    assert_eq!(listed(ListRates { everywhere: true, ..none.clone() }).await, [rates[0], rates[1], pay]);
    assert_eq!(listed(ListRates { kinds: vec![RateKind::Pay], ..none.clone() }).await, [pay]);
    assert_eq!(listed(ListRates { after: Some(rates[4].id), ..none }).await, [pay]);
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payroll_has_a_history_from_its_first_change_on() {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    let (all, own) = (RateScope::project(project.id), RateScope::project(project.id).of(ann));
    // There was no earlier line, so this one applies from the beginning.
    fixture.set_payroll(&project, &[(Payee::Everybody, 10.0)]).await;
    fixture.set_payroll(&project, &[(Payee::Everybody, 12.0)]).await;
    assert_eq!(fixture.told_of(all, 2).await, [(false, Some(line(10.0))), (true, Some(line(12.0)))]);
    // For Ann, this line replaces the line for everybody from now on.
    fixture.set_payroll(&project, &[(Payee::Everybody, 12.0), (Payee::Employee(ann), 20.0)]).await;
    assert_eq!(fixture.told_of(own, 2).await, [(false, None), (true, Some(line(20.0)))]);
    // A change of other fields adds nothing to the history.
    let name = ProjectChanges { description: Some(None), ..Default::default() };
    let before = fixture.harness.stream_messages(contracts::stream::EVENTS).await;
    fixture.change_project(project.id, name).await.unwrap();
    assert_eq!(
        fixture.harness.stream_messages(contracts::stream::EVENTS).await,
        before + 2,
        "the project, and its entry"
    );
    fixture.finish().await;
}

/// Makes Ann leave the project by `how`, and checks that her payroll line has ended and stays in
/// the history.
async fn leaves(how: impl AsyncFn(&Fixture, &Project, EmployeeId)) {
    let fixture = Fixture::start().await;
    let ann = fixture.employee().await;
    let project = fixture.project(&[ann]).await;
    fixture.set_payroll(&project, &[(Payee::Everybody, 10.0), (Payee::Employee(ann), 20.0)]).await;
    how(&fixture, &project, ann).await;
    let own = RateScope::project(project.id).of(ann);
    assert_eq!(fixture.told_of(own, 2).await, [(false, Some(line(20.0))), (true, None)]);
    assert_eq!(
        fixture.ask(&contracts::GetProject { id: project.id }).await.unwrap().payroll,
        Payroll([(Payee::Everybody, line(10.0))].into())
    );
    fixture.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_a_project_leaves_their_line_for_the_hours_before() {
    leaves(async |fixture, project, _| drop(fixture.put(project.id, &[]).await.unwrap())).await;
    leaves(async |fixture, _, ann| {
        let set = SetMemberships { employee_id: ann, projects: Vec::new(), only_check: false };
        drop(fixture.ask(&set).await.unwrap());
    })
    .await;
    leaves(async |fixture, _, ann| {
        fixture.ask(&DeactivateEmployee { id: ann }).await.unwrap();
        fixture.until_on(ann, 0).await;
    })
    .await;
}
