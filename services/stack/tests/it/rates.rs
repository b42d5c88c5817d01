//! Tests of rates that are valid from a day on: they are set over HTTP, fixed on windows, and
//! counted by analytics.

use contracts::Zone;
use serde_json::{Value, json};
use testkit::eventually;

use crate::fixture::{Fixture, HOUR, TEN, id, merged};

const RATES: &str = "/api/v1/rate";
const REPRICE: &str = "/api/v1/reprice";

/// The day after that of [`TEN`], in UTC.
const NEXT_DAY: &str = "2025-10-10";

fn midnight() -> i64 {
    Zone::default().beginning(NEXT_DAY.parse().unwrap()).0
}

impl Fixture {
    async fn set_rate(&self, scope: Value, kind: &str, amount: f64, valid_from: &str) -> Value {
        let body = json!({ "scope": scope, "kind": kind, "amount": amount, "validFrom": valid_from });
        self.system.admin("POST", RATES, body).await.expect(201)
    }

    async fn done(&self, job: &Value) -> Value {
        let path = format!("{REPRICE}/{}", id(job));
        eventually("the job is done", async || {
            let job = self.system.get(&path).await;
            (job["state"] == "done").then_some(job)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_from_a_day_on_prices_the_hours_after_midnight_and_not_those_before_it() {
    let fixture = Fixture::start().await;
    let project = json!({ "project": fixture.project });
    fixture.record(midnight() - 4 * HOUR, midnight() - 3 * HOUR).await;
    let rate = fixture.set_rate(project.clone(), "bill", 60.0, NEXT_DAY).await;
    assert_eq!((&rate["amount"], &rate["validFrom"], &rate["scope"]), (&json!(60.0), &json!(NEXT_DAY), &project));
    fixture.set_rate(json!({ "employee": fixture.ann.id }), "pay", 20.0, NEXT_DAY).await;
    let before = fixture.record(midnight() - 2 * HOUR, midnight() - HOUR).await;
    assert!(
        before["billRate"] == 50.0 && before["payRate"] == Value::Null && before["rateParts"].is_null(),
        "{before}"
    );
    let over = fixture.record(midnight() - HOUR, midnight() + 2 * HOUR).await;
    let part = json!({
        "from": midnight(), "billRate": 60.0, "overtimeBillRate": null, "payRate": 20.0, "overtimePayRate": null,
    });
    assert_eq!((&over["billRate"], &over["rateParts"]), (&json!(50.0), &json!([part])));
    let after = fixture.record(midnight() + 2 * HOUR, midnight() + 3 * HOUR).await;
    assert_eq!((&after["billRate"], &after["payRate"]), (&json!(60.0), &json!(20.0)));

    // Each part of a window has the rates of its day, whatever range the report has.
    let (day_before, day_after) = (midnight() - 24 * HOUR, midnight() + 24 * HOUR);
    assert_eq!(fixture.project_time(day_before, midnight()).await, (3 * HOUR, 0.0, 150.0));
    assert_eq!(fixture.project_time(midnight(), day_after).await, (3 * HOUR, 60.0, 180.0));
    assert_eq!(fixture.project_time(day_before, day_after).await, (6 * HOUR, 60.0, 330.0));
    assert_eq!(fixture.project_time(midnight() - HOUR / 2, midnight() + HOUR / 2).await, (HOUR, 10.0, 55.0));
    assert_eq!(fixture.windows(midnight() - HOUR / 2, midnight()).await, [over]);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_keeps_its_price_until_somebody_confirms_another() {
    let fixture = Fixture::start().await;
    fixture.record(TEN, TEN + HOUR).await;
    fixture.set_rate(json!({ "task": fixture.task }), "bill", 70.0, "2025-01-01").await;
    assert_eq!(fixture.project_time(TEN, TEN + HOUR).await, (HOUR, 0.0, 50.0));

    let filter = json!({ "projectId": [fixture.project], "start": TEN, "end": TEN + HOUR });
    let ask =
        async |more: Value| fixture.system.admin("POST", REPRICE, merged(json!({ "filter": filter }), more)).await;
    let preview = ask(json!({ "preview": true })).await.expect(200);
    assert_eq!((&preview["count"], &preview["settled"], &preview["income"]), (&json!(1), &json!(0), &json!(70.0)));
    assert_eq!(preview["difference"], json!({ "costs": 0.0, "income": 20.0 }));
    assert_eq!(fixture.project_time(TEN, TEN + HOUR).await, (HOUR, 0.0, 50.0));
    assert_eq!(ask(json!({ "hash": "0".repeat(32) })).await.refused(409), "preview_changed");
    assert_eq!(ask(json!({})).await.refused(422), "invalid");
    assert_eq!(ask(json!({ "preview": true, "hash": preview["hash"] })).await.refused(422), "invalid");

    let answer = ask(json!({ "hash": preview["hash"] })).await;
    let location = answer.headers["Location"].to_str().unwrap().to_owned();
    let job = answer.expect(202);
    assert_eq!(location, format!("{REPRICE}/{}", id(&job)));
    let done = fixture.done(&job).await;
    assert_eq!((&done["count"], &done["changed"], &done["settled"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!(fixture.project_time(TEN, TEN + HOUR).await, (HOUR, 0.0, 70.0));
    assert_eq!(id(&ask(json!({ "hash": preview["hash"] })).await.expect(202)), id(&job), "the same job");
    let nothing = fixture.system.admin("POST", REPRICE, json!({ "filter": {}, "preview": true })).await;
    assert_eq!(nothing.refused(400), "no_filter");
    let misspelt = json!({ "filter": { "project": fixture.project }, "preview": true });
    assert_eq!(fixture.system.admin("POST", REPRICE, misspelt).await.refused(422), "invalid");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_with_a_sentence_and_only_the_future_is_deleted() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let other = id(&system.create_project(json!({ "name": "Shed" })).await);
    let body =
        json!({ "scope": { "project": fixture.project }, "kind": "bill", "amount": 62.5, "validFrom": NEXT_DAY });
    let refused = async |status: u16, changes: Value| {
        let answer = system.admin("POST", RATES, merged(body.clone(), changes)).await;
        assert!(answer.body["detail"].as_str().unwrap().ends_with('.'), "{}", answer.text);
        answer.refused(status)
    };
    for amount in [json!(-1), json!(0.00001), json!(1e300), json!("five"), Value::Null] {
        assert_eq!(refused(422, json!({ "amount": amount })).await, "invalid");
    }
    assert_eq!(refused(422, json!({ "kind": "bonus" })).await, "invalid");
    assert_eq!(refused(422, json!({ "validFrom": "2026-02-30" })).await, "invalid");
    assert_eq!(refused(422, json!({ "scope": { "projectId": other } })).await, "invalid");
    assert_eq!(refused(400, json!({ "scope": { "project": other, "task": fixture.task } })).await, "unknown_task");
    assert_eq!(refused(400, json!({ "scope": { "project": fixture.task } })).await, "unknown_project");
    assert_eq!(refused(400, json!({ "scope": { "employee": fixture.task } })).await, "unknown_employee");

    let begun = system.admin("POST", RATES, body.clone()).await.expect(201);
    assert_eq!(system.admin("POST", RATES, body.clone()).await.expect(201), begun, "the very same");
    assert_eq!(refused(409, json!({ "amount": 1 })).await, "rate_exists");
    let path = format!("{RATES}/{}", id(&begun));
    assert_eq!(system.get(&path).await, begun);
    assert_eq!(system.admin("DELETE", &path, Value::Null).await.refused(409), "rate_has_begun");
    let future = fixture.set_rate(json!({}), "pay", 10.0, "2150-01-01").await;
    let list = async |query: &str| system.get(&format!("{RATES}{query}")).await;
    assert_eq!(list("").await, json!([begun, future]));
    assert_eq!(list(&format!("?projectId={}", fixture.project)).await, json!([begun]));
    assert_eq!(list("?kind=pay").await, json!([future]));
    assert_eq!(list(&format!("?employeeId={}", fixture.ann.id)).await, json!([]));
    let path = format!("{RATES}/{}", id(&future));
    system.admin("DELETE", &path, Value::Null).await.expect(204);
    assert_eq!(system.admin("GET", &path, Value::Null).await.refused(404), "not_found");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lacks_the_scope_sets_no_rate_and_prices_nothing_anew() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let key = async |scopes: Value| {
        let made =
            system.admin("POST", "/api/v1/api-key", json!({ "name": "Some", "scopes": scopes })).await.expect(201);
        made["key"].as_str().unwrap().to_owned()
    };
    let (projects, reader) = (key(json!(["rw:projects", "rw:time"])).await, key(json!(["r:rates"])).await);
    let rate = json!({ "scope": {}, "kind": "bill", "amount": 1, "validFrom": NEXT_DAY });
    let preview = json!({ "filter": { "projectId": [fixture.project] }, "preview": true });
    let as_key = async |key: &str, method: &str, path: &str, body: &Value| {
        crate::api::send(system.request(method, path).header("X-API-Key", key), body.clone()).await
    };
    for (method, path, body) in [("POST", RATES, &rate), ("POST", REPRICE, &preview), ("GET", RATES, &Value::Null)] {
        assert_eq!(as_key(&projects, method, path, body).await.refused(403), "missing_scope", "{method} {path}");
    }
    for (path, body) in [(RATES, &rate), (REPRICE, &preview)] {
        assert_eq!(as_key(&reader, "POST", path, body).await.refused(403), "missing_scope", "{path}");
    }
    assert_eq!(as_key(&reader, "GET", RATES, &Value::Null).await.expect(200), json!([]));
    let as_ann = system.employee(&fixture.ann.token, "POST", RATES, rate).await;
    assert_eq!(as_ann.refused(401), "unauthorized");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payroll_is_what_it_was_for_todays_clients_and_hours_of_before_its_change_keep_its_rates() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let now = || system.harness.clock.now().0;
    let own = json!({ (fixture.ann.id.to_string()): { "billRate": 80.0 }, "*": { "billRate": 60.0 } });
    let changed = system.put(&fixture.project_path(), json!({ "payroll": own })).await;
    assert_eq!(changed["payroll"], own);
    assert_eq!(system.get(&fixture.project_path()).await["payroll"], own);
    // Time of today gets today's rate, and earlier time gets the earlier rate.
    assert_eq!(fixture.record(now() - 1_000, now()).await["billRate"], 80.0);
    assert_eq!(fixture.record(TEN, TEN + HOUR).await["billRate"], 50.0);
    system.put(&fixture.project_path(), json!({ "employees": [] })).await;
    assert_eq!(system.get(&fixture.project_path()).await["payroll"], json!({ "*": { "billRate": 60.0 } }));
    assert_eq!(fixture.record(now() - 20_000, now() - 19_000).await["billRate"], 80.0, "her backlog of that day");
    assert_eq!(fixture.record(TEN + HOUR, TEN + 2 * HOUR).await["billRate"], 50.0);
    fixture.system.finish().await;
}
