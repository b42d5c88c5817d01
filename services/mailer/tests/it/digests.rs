//! Tests of the daily mail to managers about what waits for their decision.

use std::time::Duration;

use bson::doc;
use contracts::{
    AskCorrection, Caller, Conditional, CorrectionSent, CreateProject, CreateTask, CreateTeam, DAY, DigestRequested,
    Employee, EmployeeId, Event, EventId, HOUR, IfMatch, Millis, Name, PeriodId, Role, Service, SetRole, SetSettings,
    Settings, SubmitPeriod, Zone, stream,
};
use jiff::civil::{Date, date};
use mailer::Config;
use serde_json::json;
use testkit::{Running, eventually, eventually_within};

use crate::{fixture::Fixture, smtp_server::SmtpServer};

const SUBJECT: &str = "What waits for you in T3";
const ZOE: &str = "zoe@x.org";

/// A company in Tokyo. Zoe manages Ann and herself, and Yan manages Bob. Bob is named as a manager
/// of Ann too, but does not have the role of a manager.
struct Company {
    fixture: Fixture,
    server: SmtpServer,
    ann: Employee,
    zoe: Employee,
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

impl Company {
    /// Starts the company. Ann has submitted two periods and requested a correction, and Zoe has
    /// submitted one of her own periods.
    async fn with_what_waits() -> Self {
        let company = Self::start().await;
        let harness = &company.fixture.harness;
        harness.spawn(projects::needs(), |d, s| projects::run(projects::Config::default(), d, s)).await;
        company.submit(company.ann.id, date(2025, 9, 1)).await;
        company.submit(company.ann.id, date(2025, 10, 1)).await;
        company.submit(company.zoe.id, date(2025, 10, 1)).await;
        let project = json!({ "name": "Website", "employees": [company.ann.id] });
        let project: CreateProject = serde_json::from_value(project).unwrap();
        let project = harness.ask(&project).await.unwrap().id;
        let task = json!({ "name": "Front page", "projectId": project, "employees": [company.ann.id] });
        let task: CreateTask = serde_json::from_value(task).unwrap();
        let task = harness.ask(&task).await.unwrap().id;
        let (start, end) = (harness.clock.now(), harness.clock.now() + HOUR);
        let asked = json!({ "start": start, "end": end, "projectId": project, "taskId": task, "reason": "I forgot." });
        let asked: CorrectionSent = serde_json::from_value(asked).unwrap();
        let ask = AskCorrection { id: asked.id(company.ann.id), asked };
        harness.clock.advance(2 * HOUR);
        eventually("the correction is asked for", async || {
            harness.bus().ask(Caller::Employee(company.ann.id), &ask).await.ok()
        })
        .await;
        company
    }

    /// Starts the services and creates the people of the company. Nothing waits for a decision.
    async fn start() -> Self {
        let (fixture, server) = (Fixture::start().await, SmtpServer::start());
        let harness = &fixture.harness;
        harness.spawn(timetrack::needs(), |d, s| timetrack::run(timetrack::Config::default(), d, s)).await;
        let settings = Settings { timezone: "Asia/Tokyo".parse().unwrap(), ..Settings::default() };
        let change = SetSettings { settings };
        harness.ask(&Conditional { change, if_match: IfMatch::default() }).await.unwrap();
        let never = Config { email_digest_hour: Some("never".into()), ..server.config() };
        let inviting = fixture.start_mailer(never).await;
        let mut people = Vec::new();
        for (who, email) in [("Ann", "ann@x.org"), ("Bob", "bob@x.org"), ("Yan", "yan@x.org"), ("Zoe", ZOE)] {
            people.push(fixture.employ(&server, who, email).await);
        }
        fixture.until_status("sent", 4).await;
        inviting.stop().await;
        let [ann, bob, yan, zoe] = people.try_into().unwrap();
        for manager in [&yan, &zoe] {
            fixture.harness.ask(&SetRole { id: manager.id, role: Role::Manager }).await.unwrap();
        }
        for (team, managers, employees) in
            [("Design", vec![zoe.id, bob.id], vec![ann.id, zoe.id]), ("Crew", vec![yan.id], vec![bob.id])]
        {
            let (managers, employees) = (Some(managers), Some(employees));
            fixture.harness.ask(&CreateTeam { name: name(team), managers, employees }).await.unwrap();
        }
        Self { fixture, server, ann, zoe }
    }

    async fn submit(&self, employee: EmployeeId, first: Date) {
        let id = PeriodId { employee, first };
        self.fixture.harness.bus().ask(Caller::Employee(employee), &SubmitPeriod { id }).await.unwrap();
    }

    /// Starts a mailer that sends the daily mails from seven on.
    async fn mailer(&self) -> Running {
        self.fixture.start_mailer(Config { email_digest_hour: Some("7".into()), ..self.server.config() }).await
    }

    /// Advances the clock to this hour of the next day in Tokyo. Returns that day, and the moment
    /// at which it ends.
    fn tomorrow_at(&self, hour: i64) -> (Date, Millis) {
        let (clock, tokyo): (_, Zone) = (&self.fixture.harness.clock, "Asia/Tokyo".parse().unwrap());
        let tomorrow = tokyo.day(clock.now()).tomorrow().unwrap();
        clock.advance(tokyo.beginning(tomorrow) + hour * HOUR - clock.now());
        (tomorrow, tokyo.beginning(tomorrow) + DAY)
    }

    /// Waits until all requested mails are sent or dropped.
    async fn until_done(&self) {
        self.fixture.harness.until_consumed(stream::EVENTS, Service::Mailer).await;
    }
}

/// Waits until a mailer has checked at least `times` times whether the hour has come. The last
/// check may not have ended.
async fn until_looked(mailer: &Running, times: u64) {
    let enough = async || (looked(mailer).await >= times).then_some(());
    eventually_within(Duration::from_secs(40), "it has looked", enough).await;
}

/// Returns how often a mailer has queried the organisation's time zone. It makes no more queries on
/// a day whose mails are requested.
async fn looked(mailer: &Running) -> u64 {
    let metrics = mailer.get("/metrics").await;
    let asked =
        |line: &&str| line.starts_with("rpc_client_call_duration_seconds_count") && line.contains("\"settings.get\"");
    metrics.lines().filter(asked).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_is_mailed_once_a_day_what_waits_however_many_replicas_and_restarts_there_are() {
    let company = Company::with_what_waits().await;
    company.tomorrow_at(6);
    let replicas = [company.mailer().await, company.mailer().await];
    for replica in &replicas {
        until_looked(replica, 2).await;
    }
    company.fixture.harness.clock.advance(HOUR);
    let mails = company.server.until_mails_to(ZOE, SUBJECT, 1).await;
    let said = mails[0]["plain"].as_str().unwrap();
    assert!(said.contains("2 pay periods are submitted") && said.contains("1 correction is asked for"), "{said}");
    assert!(said.contains("https://time.example.org/console/approvals"), "{said}");
    let written = mails[0]["headers"]["date"].as_str().unwrap();
    assert!(written.contains(" 22:"), "it is seven in Tokyo: {written}");
    company.until_done().await;
    let third = company.mailer().await;
    until_looked(&third, 1).await;
    // This mailer queries the time zone every few seconds, because its hour has not come. Four
    // queries take so long that another mailer would have checked too.
    let later = Config { email_digest_hour: Some("23".into()), ..company.server.config() };
    let later = company.fixture.start_mailer(later).await;
    until_looked(&later, 4).await;
    later.stop().await;
    company.until_done().await;
    assert_eq!(company.server.mails_about(SUBJECT).len(), 1, "nobody but Zoe has somebody who waits, once");
    assert_eq!(looked(&third).await, 1, "nobody is asked again on a day whose mails are requested");
    for replica in replicas {
        replica.stop().await;
    }

    company.tomorrow_at(23);
    company.server.until_mails_to(ZOE, SUBJECT, 2).await;
    company.until_done().await;
    assert_eq!(company.server.mails_about(SUBJECT).len(), 2);
    third.stop().await;
    company.fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mails_of_a_day_are_sent_once_where_whoever_requested_them_died_and_where_they_are_told_twice() {
    let company = Company::start().await;
    company.submit(company.ann.id, date(2025, 10, 1)).await;
    let (day, until) = company.tomorrow_at(8);
    // These documents are what a process leaves if it ends after the commit and before it publishes
    // the events.
    let database = company.fixture.harness.database(Service::Mailer).await;
    let last = doc! { "_id": "last", "day": day.to_string() };
    database.collection::<bson::Document>("digests").insert_one(last).await.unwrap();
    let requested = DigestRequested { manager_id: company.zoe.id, day, until };
    let payload = serde_json::to_string(&requested).unwrap();
    let id = kit::mongo::value(&kit::new_id::<EventId>());
    let row = doc! { "_id": id, "subject": requested.subject(), "payload": payload, "headers": {} };
    database.collection::<bson::Document>("outbox").insert_one(row).await.unwrap();
    let mailer = company.mailer().await;
    company.server.until_mails_to(ZOE, SUBJECT, 1).await;
    company.fixture.harness.publish_twice(&requested).await;
    until_looked(&mailer, 1).await;
    company.until_done().await;
    assert_eq!(company.server.mails_about(SUBJECT).len(), 1);
    mailer.stop().await;
    company.fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_could_not_be_sent_all_day_is_dropped_for_that_of_the_next_day() {
    let company = Company::start().await;
    company.submit(company.ann.id, date(2025, 9, 1)).await;
    company.tomorrow_at(8);
    company.server.refuse(true);
    let mailer = company.mailer().await;
    eventually_within(Duration::from_secs(30), "the mail server refuses it", async || {
        company.fixture.deliveries().await.iter().any(|mail| mail.is_refused).then_some(())
    })
    .await;
    company.tomorrow_at(6);
    company.submit(company.ann.id, date(2025, 10, 1)).await;
    company.server.refuse(false);
    // The mail to Yan fails because nothing waits for him, and the one to Zoe because its day is
    // over.
    company.fixture.until_status("failed", 2).await;
    company.fixture.harness.clock.advance(HOUR);
    let mails = company.server.until_mails_to(ZOE, SUBJECT, 1).await;
    assert!(mails[0]["plain"].as_str().unwrap().contains("2 pay periods are submitted"), "{mails:?}");
    company.until_done().await;
    assert_eq!(company.server.mails_about(SUBJECT).len(), 1);
    mailer.stop().await;
    company.fixture.harness.finish().await;
}
