//! Tests of the console pages of settings, of API keys and of the user's own account.

use serde_json::{Value, json};
use testkit::eventually;

use crate::api::send;
use crate::fixture::{Fixture, HOUR, TEN, merged};
use crate::support::System;
use crate::visit::{Page, browser, page, somebody, submit, value};

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
    // The week of that Wednesday began on Sunday, 1 March. So the link to the week before names the
    // last day of February.
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
