//! Tests of pay in the console: periods are approved, paid and downloaded as files, locks are
//! moved, and late windows are shown.

use std::io::Cursor;

use calamine::{Data, DataType, Reader, Xlsx};
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    company::Company,
    fixture::{HOUR, id},
    support::Person,
    visit::somebody,
};

const PAY_RUNS: &str = "/console/pay-runs";
const APPROVALS: &str = "/console/approvals";
const LOCKS: &str = "/console/locks";
const DAY: i64 = 24 * HOUR;

impl Company {
    /// Returns Ann's last pay period that has ended.
    async fn last_month(&self) -> Value {
        let now = self.now();
        let query = format!("start={}&end={now}&employeeId={}", now - 33 * DAY, self.fixture.ann.id);
        let periods = self.system().get(&format!("/api/v1/period?{query}")).await;
        let ended = periods.as_array().unwrap().iter().rfind(|period| period["end"].as_i64().unwrap() <= now);
        ended.unwrap().clone()
    }

    /// Returns a window of Ann's, one hour long, on the eleventh day of a period, this many hours
    /// after noon.
    fn hour_in(&self, period: &Value, hours: i64) -> Value {
        let start = period["start"].as_i64().unwrap() + 10 * DAY + (12 + hours) * HOUR;
        self.fixture.window(start, start + HOUR)
    }

    /// Approves and pays Ann's last period, admits an hour that arrived late for it, and locks a
    /// project. Returns the id of the pay run. A second call does nothing and returns the same id.
    pub async fn settle(&self) -> String {
        let (period, system) = (self.last_month().await, self.system());
        if period["payRun"].is_string() {
            return period["payRun"].as_str().unwrap().to_owned();
        }
        self.fixture.post(self.hour_in(&period, 0)).await.expect(201);
        self.fixture.approve_now(&format!("/api/v1/period/{}", id(&period))).await;
        let range = json!({ "start": period["start"], "end": period["end"] });
        let run = system.admin("POST", "/api/v1/pay-run", range).await.expect(201);
        self.fixture.post(self.hour_in(&period, 2)).await.expect(202);
        let held = system.get("/api/v1/quarantine").await;
        let late = held.as_array().unwrap().iter().find(|held| held["code"] == "period_locked").unwrap();
        system.admin("POST", &format!("/api/v1/quarantine/{}/admit", id(late)), Value::Null).await.expect(200);
        let lock = json!({ "projectId": self.fixture.project, "lockedUntil": period["start"] });
        system.put("/api/v1/lock", lock).await;
        id(&run)
    }

    /// Requests a page that must be answered 200, and returns the HTML.
    async fn open_page(&self, path: &str, person: &Person) -> String {
        let (status, html) = self.page(path, person).await;
        assert_eq!(status, 200, "{path}: {html}");
        html
    }

    /// Downloads a file, and returns its content type, its content disposition and its bytes.
    async fn file(&self, path: &str) -> (String, String, Vec<u8>) {
        let cookie = format!("t3={}", self.owner.token);
        let answer = self.system().request("GET", path).header("cookie", cookie).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        let said = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let (kind, name) = (said("content-type"), said("content-disposition"));
        (kind, name, answer.bytes().await.unwrap().to_vec())
    }
}

/// Formats milliseconds as hours and minutes, as pages show them.
fn hours(millis: &Value) -> String {
    let minutes = (millis.as_i64().unwrap() + 30_000) / 60_000;
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// Returns the first and the last day of a period, in UTC.
fn days(period: &Value) -> (String, String) {
    let day = |at: i64| jiff::Timestamp::from_millisecond(at).unwrap().strftime("%Y-%m-%d").to_string();
    (day(period["start"].as_i64().unwrap()), day(period["end"].as_i64().unwrap() - 1))
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_go_from_the_employee_to_a_spreadsheet_and_what_comes_late_is_shown_beside_them() {
    let company = Company::start().await;
    let (system, owner, ann) = (company.system(), &company.owner, &company.fixture.ann);
    let period = company.last_month().await;
    company.fixture.post(company.hour_in(&period, 0)).await.expect(201);
    let (period, which) = (company.last_month().await, id(&period));
    let person = format!("/console/people/{}", ann.id);

    let html = company.open_page("/me", ann).await;
    assert!(html.contains(&format!("value=\"{which}\"")) && html.contains("It is complete"), "{html}");
    let (status, leads, html) = company.send("/me/submit", ann, &[("id", &which)]).await;
    assert_eq!((status, leads.as_str()), (303, "/me?done=submitted"), "{html}");

    // Ann's page and the list of all periods show the sums of the period, and the forms for
    // deciding about it.
    let seen = format!("{which}@{}", period["hash"].as_str().unwrap());
    for page in [&person, &APPROVALS.to_owned()] {
        let html = company.open_page(page, owner).await;
        assert!(html.contains(&format!("value=\"{seen}\"")) && html.contains("/send-back"), "{page}: {html}");
        assert!(html.contains(&format!("<td class=\"number\">{}</td>", hours(&period["time"]))), "{page}: {html}");
    }
    let from = format!("person={}", ann.id);
    let back = [("id", which.as_str()), ("note", "Friday is missing."), ("from", &from)];
    let (status, leads, html) = company.send(&format!("{APPROVALS}/send-back"), owner, &back).await;
    assert_eq!((status, leads), (303, format!("{person}?done=sent-back")), "{html}");
    assert!(company.open_page(&person, owner).await.contains("open again: Friday is missing."));
    assert_eq!(company.send("/me/submit", ann, &[("id", &which)]).await.0, 303);
    let approve = [("periods", seen.as_str()), ("from", &from)];
    let (status, leads, html) = company.send(&format!("{APPROVALS}/approve"), owner, &approve).await;
    assert_eq!((status, leads), (303, format!("{person}?done=approved")), "{html}");
    let html = company.open_page(&person, owner).await;
    assert!(html.contains(">approved<") && html.contains("/console/approvals/reopen"), "{html}");
    for strange in ["person=//evil.example", "person=x", "day=2026-01-01&next=//evil.example"] {
        let again = [("periods", seen.as_str()), ("from", strange)];
        let (status, leads, _) = company.send(&format!("{APPROVALS}/approve"), owner, &again).await;
        assert!(status == 303 && leads.starts_with(APPROVALS) && !leads.contains("evil"), "{leads}");
    }

    // The page offers the days of Ann's period. After a refused range, it shows an error and keeps
    // the typed values.
    let (first, last) = days(&period);
    let html = company.open_page(PAY_RUNS, owner).await;
    assert!(html.contains("There are none yet") && html.contains(&format!("value=\"{first}\"")), "{html}");
    for (from, to, status, said) in [
        (last.as_str(), first.as_str(), 422, "id=\"pay-run-to-error\""),
        ("soon", last.as_str(), 422, "id=\"pay-run-from-error\""),
        ("2001-01-01", "2001-01-31", 409, "role=\"alert\""),
    ] {
        let (found, _, html) = company.send(PAY_RUNS, owner, &[("from", from), ("to", to)]).await;
        assert_eq!(found, status, "{html}");
        let kept = [from, to].iter().all(|typed| html.contains(&format!("value=\"{typed}\"")));
        assert!(html.contains(said) && kept, "{from} {to}: {html}");
    }
    let make = [("from", first.as_str()), ("to", last.as_str())];
    let (status, leads, html) = company.send(PAY_RUNS, owner, &make).await;
    let (run, _) = leads.split_once("?done=paid").unwrap_or_else(|| panic!("{status} {leads} {html}"));
    assert_eq!(company.send(PAY_RUNS, owner, &make).await.1, format!("{run}?done=paid-before"));
    let line = format!(
        "Ann {first} – {last} {} no rate {:.2} none",
        hours(&period["time"]),
        period["income"].as_f64().unwrap()
    );
    let lines = company.lines(run).await;
    assert_eq!(lines[1], line);
    assert!(lines[2].starts_with("All ") && lines[2].ends_with("none"), "{lines:?}");
    let listed = company.open_page(PAY_RUNS, owner).await;
    assert!(listed.contains(&format!("href=\"{run}\"")) && listed.contains("Olga Owner"), "{listed}");
    assert!(company.open_page(&person, owner).await.contains(&format!("href=\"{run}\">paid")));

    // The files of the pay run have the same content as the answer of the API.
    let whole = system.get(&run.replace(PAY_RUNS, "/api/v1/pay-run")).await;
    let (kind, name, bytes) = company.file(&format!("{run}/xlsx")).await;
    assert!(kind.ends_with("spreadsheetml.sheet") && name.contains("pay-run.xlsx"), "{kind} {name}");
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    let sheet = book.worksheet_range("Sheet1").unwrap();
    let all = sheet.rows().find(|row| row[0] == *"All").unwrap();
    let Data::DateTime(time) = &all[3] else { panic!("a length of time: {all:?}") };
    assert_eq!((time.as_f64() * DAY as f64).round() as i64, whole["time"].as_i64().unwrap());
    assert_eq!(all[5].as_f64(), whole["income"].as_f64());
    let (_, name, csv) = company.file(&format!("{run}/csv")).await;
    let csv = String::from_utf8(csv).unwrap();
    assert!(name.contains("pay-run.csv") && csv.lines().nth(1).unwrap().starts_with(&which), "{csv}");
    let (_, name, file) = company.file(&format!("{run}/json")).await;
    assert!(name.contains("pay-run.json"), "{name}");
    assert_eq!(serde_json::from_slice::<Value>(&file).unwrap(), whole);

    // A window that arrives late for a paid period is quarantined. After its admission, it counts
    // in an open period and is shown with both periods.
    let late = company.hour_in(&period, 2);
    company.fixture.post(late.clone()).await.expect(202);
    let held = system.get("/api/v1/quarantine").await;
    let held = held.as_array().unwrap().iter().find(|held| held["code"] == "period_locked").unwrap();
    assert!(company.open_page("/console/attention", owner).await.contains("as an adjustment"));
    let held = id(held);
    let (status, leads, html) = company.send("/console/attention/admit", owner, &[("id", &held)]).await;
    assert!(status == 303 && leads.starts_with("/console/attention?done=recorded"), "{leads} {html}");
    let html = company.open_page(&leads, owner).await;
    let window = format!("/console/windows/{held}");
    assert!(html.contains("the hours count now") && html.contains(&window), "{html}");
    assert!(company.open_page(&window, owner).await.contains("Ann"), "it leads to what was worked");
    let now = company.now();
    let listed = system.get(&format!("/api/v1/adjustment?start={}&end={}", now - HOUR, now + HOUR)).await;
    assert_eq!(
        (&listed[0]["start"], &listed[0]["time"], &listed[0]["employeeName"]),
        (&late["start"], &json!(HOUR), &json!("Ann"))
    );
    let of_day = format!("/console/reports?from={first}&to={}", days(&json!({ "start": now, "end": now + 1 })).0);
    let worked = jiff::Timestamp::from_millisecond(late["start"].as_i64().unwrap()).unwrap();
    let worked = worked.strftime("%Y-%m-%d %H:%M").to_string();
    for (page, reader) in [(&person, owner), (&of_day, owner), (&"/me".to_owned(), ann)] {
        let html = company.open_page(page, reader).await;
        assert!(html.contains("ours that came late") && html.contains(&worked), "{page}: {html}");
    }
    assert!(company.open_page(&person, owner).await.contains("1:00, no rate, income 50.00"));
    assert_eq!(company.last_month().await["time"], period["time"], "what was paid is as it was");
    assert_eq!(system.get(&run.replace(PAY_RUNS, "/api/v1/pay-run")).await, whole);
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_moved_forward_and_opened_again_with_a_reason_by_forms() {
    let company = Company::start().await;
    let (system, owner) = (company.system(), &company.owner);
    let project = company.fixture.project.as_str();
    let html = company.open_page(LOCKS, owner).await;
    assert!(html.contains("Nothing is locked.") && html.contains(&format!("value=\"{project}\"")), "{html}");
    let lock = async |project: &str, day: &str| company.send(LOCKS, owner, &[("project", project), ("day", day)]).await;
    for (project, day) in [("", "2025-10-01"), (project, "2025-10-15"), ("", "2025-10-02")] {
        let (status, leads, html) = lock(project, day).await;
        assert_eq!((status, leads.as_str()), (303, "/console/locks?done=locked"), "{html}");
    }
    for (project, day, status, wrong) in [
        ("", "2025-10-01", 409, "lock-day-error"),
        ("", "2199-01-01", 422, "lock-day-error"),
        ("", "", 422, "lock-day-error"),
        ("0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071", "2025-10-20", 400, "lock-project-error"),
    ] {
        let (found, _, html) = lock(project, day).await;
        assert_eq!(found, status, "{html}");
        assert!(html.contains(&format!("id=\"{wrong}\"")) && html.contains(&format!("value=\"{day}\"")), "{html}");
    }
    let lines = company.lines(LOCKS).await;
    assert!(lines[1].starts_with("Everything 2025-10-02 00:00") && lines[1].contains("by Olga Owner"), "{lines:?}");
    assert!(lines[2].starts_with("Website 2025-10-15 00:00"), "{lines:?}");
    let held = company.fixture.window(1_760_000_000_000, 1_760_000_000_000 + HOUR);
    assert_eq!(company.fixture.post(held).await.status, 202, "the 9th of October is settled on the project");

    let reopen = async |project: &str, day: &str, reason: &str| {
        let form = [("project", project), ("day", day), ("reason", reason)];
        company.send(&format!("{LOCKS}/reopen"), owner, &form).await
    };
    let (status, _, html) = reopen(project, "2025-10-05", " ").await;
    assert_eq!(status, 422, "{html}");
    let ids = [
        format!("id=\"reopen-{project}-reason-error\""),
        "value=\"2025-10-05\"".to_owned(),
        "<details open".to_owned(),
    ];
    assert!(ids.iter().all(|said| html.contains(said)) && html.matches("<details open").count() == 1, "{html}");
    let (status, _, html) = reopen("", "2025-11-01", "A sheet was found.").await;
    assert!(
        status == 422 && html.contains("id=\"reopen-all-day-error\"") && html.contains("A sheet was found."),
        "{html}"
    );
    let (status, leads, html) = reopen(project, "2025-10-05", "A sheet was found.").await;
    assert_eq!((status, leads.as_str()), (303, "/console/locks?done=reopened"), "{html}");
    eventually("what was held back is recorded", async || {
        (company.fixture.windows(1_760_000_000_000, 1_760_000_000_001).await.len() == 1).then_some(())
    })
    .await;
    assert_eq!(reopen("", "", "Another one.").await.0, 303);
    let lines = company.lines(LOCKS).await;
    assert!(
        lines[1].starts_with("Everything nothing") && lines[2].starts_with("Website 2025-10-05 00:00"),
        "{lines:?}"
    );
    eventually("the trail tells why", async || {
        let trail = system.get("/api/v1/audit?action=lock.reopened").await;
        (trail.to_string().matches("sheet was found").count() == 1).then_some(())
    })
    .await;
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_only_look_sees_no_forms_and_managers_see_no_pay_runs() {
    let company = Company::start().await;
    let (system, ann) = (company.system(), &company.fixture.ann);
    let run = format!("{PAY_RUNS}/{}", company.settle().await);
    let person = format!("/console/people/{}", ann.id);
    let auditor = somebody(system, "Aude", "auditor").await;
    let manager = somebody(system, "Mona", "manager").await;
    let team = json!({ "name": "Crew", "managers": [manager.id], "employees": [ann.id, manager.id] });
    system.admin("POST", "/api/v1/team", team).await.expect(201);
    let menu = |html: &str| html.contains(&format!("href=\"{PAY_RUNS}\""));

    for page in [PAY_RUNS, &run, LOCKS, APPROVALS, &person] {
        let html = company.open_page(page, &auditor).await;
        let forms = html.split("<main").nth(1).unwrap().matches("method=\"post\"").count();
        assert!(forms == 0 && menu(&html), "{page}: {html}");
    }
    for file in ["json", "csv", "xlsx"] {
        assert_eq!(company.page(&format!("{run}/{file}"), &manager).await.0, 403, "{file}");
    }
    for (page, person) in [(PAY_RUNS, &manager), (&run, &manager), (PAY_RUNS, ann), (&run, ann), (LOCKS, ann)] {
        let (status, html) = company.page(page, person).await;
        assert!(status == 403 && !menu(&html), "{page}: {html}");
    }
    // Managers see the locks, because locks settle the hours of their employees. A manager does not
    // see the lock of a project that none of these employees is on.
    let other = id(&system.create_project(json!({ "name": "Elsewhere" })).await);
    system.put("/api/v1/lock", json!({ "projectId": other, "lockedUntil": 1_760_000_000_000_i64 })).await;
    let html = company.open_page(LOCKS, &manager).await;
    assert!(html.contains("Website") && !html.contains("Elsewhere") && !html.contains("Lock it"), "{html}");
    assert!(company.open_page(LOCKS, &company.owner).await.contains("Elsewhere"));
    for who in [&auditor, &manager, ann] {
        let range = [("from", "2026-01-01"), ("to", "2026-01-31")];
        assert_eq!(company.send(PAY_RUNS, who, &range).await.0, 403);
        assert_eq!(company.send(LOCKS, who, &[("project", ""), ("day", "2025-01-01")]).await.0, 403);
        let reopen = [("project", ""), ("day", ""), ("reason", "Mine.")];
        assert_eq!(company.send(&format!("{LOCKS}/reopen"), who, &reopen).await.0, 403);
    }
    // A manager decides about Ann's periods but not about their own, and may not reopen a period.
    let html = company.open_page(&person, &manager).await;
    assert!(html.contains("/console/approvals/approve") && !html.contains("/console/approvals/reopen"), "{html}");
    let html = company.open_page(&format!("/console/people/{}", manager.id), &manager).await;
    assert!(html.contains("Somebody else decides") && !html.contains("/console/approvals/approve"), "{html}");
    assert_eq!(system.get("/api/v1/pay-run").await.as_array().unwrap().len(), 1, "nothing was made");

    // The only adjustment is Ann's. Ann, her manager and the auditor see it. Neither Ann nor the
    // manager may request the adjustments of the auditor, who is not in the manager's team.
    let range = format!("start={}&end={}", company.now() - DAY, company.now() + DAY);
    let of = async |token: &str, query: &str| {
        system.employee(token, "GET", &format!("/api/v1/adjustment?{range}{query}"), Value::Null).await
    };
    for (token, count) in [(&manager.token, 1), (&auditor.token, 1), (&ann.token, 1)] {
        assert_eq!(of(token, "").await.expect(200).as_array().unwrap().len(), count);
    }
    assert_eq!(of(&ann.token, &format!("&employeeId={}", auditor.id)).await.refused(403), "forbidden");
    assert_eq!(of(&manager.token, &format!("&employeeId={}", auditor.id)).await.refused(403), "other_team");
    company.fixture.system.finish().await;
}
