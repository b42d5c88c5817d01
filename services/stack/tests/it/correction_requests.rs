//! Tests of correction requests over HTTP: requests of every role, their effect on analytics, and
//! the mails about them.

use std::{fs, path::Path, time::Duration};

use fantoccini::Locator;
use serde_json::{Value, json};
use testkit::eventually_within;

use crate::{
    api::{Person, Response},
    browser::{Browser, has_no_browser, in_a_browser, log_in},
    company::Company,
    fixture::{Fixture, HOUR, TEN, WINDOWS, id, merged},
    support::System,
};

const CORRECTIONS: &str = "/api/v1/correction";

impl Fixture {
    /// Returns a request for an hour that was not tracked. The hour begins this many hours after
    /// TEN.
    fn missing(&self, hours: i64) -> Value {
        let start = TEN + hours * HOUR;
        json!({
            "start": start, "end": start + HOUR, "projectId": self.project, "taskId": self.task, "note": "Phoned",
            "reason": "I forgot the clock.",
        })
    }

    async fn ask_for(&self, asked: Value) -> Response {
        self.system.employee(&self.ann.token, "POST", CORRECTIONS, asked).await
    }

    async fn asked(&self, asked: Value) -> String {
        id(&self.ask_for(asked).await.expect(201))
    }
}

async fn decide(system: &System, token: &str, id: &str, word: &str) -> Response {
    let body = if word == "refuse" { json!({ "reason": "That was a holiday." }) } else { Value::Null };
    system.employee(token, "POST", &format!("{CORRECTIONS}/{id}/{word}"), body).await
}

/// Creates an employee with this role, and logs in.
async fn with_role(system: &System, name: &str, role: &str) -> Person {
    let person = system.new_employee(name, &format!("{}@example.org", name.to_lowercase())).await;
    system.put(&format!("/api/v1/employee/{}/role", person.id), json!({ "role": role })).await;
    let log_in = system.login(&person.email, &person.password).await.expect(200);
    Person { token: log_in["access_token"].as_str().unwrap().to_owned(), ..person }
}

/// Returns the texts of the mails with this subject.
pub fn mails(system: &System, subject: &str) -> Vec<String> {
    let Ok(folder) = fs::read_dir(Path::new(&system.data()).join("mail")) else { return Vec::new() };
    let texts = folder.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
    texts.filter(|text| text.contains(&format!("Subject: {subject}"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_correction_counts_and_its_employee_is_mailed_once() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let taken = fixture.ask_for(fixture.missing(0)).await;
    let location = taken.headers["Location"].to_str().unwrap().to_owned();
    let asked = taken.expect(201);
    assert_eq!((asked["status"].as_str(), asked["void"].as_bool()), (Some("asked"), Some(false)));
    assert_eq!(location, format!("{CORRECTIONS}/{}", id(&asked)));
    assert_eq!(fixture.ask_for(fixture.missing(0)).await.expect(200)["id"], asked["id"], "asked again, it is the same");
    assert_eq!(fixture.project_time(TEN, TEN + HOUR).await, (0, 0.0, 0.0));

    let accepted = system.admin("POST", &format!("{location}/accept"), json!({ "reason": "Of course." })).await;
    let accepted = accepted.expect(200);
    assert_eq!(
        (accepted["status"].as_str(), accepted["decisionReason"].as_str()),
        (Some("accepted"), Some("Of course."))
    );
    assert_eq!(accepted["decidedBy"]["kind"], "root");
    // Analytics counts every change that was answered before the request to analytics.
    assert_eq!(fixture.project_time(TEN, TEN + HOUR).await, (HOUR, 0.0, 50.0));
    let windows = fixture.windows(TEN, TEN + HOUR).await;
    assert_eq!((windows[0]["type"].as_str(), &windows[0]["correctionId"]), (Some("manual"), &asked["id"]));
    assert_eq!(windows[0]["id"], accepted["recordedAs"]);
    assert_eq!(system.admin("POST", &format!("{location}/accept"), Value::Null).await.expect(200), accepted);
    let refused = system.admin("POST", &format!("{location}/refuse"), json!({ "reason": "No." })).await;
    assert_eq!(refused.refused(409), "already_decided");

    let mailed = eventually_within(Duration::from_secs(20), "a mail", async || {
        let mails = mails(system, "Your correction is made");
        (!mails.is_empty()).then_some(mails)
    });
    let mailed = mailed.await;
    assert!(mailed[0].contains("ann@example.org") && mailed[0].contains("Of course."), "{}", mailed[0]);
    assert_eq!(mails(system, "Your correction is made").len(), 1);

    // One request makes a window longer, and a second one voids the window.
    let window = fixture.record(TEN + 5 * HOUR, TEN + 6 * HOUR).await;
    let longer = json!({ "windowId": window["id"], "end": TEN + 7 * HOUR, "reason": "I went on by phone." });
    let longer = fixture.asked(longer).await;
    system.admin("POST", &format!("{CORRECTIONS}/{longer}/accept"), Value::Null).await.expect(200);
    assert_eq!(fixture.project_time(TEN + 5 * HOUR, TEN + 9 * HOUR).await.0, 2 * HOUR);
    let back = fixture.asked(json!({ "windowId": window["id"], "void": true, "reason": "That was my break." })).await;
    system.admin("POST", &format!("{CORRECTIONS}/{back}/accept"), Value::Null).await.expect(200);
    assert_eq!(fixture.project_time(TEN + 5 * HOUR, TEN + 9 * HOUR).await.0, 0);
    let own = system.employee(&fixture.ann.token, "GET", &format!("{CORRECTIONS}?status=accepted"), Value::Null).await;
    assert_eq!(own.expect(200).as_array().unwrap().len(), 3);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_changes_nothing_and_each_refusal_says_why() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let asked = fixture.asked(fixture.missing(0)).await;
    let path = format!("{CORRECTIONS}/{asked}");
    let nameless = system.admin("POST", &format!("{path}/refuse"), json!({ "reason": " " })).await;
    assert_eq!(nameless.body["errors"][0]["field"], "reason");
    assert_eq!(nameless.refused(422), "invalid");
    let refused = system.admin("POST", &format!("{path}/refuse"), json!({ "reason": "That was a holiday." })).await;
    assert_eq!(refused.expect(200)["decisionReason"], "That was a holiday.");
    assert_eq!(system.admin("POST", &format!("{path}/accept"), Value::Null).await.refused(409), "already_decided");
    assert!(fixture.windows(TEN, TEN + HOUR).await.is_empty());
    assert_eq!(
        fixture.ask_for(fixture.missing(0)).await.expect(200)["status"],
        "refused",
        "word by word it is the same"
    );
    let again = merged(fixture.missing(0), json!({ "reason": "It was none where I live." }));
    assert_eq!(fixture.ask_for(again).await.expect(201)["status"], "asked");
    let mailed = async || (!mails(system, "Your correction was refused").is_empty()).then_some(());
    eventually_within(Duration::from_secs(20), "a mail", mailed).await;

    let code =
        async |change: Value, status: u16| fixture.ask_for(merged(fixture.missing(1), change)).await.refused(status);
    assert_eq!(code(json!({ "end": TEN }), 422).await, "invalid");
    assert_eq!(code(json!({ "start": null }), 422).await, "invalid");
    assert_eq!(code(json!({ "reason": "" }), 422).await, "invalid");
    assert_eq!(code(json!({ "void": true }), 422).await, "invalid");
    assert_eq!(code(json!({ "start": 1_000, "end": 2_000 }), 400).await, "clock_behind");
    assert_eq!(code(json!({ "windowId": kit::new_id::<contracts::WindowId>() }), 404).await, "not_found");
    assert_eq!(code(json!({ "taskId": kit::new_id::<contracts::TaskId>() }), 400).await, "unknown_task");
    let foreign = system.create_task(json!({ "projectId": fixture.project })).await;
    assert_eq!(code(json!({ "taskId": foreign["id"] }), 400).await, "not_on_task");
    let window = fixture.record(TEN + 3 * HOUR, TEN + 4 * HOUR).await;
    let same = json!({ "windowId": window["id"], "reason": "Nothing." });
    assert_eq!(fixture.ask_for(same).await.refused(400), "nothing_to_change");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_sees_and_decides_what_is_theirs_and_nobody_about_themselves() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let [mia, max] = [with_role(system, "Mia", "manager").await, with_role(system, "Max", "manager").await];
    let [olga, aud] = [with_role(system, "Olga", "owner").await, with_role(system, "Aud", "auditor").await];
    let everybody = [&fixture.ann, &mia, &max, &olga].map(|person| person.id);
    system.put(&fixture.project_path(), json!({ "employees": everybody })).await;
    system.put(&fixture.task_path(), json!({ "employees": everybody })).await;
    for (name, manager, members) in [("Design", &mia, vec![fixture.ann.id, mia.id]), ("Crew", &max, vec![max.id])] {
        let team = json!({ "name": name, "managers": [manager.id], "employees": members });
        system.admin("POST", "/api/v1/team", team).await.expect(201);
    }
    let own = fixture.asked(fixture.missing(0)).await;
    let of = async |person: &Person, hours: i64| {
        id(&system.employee(&person.token, "POST", CORRECTIONS, fixture.missing(hours)).await.expect(201))
    };
    let (mias, olgas) = (of(&mia, 1).await, of(&olga, 2).await);

    let seen = async |person: &Person| {
        let list = system.employee(&person.token, "GET", CORRECTIONS, Value::Null).await.expect(200);
        let ids: std::collections::BTreeSet<String> = list.as_array().unwrap().iter().map(id).collect();
        [&own, &mias, &olgas].map(|asked| ids.contains(asked))
    };
    assert_eq!(seen(&fixture.ann).await, [true, false, false]);
    assert_eq!(seen(&mia).await, [true, true, false], "her team's and her own");
    assert_eq!(seen(&max).await, [false, false, false]);
    assert_eq!((seen(&olga).await, seen(&aud).await), ([true; 3], [true; 3]));
    let get = async |person: &Person, id: &str| {
        system.employee(&person.token, "GET", &format!("{CORRECTIONS}/{id}"), Value::Null).await
    };
    get(&mia, &own).await.expect(200);
    assert_eq!(get(&max, &own).await.refused(403), "other_team");
    assert_eq!(get(&fixture.ann, &mias).await.refused(404), "not_found");

    for word in ["accept", "refuse"] {
        assert_eq!(decide(system, &max.token, &own, word).await.refused(403), "other_team");
        assert_eq!(decide(system, &mia.token, &mias, word).await.refused(403), "own_time");
        assert_eq!(decide(system, &olga.token, &olgas, word).await.refused(403), "own_time");
        assert_eq!(decide(system, &aud.token, &own, word).await.refused(403), "missing_scope");
        assert_eq!(decide(system, &fixture.ann.token, &own, word).await.status, 401, "another kind of caller");
    }
    let accepted = decide(system, &mia.token, &own, "accept").await.expect(200);
    assert_eq!(accepted["decidedBy"], json!({ "kind": "person", "id": mia.id, "name": "Mia" }));
    decide(system, &olga.token, &mias, "refuse").await.expect(200);
    // An API key with the scope `rw:time` may decide too.
    let key = json!({ "name": "Payroll", "scopes": ["rw:time"] });
    let key = system.admin("POST", "/api/v1/api-key", key).await.expect(201)["key"].as_str().unwrap().to_owned();
    let path = format!("{CORRECTIONS}/{olgas}/accept");
    let by_key = async || {
        let answer = crate::api::send(system.request("POST", &path).header("X-API-Key", &key), Value::Null).await;
        (answer.status == 200).then_some(answer.body)
    };
    let by_key = eventually_within(Duration::from_secs(10), "the key is known", by_key).await;
    assert_eq!(by_key["decidedBy"]["name"], "Payroll");
    let asked = system.anybody("POST", CORRECTIONS, fixture.missing(5)).await;
    assert_eq!(asked.refused(401), "unauthorized");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_says_why_a_window_is_corrected_and_voided() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let path = format!("{WINDOWS}/{}", id(&fixture.record(TEN, TEN + HOUR).await));
    let because = json!({ "end": TEN + HOUR / 2, "reason": "Went home earlier." });
    system.admin("PATCH", &path, because).await.expect(200);
    let misfit = system.admin("PATCH", &path, json!({ "end": "x", "reason": "x" })).await;
    assert_eq!(misfit.body["errors"][0]["field"], "end");
    let none = system.admin("PATCH", &path, json!({ "end": TEN + HOUR / 4, "reason": null })).await;
    assert_eq!(none.body["errors"][0]["field"], "reason");
    system.admin("DELETE", &format!("{path}?reason=Sent%20twice."), Value::Null).await.expect(204);
    eventually_within(Duration::from_secs(10), "both reasons are in the trail", async || {
        let trail = system.get("/api/v1/audit").await.to_string();
        (trail.contains("Went home earlier.") && trail.contains("Sent twice.")).then_some(())
    })
    .await;
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ann_asks_in_the_browser_and_the_owner_decides() {
    if has_no_browser() {
        return;
    }
    let company = Company::start().await;
    let (system, ann) = (company.system(), &company.fixture.ann);
    in_a_browser(true, async |browser: &Browser| {
        log_in(browser, system, ann).await;
        browser.text_under("My day").await;
        browser.client.find(Locator::LinkText("A time is missing")).await.unwrap().click().await.unwrap();
        browser.text_under("Ask for a correction").await;
        // A date field cannot be filled by sending keys in every locale, so a script sets its
        // value.
        for (field, at) in [("start", "2026-03-02T09:00"), ("end", "2026-03-02T10:30")] {
            browser.evaluate(&format!("document.querySelector('#{field}').value = '{at}'")).await;
        }
        browser.find("main button").await.click().await.unwrap();
        let said = browser.text_of("#reason-error");
        assert!(said.await.contains("must be given"));
        browser.find("#reason").await.send_keys("I forgot the clock.").await.unwrap();
        browser.find("main button").await.click().await.unwrap();
        let text = browser.text_under("My day").await;
        assert!(text.contains("Nobody has decided yet.") && text.contains("I forgot the clock."), "{text}");

        // The employee requests that a window is voided, starting from the list of windows.
        let windows = format!("{}/console/windows?employee={}&from=0&to=1500", system.base, ann.id);
        browser.client.goto(&windows).await.unwrap();
        browser.text_under("Windows").await;
        browser.find("td a").await.click().await.unwrap();
        browser.text_under("Ask for a correction").await;
        browser.find("summary").await.click().await.unwrap();
        browser.find("#void-reason").await.send_keys("That was my break.").await.unwrap();
        browser.find("button.grave").await.click().await.unwrap();
        let text = browser.text_under("My day").await;
        assert!(text.contains("Should not count") && text.contains("That was my break."), "{text}");

        browser.find("header button").await.click().await.unwrap();
        browser.text_under("Log in").await;
        log_in(browser, system, &company.owner).await;
        browser.text_under("Now").await;
        browser.client.goto(&format!("{}/console/attention", system.base)).await.unwrap();
        browser.text_under("Needs attention").await;
        browser.client.find(Locator::LinkText("Decide about them")).await.unwrap().click().await.unwrap();
        let text = browser.text_under("Corrections").await;
        assert!(text.contains("To be decided (2)") && text.contains("I forgot the clock."), "{text}");
        // The oldest request comes first, and is accepted. The other one cannot be refused without
        // a reason.
        browser.find("button[formaction$='/accept']").await.click().await.unwrap();
        browser.text_with("To be decided (1)").await;
        browser.find("button[formaction$='/refuse']").await.click().await.unwrap();
        let said = browser.text_of("main p.error");
        assert!(said.await.contains("must be given"));
        browser.find("main input[name=reason]").await.send_keys("You worked then.").await.unwrap();
        browser.find("button[formaction$='/refuse']").await.click().await.unwrap();
        browser.text_with("Nobody waits").await;
        // The refusal without a reason was answered 422, which the browser logs as an error.
        let errors: Vec<String> = browser.errors().await.into_iter().filter(|error| !error.contains("422")).collect();
        assert_eq!(errors, [""; 0]);
    })
    .await;
    let (_, html) = company.page("/me?day=2026-03-02", ann).await;
    assert!(html.contains("Accepted.") && html.contains("The answer: You worked then."), "{html}");
    assert!(html.contains("1:30 hours were worked"), "{html}");
    company.fixture.system.finish().await;
}
