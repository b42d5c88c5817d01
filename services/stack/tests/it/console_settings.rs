//! The pages of the console that settle things: settings, keys, the own account, the trail, and the
//! correction of windows; all by their forms, over HTTP.

use reqwest::{Client, RequestBuilder, redirect::Policy};
use serde_json::{Value, json};
use testkit::eventually;

use crate::api::{Person, send};
use crate::fixture::{Fixture, HOUR, MINUTE, TEN, merged};
use crate::support::System;

/// An id that no project has.
const NO_PROJECT: &str = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";

/// What a page answers.
struct Page {
    status: u16,
    leads: String,
    kept: String,
    html: String,
}

impl Page {
    async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let (leads, kept) = (header("location"), header("cache-control"));
        Self { status: answer.status().as_u16(), leads, kept, html: answer.text().await.unwrap() }
    }
}

fn browser() -> Client {
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

async fn page(system: &System, path: &str, person: &Person) -> Page {
    let request = browser().get(format!("{}{path}", system.base));
    Page::of(request.header("cookie", format!("t3={}", person.token))).await
}

/// Sends a form, as a browser does.
async fn submit(system: &System, path: &str, person: &Person, form: &[(&str, &str)]) -> Page {
    let request = browser().post(format!("{}{path}", system.base)).header("sec-fetch-site", "same-origin");
    Page::of(request.header("cookie", format!("t3={}", person.token)).form(form)).await
}

/// Somebody with this role, logged in.
pub async fn somebody(system: &System, name: &str, role: &str) -> Person {
    let person = system.new_employee(name, &format!("{}@example.org", name.to_lowercase())).await;
    system.put(&format!("/api/v1/employee/{}/role", person.id), json!({ "role": role })).await;
    // Another role has ended the session.
    let answer = system.login(&person.email, &person.password).await.expect(200);
    Person { token: answer["access_token"].as_str().unwrap().to_owned(), ..person }
}

/// What stands in a field of a form.
fn value<'a>(html: &'a str, name: &str) -> &'a str {
    let field = html.split(&format!("name=\"{name}\"")).nth(1).unwrap_or_else(|| panic!("no {name}: {html}"));
    field.split("value=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_are_read_changed_on_condition_and_told_to_the_trail() {
    let system = System::start().await;
    let path = "/api/v1/settings";
    let answer = system.request("GET", path).header("X-API-Key", crate::api::ADMIN_KEY).send().await.unwrap();
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let first: Value = answer.json().await.unwrap();
    assert_eq!(
        first,
        json!({ "timezone": "UTC", "payPeriod": "month", "anchor": "2024-01-01", "weekStart": "monday" })
    );
    let chosen =
        json!({ "timezone": "Europe/Berlin", "payPeriod": "biweek", "anchor": "2026-01-04", "weekStart": "sunday" });
    let put = async |tag: &str, body: Value| {
        let request = system.request("PUT", path).header("X-API-Key", crate::api::ADMIN_KEY).header("if-match", tag);
        send(request, body).await
    };
    assert_eq!(put(&tag, chosen.clone()).await.expect(200), chosen);
    assert_eq!(put(&tag, first.clone()).await.refused(412), "precondition_failed");
    assert_eq!(system.get(path).await, chosen);

    for (field, wrong) in [("timezone", "Mars"), ("payPeriod", "year"), ("anchor", "soon"), ("weekStart", "someday")] {
        let mut body = chosen.clone();
        body[field] = json!(wrong);
        let refused = system.admin("PUT", path, body).await;
        assert!(refused.text.contains(&format!("\"field\":\"{field}\"")), "{}", refused.text);
        assert_eq!(refused.refused(422), "invalid");
    }
    let late = json!({ "timezone": "UTC", "payPeriod": "month", "anchor": "2026-01-31", "weekStart": "monday" });
    assert!(system.admin("PUT", path, late).await.text.contains("28th"));

    let entry = eventually("the trail knows", async || {
        let entries = system.get("/api/v1/audit?action=settings.changed").await;
        entries.as_array().unwrap().first().cloned()
    });
    let changes = entry.await["changes"].to_string();
    assert!(changes.contains("Europe/Berlin") && changes.contains("biweek"), "{changes}");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_the_zone_and_the_week_of_the_organisation_unless_the_reader_has_chosen() {
    let system = System::start().await;
    let owner = somebody(&system, "Olga", "owner").await;
    let form = |zone: &'static str, day: &'static str| {
        [("timezone", zone), ("payPeriod", "week"), ("anchor", "2026-01-04"), ("weekStart", day)]
    };
    let refused = submit(&system, "/console/settings", &owner, &form("Mars/Olympus", "sunday")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.html.contains("value=\"Mars/Olympus\"") && refused.html.contains("IANA database"));
    let done = submit(&system, "/console/settings", &owner, &form("Asia/Kolkata", "sunday")).await;
    assert_eq!((done.status, done.leads.as_str()), (303, "/console/settings?done=saved"), "{}", done.html);
    let week = page(&system, "/console/week?day=2026-03-04", &owner).await.html;
    assert!(week.contains("Times are those of Asia/Kolkata"), "{week}");
    assert_eq!(value(&page(&system, "/console/settings", &owner).await.html, "timezone"), "Asia/Kolkata");
    // The week of that Wednesday began on Sunday: the one before ends on the last of February.
    assert!(week.contains("day=2026-02-28&amp;span=week"), "{week}");
    let request = browser().get(format!("{}/console/week", system.base));
    let chosen = Page::of(request.header("cookie", format!("t3={}; t3-zone=UTC", owner.token))).await.html;
    assert!(chosen.contains("Times are those of UTC"), "{chosen}");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_currency_of_the_organisation_stands_beside_sums_and_in_the_heads_of_tables() {
    let fixture = Fixture::start().await;
    let (system, path) = (&fixture.system, "/api/v1/settings");
    let owner = somebody(system, "Olga", "owner").await;
    fixture.record(TEN, TEN + HOUR).await;
    let plain = system.get(path).await;
    assert_eq!(plain.get("currency"), None, "none is named at first");
    let report = "/console/reports?from=2025-10-01&to=2025-10-31";
    let html = page(system, report, &owner).await.html;
    assert!(html.contains(">Cost</th>") && html.contains(">Income</th>"), "{html}");

    let refused = system.admin("PUT", path, merged(plain.clone(), json!({ "currency": "EURO" }))).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!("currency")), "{}", refused.text);
    let form = |currency: &'static str| {
        let days = [("timezone", "UTC"), ("payPeriod", "month"), ("anchor", "2024-01-01"), ("weekStart", "monday")];
        days.into_iter().chain([("currency", currency)]).collect::<Vec<_>>()
    };
    let refused = submit(system, "/console/settings", &owner, &form("Taler")).await;
    assert!(refused.status == 422 && refused.html.contains("ISO 4217") && refused.html.contains("value=\"Taler\""));
    assert_eq!(submit(system, "/console/settings", &owner, &form("eur")).await.status, 303);
    assert_eq!(system.get(path).await["currency"], "EUR");
    let html = page(system, "/console/settings", &owner).await.html;
    assert_eq!(value(&html, "currency"), "EUR");

    let html = page(system, report, &owner).await.html;
    assert!(html.contains(">Cost (EUR)</th>") && html.contains(">Income (EUR)</th>"), "{html}");
    assert!(html.contains("no rate") && html.contains("nobody has said what these hours cost"), "{html}");
    assert!(html.contains("href=\"/console/rates\""), "and where to say so: {html}");
    let now = page(system, "/console", &owner).await.html;
    assert!(now.contains("0.00\u{a0}EUR"), "{now}");
    let range = format!("start={TEN}&end={}", TEN + HOUR);
    let time = system.get(&format!("/api/v1/analytics/time?{range}&groupBy=project")).await;
    assert_eq!(time[0]["income"], 50.0, "amounts are what they were");

    assert_eq!(submit(system, "/console/settings", &owner, &form("")).await.status, 303);
    assert_eq!(system.get(path).await.get("currency"), None);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_tells_names_for_ids_and_moments_in_the_zone() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let owner = somebody(system, "Olga", "owner").await;
    let window = fixture.record(TEN, TEN + HOUR).await;
    let path = format!("/api/v1/time-entries/{}", window["id"].as_str().unwrap());
    system.admin("PATCH", &path, json!({ "end": TEN + 30 * MINUTE })).await.expect(200);
    let bea = system.new_employee("Bea", "bea@example.org").await;
    system.put(&fixture.project_path(), json!({ "employees": [ann.id, bea.id] })).await;
    let trail = async |action: &str| page(system, &format!("/console/audit?action={action}"), &owner).await.html;
    let corrected = eventually("the correction is told", async || {
        Some(trail("window.corrected").await).filter(|html| html.contains("<td class=\"text\">2025-10-09"))
    });
    let html = corrected.await;
    assert!(html.contains("2025-10-09 09:53") && html.contains("2025-10-09 09:23"), "in the zone: {html}");
    assert!(!html.contains(&TEN.to_string()), "no milliseconds: {html}");
    let updated = eventually("the update is told", async || {
        Some(trail("project.updated").await).filter(|html| html.contains(">Bea</span>"))
    });
    let html = updated.await;
    assert!(html.contains(&format!("<span title=\"{}\">Bea</span>", bea.id)), "{html}");
    assert!(!html.contains(&format!(">{}", bea.id)), "the id is the title only: {html}");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_made_in_the_page_works_is_shown_once_and_can_be_revoked() {
    let system = System::start().await;
    let owner = somebody(&system, "Olga", "owner").await;
    let make = "/console/settings/key";
    let neither = submit(&system, make, &owner, &[("name", "Export"), ("role", "")]).await;
    assert_eq!(neither.status, 422);
    assert!(neither.html.contains("value=\"Export\"") && neither.html.contains("must be chosen"), "{}", neither.html);
    let wanted =
        [("name", "Export"), ("role", ""), ("scopes", "r:projects"), ("scopes", "r:time"), ("expiresAt", "2099-12-31")];
    let made = submit(&system, make, &owner, &wanted).await;
    assert_eq!((made.status, made.kept.as_str()), (200, "no-store"), "{}", made.html);
    let key = made.html.split("t3key_").nth(1).unwrap().split('<').next().unwrap();
    let key = format!("t3key_{key}");
    let call = async |path: &str| send(system.request("GET", path).header("X-API-Key", &key), Value::Null).await;
    call("/api/v1/project").await.expect(200);
    assert_eq!(call("/api/v1/employee").await.refused(403), "missing_scope");

    let listed = page(&system, "/console/settings", &owner).await.html;
    assert!(listed.contains("Export") && listed.contains("r:projects, r:time"), "{listed}");
    assert!(!listed.contains("t3key_"), "it is shown once");
    let keys = system.get("/api/v1/api-key").await;
    assert_eq!(keys[0]["expiresAt"], 4_102_444_800_000_i64, "the end of its last day");
    let id = keys[0]["id"].as_str().unwrap();
    let revoked = submit(&system, "/console/settings/revoke", &owner, &[("id", id)]).await;
    assert_eq!((revoked.status, revoked.leads.as_str()), (303, "/console/settings?done=revoked"));
    eventually("it is dead", async || (call("/api/v1/project").await.status == 401).then_some(())).await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_sees_the_trail_and_no_forms_and_an_employee_sees_neither() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let auditor = somebody(system, "Agnes", "auditor").await;
    system.put(&fixture.project_path(), json!({ "name": "Shop" })).await;
    fixture.record(TEN, TEN + HOUR).await;
    let trail = eventually("the trail knows", async || {
        let trail = page(system, "/console/audit?action=project.updated", &auditor).await.html;
        trail.contains("project updated").then_some(trail).filter(|trail| trail.contains("Website"))
    });
    let trail = trail.await;
    // Before and after, and the name that it has now.
    assert!(trail.contains(">Website<") && trail.matches(">Shop<").count() >= 2, "{trail}");
    assert!(!trail.contains("method=\"post\" action=\"/console/audit"), "{trail}");
    let settings = page(system, "/console/settings", &auditor).await;
    assert_eq!(settings.status, 200);
    assert!(!settings.html.contains("action=\"/console/settings"), "{}", settings.html);
    let window = fixture.windows(TEN, TEN + HOUR).await[0]["id"].as_str().unwrap().to_owned();
    let seen = page(system, &format!("/console/windows/{window}"), &auditor).await;
    assert_eq!(seen.status, 200, "{}", seen.html);
    assert!(!seen.html.contains("action=\"/console/windows"), "{}", seen.html);
    for (path, form) in [
        ("/console/settings", [("timezone", "UTC")]),
        ("/console/settings/key", [("name", "mine")]),
        (&*format!("/console/windows/{window}/void"), [("reason", "none")]),
    ] {
        assert_eq!(submit(system, path, &auditor, &form).await.status, 403, "{path}");
        assert_eq!(submit(system, path, &fixture.ann, &form).await.status, 403, "{path}");
    }
    let window = format!("/console/windows/{window}");
    for path in ["/console/audit", "/console/audit/csv", "/console/settings", &window] {
        assert!(matches!(page(system, path, &fixture.ann).await.status, 403 | 404), "{path}");
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_filtered_page_by_page_and_taken_away_as_a_table() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let owner = somebody(system, "Olga", "owner").await;
    for n in 0..60 {
        system.put(&fixture.project_path(), json!({ "name": format!("Name {n}") })).await;
    }
    eventually("the trail knows all", async || {
        let entries = system.get("/api/v1/audit?action=project.updated").await;
        (entries.as_array().unwrap().len() == 60).then_some(())
    })
    .await;
    let first = page(system, "/console/audit?action=project.updated&actor=root", &owner).await.html;
    assert!(first.contains(">Name 59<") && !first.contains(">Name 0<"), "{first}");
    let older = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    assert!(older.contains("action=project.updated") && older.contains("actor=root"), "{older}");
    let second = page(system, &older, &owner).await.html;
    // The project is called so now; no change on this page has made it so.
    let is_latest = second.contains("<td class=\"text\">Name 59</td>");
    assert!(second.contains(">Name 0<") && !is_latest && !second.contains("rel=\"next\""), "{second}");
    let csv = page(system, "/console/audit/csv?action=project.updated", &owner).await;
    assert_eq!((csv.status, csv.html.lines().count()), (200, 61), "{}", csv.html);
    assert!(csv.html.starts_with("seq,id,at,"), "{}", csv.html);
    let nothing = page(system, "/console/audit?to=2020-01-01", &owner).await;
    assert!(nothing.status == 200 && nothing.html.contains("Nothing was done"), "{}", nothing.html);
    let wrong = page(system, "/console/audit?actor=nobody&subject=x", &owner).await;
    assert!(wrong.status == 422 && wrong.html.contains("value=\"nobody\""), "{}", wrong.html);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_corrected_and_voided_with_a_reason_that_the_trail_keeps() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let owner = somebody(system, "Olga", "owner").await;
    let window = fixture.record(TEN, TEN + HOUR).await;
    let id = window["id"].as_str().unwrap();
    let other = system.create_task(json!({ "name": "Back page", "projectId": fixture.project })).await;
    let path = format!("/console/windows/{id}");
    let shown = page(system, &path, &owner).await.html;
    let (start, end, seen) = (value(&shown, "start"), value(&shown, "end"), value(&shown, "seen"));
    assert_eq!((start, end), ("2025-10-09T08:53:20", "2025-10-09T09:53:20"));
    let work = format!("{}/{}", fixture.project, other["id"].as_str().unwrap());
    let form = |end: &'static str, reason: &'static str| {
        [("start", start), ("end", end), ("work", work.as_str()), ("note", "lunch"), ("reason", reason), ("seen", seen)]
    };
    let refused = submit(system, &path, &owner, &form("2025-10-09T09:23:20", "")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.html.contains("value=\"2025-10-09T09:23:20\"") && refused.html.contains("must be given"));
    let backwards = submit(system, &path, &owner, &form("2025-10-09T07:00:00", "typo")).await;
    assert!(backwards.status == 422 && backwards.html.contains("class=\"error\""), "{}", backwards.html);
    let done = submit(system, &path, &owner, &form("2025-10-09T09:23:20", "She was at lunch.")).await;
    assert_eq!((done.status, done.leads), (303, format!("{path}?done=saved")), "{}", done.html);
    let corrected = system.get(&format!("/api/v1/time-entries/{id}")).await;
    assert_eq!((&corrected["start"], &corrected["end"]), (&json!(TEN), &json!(TEN + 30 * MINUTE)));
    assert_eq!((&corrected["taskId"], &corrected["note"]), (&other["id"], &json!("lunch")));
    // Whoever has seen it as it was changes nothing.
    assert_eq!(submit(system, &path, &owner, &form("2025-10-09T09:20:00", "late")).await.status, 412);

    let none = submit(system, &format!("{path}/void"), &owner, &[("reason", " ")]).await;
    assert!(none.status == 422 && none.html.contains("must be given"), "{}", none.html);
    let voided = submit(system, &format!("{path}/void"), &owner, &[("reason", "Sent twice.")]).await;
    let leads = format!("/console/windows?employee={}&day=2025-10-09&done=voided", fixture.ann.id);
    assert_eq!((voided.status, voided.leads), (303, leads), "{}", voided.html);
    assert_eq!(fixture.project_time(TEN, TEN + HOUR).await.0, 0);
    for (action, reason) in [("window.corrected", "She was at lunch."), ("window.voided", "Sent twice.")] {
        eventually("the trail says why", async || {
            let html = page(system, &format!("/console/audit?action={action}&subject={id}"), &owner).await.html;
            html.contains(reason).then_some(())
        })
        .await;
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_their_sessions_and_changes_their_password() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let log_in = async || {
        let answer = system.login(&ann.email, &ann.password).await.expect(200);
        answer["access_token"].as_str().unwrap().to_owned()
    };
    let me = async |token: &str| system.employee(token, "GET", "/api/auth/me", Value::Null).await.status;
    let (one, _two) = (log_in().await, log_in().await);
    let account = page(system, "/console/account", ann).await.html;
    assert!(account.contains("this one"), "{account}");
    let sessions = system.employee(&one, "GET", "/api/auth/sessions", Value::Null).await.expect(200);
    let own = sessions.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
    let end = submit(system, "/console/account/end", ann, &[("id", own["id"].as_str().unwrap())]).await;
    assert_eq!((end.status, end.leads.as_str()), (303, "/console/account?done=session-ended"), "{}", end.html);
    eventually("it is over", async || (me(&one).await == 401).then_some(())).await;
    let others = submit(system, "/console/account/end-others", ann, &[]).await;
    assert_eq!(others.status, 303, "{}", others.html);

    let new = "four words that fit together";
    let wrong = submit(system, "/console/account/password", ann, &[("old", "not it at all"), ("new", new)]).await;
    assert!(wrong.html.contains("must be the password of this account"), "{} {}", wrong.status, wrong.html);
    assert!(!wrong.html.contains(new), "a password is never shown");
    let weak = submit(system, "/console/account/password", ann, &[("old", &ann.password), ("new", "short")]).await;
    assert!(weak.status == 422 && weak.html.contains("at least 12"), "{}", weak.html);
    let done = submit(system, "/console/account/password", ann, &[("old", &ann.password), ("new", new)]).await;
    assert_eq!((done.status, done.leads.as_str()), (303, "/console/account?done=password-changed"), "{}", done.html);
    assert_eq!(page(system, "/console/account", ann).await.status, 200, "who has changed it stays");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_reads_on_their_day_what_was_set_aside_and_why() {
    let fixture = Fixture::start().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    let bob = system.new_employee("Bob", "bob@example.org").await;
    assert!(!page(system, "/me", ann).await.html.contains("Held back"));
    let mut window = fixture.window(TEN, TEN + HOUR);
    window["projectId"] = json!(NO_PROJECT);
    fixture.post(window).await;
    let html = eventually("it is held back", async || {
        let html = page(system, "/me", ann).await.html;
        html.contains("Held back").then_some(html)
    });
    let html = html.await;
    assert!(html.contains("Nobody here knows this project") && html.contains("anns-pc"), "{html}");
    assert!(!page(system, "/me", &bob).await.html.contains("Held back"));
    let held = system.get("/api/v1/quarantine").await;
    let id = held[0]["id"].as_str().unwrap();
    system.admin("POST", &format!("/api/v1/quarantine/{id}/discard"), Value::Null).await.expect(204);
    let html = page(system, "/me", ann).await.html;
    assert!(!html.contains("Held back") && html.contains("Discarded (1)"), "{html}");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_service_could_take_is_told_by_service_and_reason() {
    let system = System::start().await;
    let owner = somebody(&system, "Olga", "owner").await;
    assert!(!page(&system, "/console/attention", &owner).await.html.contains("Dead messages"));
    for n in 0..2 {
        let subject = format!("evt.projects.v1.project.none{n}.changed");
        system.harness.bus().jetstream.publish(subject, "{no".into()).await.unwrap().await.unwrap();
    }
    eventually("they are told", async || {
        let html = page(&system, "/console/attention", &owner).await.html;
        (html.contains("Dead messages (2)") && html.contains(">timetrack<") && html.contains("timetrack dead replay"))
            .then_some(())
    })
    .await;
    system.finish().await;
}
