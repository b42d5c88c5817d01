//! Tests of pay periods over HTTP: they have the sums of analytics, and are submitted, approved,
//! locked and paid.

use contracts::Millis;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    api::{Response, send},
    correction_requests::mails,
    fixture::{Fixture, HOUR, TEN, WINDOWS, id},
};

/// The start and end of October 2025 in UTC, which contains [`TEN`].
const OCTOBER: (i64, i64) = (1_759_276_800_000, 1_761_955_200_000);

impl Fixture {
    fn october(&self) -> String {
        format!("/api/v1/period/{}_2025-10-01", self.ann.id)
    }

    async fn periods(&self, query: &str) -> Vec<Value> {
        let all = self.system.get(&format!("/api/v1/period?{query}")).await;
        all.as_array().unwrap().clone()
    }

    async fn approve(&self, path: &str, hash: &str) -> Response {
        let request = self.system.request("POST", &format!("{path}/approve"));
        let request = request.header("X-API-Key", self.system.admin_key).header("If-Match", format!("\"{hash}\""));
        send(request, Value::Null).await
    }

    /// Approves a period with the content that it has now, and returns it.
    pub async fn approve_now(&self, path: &str) -> Value {
        let hash = self.system.get(path).await["hash"].as_str().unwrap().to_owned();
        self.approve(path, &hash).await.expect(200)
    }

    async fn as_ann(&self, method: &str, path: &str, body: Value) -> Response {
        self.system.employee(&self.ann.token, method, path, body).await
    }
}

fn range((start, end): (i64, i64)) -> String {
    format!("start={start}&end={end}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_goes_from_the_employee_to_the_approver_and_what_comes_late_for_it_waits_for_a_decision() {
    let fixture = Fixture::start().await;
    let bob = fixture.system.new_employee("Bob", "bob@example.org").await;
    fixture.record(TEN, TEN + HOUR).await;
    let across = (OCTOBER.1 - HOUR, OCTOBER.1 + HOUR);
    fixture.record(across.0, across.1).await;

    let all = fixture.periods(&range((OCTOBER.0, OCTOBER.1 + 1))).await;
    let shown: Vec<_> = all.iter().map(|p| (p["employeeId"].as_str().unwrap(), p["time"].as_i64().unwrap())).collect();
    let mut expected = vec![(fixture.ann.id.to_string(), 2 * HOUR), (bob.id.to_string(), 0)];
    expected.sort();
    let mut november = vec![(fixture.ann.id.to_string(), HOUR), (bob.id.to_string(), 0)];
    november.sort();
    expected.extend(november);
    let expected: Vec<_> = expected.iter().map(|(id, time)| (id.as_str(), *time)).collect();
    assert_eq!(shown, expected, "each of both periods, a window over the edge by its parts");
    let (time, costs, income) = fixture.project_time(OCTOBER.0, OCTOBER.1).await;
    let path = fixture.october();
    let period = fixture.system.get(&path).await;
    assert_eq!((&period["time"], &period["costs"], &period["income"]), (&json!(time), &json!(costs), &json!(income)));
    let listed = all.iter().find(|p| path.ends_with(p["id"].as_str().unwrap())).unwrap();
    assert_eq!(listed, &period, "the list is of analytics, one is of timetrack");
    for limit in [1, 2, 3] {
        let page = fixture.periods(&format!("{}&limit={limit}", range((OCTOBER.0, OCTOBER.1 + 1)))).await;
        assert_eq!(page[..], all[..limit]);
    }

    // An employee sees and submits their own periods, but may not decide about them.
    let own = fixture.as_ann("GET", &format!("/api/v1/period?{}", range(OCTOBER)), Value::Null).await.expect(200);
    assert_eq!(own.as_array().unwrap().as_slice(), std::slice::from_ref(&period));
    for of_bob in [
        format!("/api/v1/period?{}&employeeId={}", range(OCTOBER), bob.id),
        path.replace(&fixture.ann.id.to_string(), &bob.id.to_string()),
    ] {
        assert_eq!(fixture.as_ann("GET", &of_bob, Value::Null).await.refused(403), "forbidden");
    }
    let submitted = fixture.as_ann("POST", &format!("{path}/submit"), Value::Null).await.expect(200);
    assert_eq!((&submitted["status"], &submitted["submittedHash"]), (&json!("submitted"), &period["hash"]));
    let approve = fixture.as_ann("POST", &format!("{path}/approve"), Value::Null).await;
    assert_eq!(approve.status, 401, "{}", approve.text);
    let back =
        fixture.system.admin("POST", &format!("{path}/send-back"), json!({ "note": "Friday is missing." })).await;
    assert_eq!(back.expect(200)["note"], "Friday is missing.");
    let nameless = fixture.system.admin("POST", &format!("{path}/send-back"), json!({ "note": " " })).await;
    assert_eq!(nameless.refused(422), "invalid", "without a word of what is to be done");
    fixture.as_ann("POST", &format!("{path}/submit"), Value::Null).await.expect(200);

    let seen = period["hash"].as_str().unwrap().to_owned();
    fixture.record(TEN + 2 * HOUR, TEN + 3 * HOUR).await;
    assert_eq!(fixture.approve(&path, &seen).await.refused(412), "period_changed");
    let none = fixture.system.admin("POST", &format!("{path}/approve"), Value::Null).await;
    assert_eq!(none.refused(400), "bad_precondition");
    let approved = fixture.approve_now(&path).await;
    assert_eq!((&approved["status"], &approved["time"]), (&json!("approved"), &json!(3 * HOUR)));
    assert_eq!(approved["approvedBy"], json!({ "kind": "root", "id": null, "name": "root" }));

    // A window that arrives after the approval of its period is accepted and quarantined. A change
    // of a settled window is refused.
    let late = fixture.post(fixture.window(TEN + 5 * HOUR, TEN + 6 * HOUR)).await;
    assert_eq!((late.status, &late.body["code"]), (202, &json!("period_locked")), "{}", late.text);
    let held = fixture.system.get("/api/v1/quarantine").await;
    assert_eq!(held[0]["code"], "period_locked");
    let refused = fixture
        .system
        .admin("PUT", &format!("{WINDOWS}/update?employeeId={}", fixture.ann.id), json!({ "paid": true }))
        .await;
    assert_eq!(refused.refused(409), "period_locked");
    assert_eq!(fixture.system.get(&path).await, approved);
    let listed = fixture.periods(&format!("{}&employeeId={}", range(OCTOBER), fixture.ann.id)).await;
    assert_eq!(listed[..], [approved]);

    let reopen = format!("{path}/reopen");
    let reopened = fixture.system.admin("POST", &reopen, json!({ "reason": "A sheet was found." })).await.expect(200);
    assert_eq!(reopened["status"], "open");
    eventually("the late one is recorded", async || {
        (fixture.system.get(&path).await["time"] == 4 * HOUR).then_some(())
    })
    .await;
    let again = fixture.approve_now(&path).await;
    assert_eq!(again["time"], 4 * HOUR);
    eventually("she is mailed that it is approved", async || {
        let mails = mails(&fixture.system, "Your pay period is approved");
        // Quoted-printable breaks a long line with `=` at its end.
        let says = |mail: &String, text: &str| mail.replace("=\r\n", "").contains(text);
        mails.iter().any(|mail| says(mail, "ann@example.org") && says(mail, "with 4:00 hours")).then_some(())
    })
    .await;
    // After the employee is deactivated, their other periods can still be approved.
    fixture
        .system
        .admin("POST", &format!("/api/v1/employee/{}/deactivate", fixture.ann.id), Value::Null)
        .await
        .expect(200);
    let november = path.replace("2025-10", "2025-11");
    assert_eq!(fixture.approve_now(&november).await["time"], HOUR);
    let listed = fixture.periods(&range((OCTOBER.1, OCTOBER.1 + HOUR))).await;
    assert!(listed.iter().any(|period| period["employeeId"] == json!(fixture.ann.id)), "she has time in it");

    eventually("the trail tells of each step", async || {
        let actions = fixture.system.get("/api/v1/audit?limit=200").await;
        let told = |action: &str| actions.as_array().unwrap().iter().filter(|entry| entry["action"] == action).count();
        let counts = ["period.submitted", "period.sent_back", "period.approved", "period.reopened"].map(told);
        (counts == [2, 1, 3, 1]).then_some(())
    })
    .await;
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_periods_of_a_zone_with_days_of_23_and_25_hours_are_those_of_analytics() {
    let fixture = Fixture::start().await;
    let settings =
        json!({ "timezone": "Europe/Berlin", "payPeriod": "week", "anchor": "2026-01-05", "weekStart": "monday" });
    fixture.system.put("/api/v1/settings", settings).await;
    // In Berlin, Sunday 26 October 2025 has 25 hours, and Sunday 30 March 2025 has 23 hours.
    for (first, hours) in [("2025-10-20", 169), ("2025-03-24", 167)] {
        let path = format!("/api/v1/period/{}_{first}", fixture.ann.id);
        let period = fixture.system.get(&path).await;
        let (start, end) = (period["start"].as_i64().unwrap(), period["end"].as_i64().unwrap());
        assert_eq!(end - start, hours * HOUR);
        for (from, until) in [(start - HOUR, start + HOUR), (end - HOUR, end + HOUR), (end - 9 * HOUR, end - 7 * HOUR)]
        {
            fixture.record(from, until).await;
        }
        let (time, _, income) = fixture.project_time(start, end).await;
        let period = fixture.system.get(&path).await;
        assert_eq!((&period["time"], &period["income"]), (&json!(time), &json!(income)));
        let listed = fixture.periods(&format!("{}&employeeId={}", range((start, end)), fixture.ann.id)).await;
        assert_eq!(listed[..], [period]);
        assert_eq!(fixture.approve_now(&path).await["time"], 4 * HOUR);
        for edge in [Millis(start), Millis(end - 1)] {
            let window = fixture.window(edge.0, edge.0 + 1);
            assert_eq!(fixture.post(window).await.status, 202, "the first and the last moment of it");
        }
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_told_and_only_moves_forward() {
    let fixture = Fixture::start().await;
    let window = id(&fixture.record(TEN, TEN + HOUR).await);
    let lock = async |body: Value| fixture.system.admin("PUT", "/api/v1/lock", body).await;
    assert_eq!(lock(json!({ "lockedUntil": TEN + HOUR })).await.expect(200)["projectId"], Value::Null);
    assert_eq!(lock(json!({ "lockedUntil": TEN })).await.refused(409), "lock_moves_back");
    let of_project = json!({ "projectId": fixture.project, "lockedUntil": TEN + 2 * HOUR });
    assert_eq!(lock(of_project).await.expect(200)["projectId"], *fixture.project);
    let locks = fixture.system.get("/api/v1/lock").await;
    assert_eq!(locks.as_array().unwrap().len(), 2);
    let voided = fixture.system.admin("DELETE", &format!("{WINDOWS}/{window}"), Value::Null).await;
    assert_eq!(voided.refused(409), "period_locked");
    assert_eq!(fixture.post(fixture.window(TEN + HOUR, TEN + 2 * HOUR)).await.status, 202);
    let reopen = async |body: Value| fixture.system.admin("POST", "/api/v1/lock/reopen", body).await;
    reopen(json!({ "projectId": fixture.project, "reason": "A sheet was found." })).await.expect(200);
    eventually("the late one is recorded", async || {
        (fixture.windows(TEN, TEN + 3 * HOUR).await.len() == 2).then_some(())
    })
    .await;
    reopen(json!({ "lockedUntil": TEN, "reason": "Another one." })).await.expect(200);
    fixture.system.admin("DELETE", &format!("{WINDOWS}/{window}"), Value::Null).await.expect(204);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pay_run_pays_what_is_approved_once_and_is_had_as_a_table() {
    let fixture = Fixture::start().await;
    let bob = fixture.system.new_employee("Bob, the \"builder\"", "bob@example.org").await;
    fixture.record(TEN, TEN + HOUR).await;
    let pay = async || {
        let range = json!({ "start": OCTOBER.0, "end": OCTOBER.1 });
        fixture.system.admin("POST", "/api/v1/pay-run", range).await
    };
    assert_eq!(pay().await.refused(409), "period_not_approved");
    let approved = fixture.approve_now(&fixture.october()).await;
    let run = pay().await.expect(201);
    assert_eq!(pay().await.expect(200), run, "asked twice");
    assert_eq!((&run["time"], &run["income"], &run["periodCount"]), (&json!(HOUR), &json!(50.0), &json!(1)));
    assert_eq!(run["createdBy"]["kind"], "root");
    assert!(fixture.windows(TEN, TEN + HOUR).await.iter().all(|window| window["paid"] == true));
    assert_eq!(fixture.project_time(OCTOBER.0, OCTOBER.1).await, (HOUR, 0.0, 50.0));
    assert_eq!(fixture.system.get(&fixture.october()).await["payRun"], run["id"]);

    // A period that is approved after a pay run is paid by the next run.
    fixture.approve_now(&fixture.october().replace(&fixture.ann.id.to_string(), &bob.id.to_string())).await;
    let next = pay().await.expect(201);
    assert_ne!(next["id"], run["id"]);
    let runs = fixture.system.get("/api/v1/pay-run").await;
    assert_eq!(runs, json!([run, next]));

    let path = format!("/api/v1/pay-run/{}", run["id"].as_str().unwrap());
    let whole = fixture.system.get(&path).await;
    assert_eq!(whole["periods"][0]["hash"], approved["hash"]);
    assert_eq!(whole["periods"][0]["employeeName"], "Ann");
    let table = fixture.system.request("GET", &path).header("X-API-Key", fixture.system.admin_key);
    let table = send(table.header("Accept", "text/csv"), Value::Null).await;
    let id = approved["id"].as_str().unwrap();
    let header =
        "id,employeeId,start,end,time,costs,income,adjustmentTime,adjustmentCosts,adjustmentIncome,employeeName";
    let ann = fixture.ann.id;
    let line = format!("{id},{ann},{},{},{HOUR},0.0,50.0,0,0.0,0.0,Ann", OCTOBER.0, OCTOBER.1);
    assert_eq!(table.text, format!("{header}\r\n{line}\r\n"));
    let refused = fixture.as_ann("GET", &path, Value::Null).await;
    assert_eq!(refused.status, 401, "{}", refused.text);
    let reopen = fixture.system.admin("POST", &format!("{}/reopen", fixture.october()), json!({ "reason": "x" })).await;
    assert_eq!(reopen.refused(409), "period_paid");
    fixture.system.finish().await;
}
