//! Tests that odd input of clients of the former backend is accepted, so that no hour is lost for a
//! formality.

use serde_json::{Value, json};

use crate::{
    api::{Response, send},
    fixture::{Fixture, HOUR, TEN, WINDOWS, merged},
};

impl Fixture {
    /// Posts a window whose JSON is given as text.
    async fn post_raw(&self, window: String) -> Response {
        let request = self.system.request("POST", WINDOWS).bearer_auth(&self.ann.token);
        send(request.header("Content-Type", "application/json").body(window), Value::Null).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hour_is_lost_for_a_text_that_the_app_cannot_correct() {
    let fixture = Fixture::start().await;
    let first = fixture.record(TEN, TEN + HOUR).await;
    // The former app pads this text. Without the padding it names the same computer, so this is the
    // same window.
    let padded = merged(fixture.window(TEN, TEN + HOUR), json!({ "hwid": " 9f8e\u{0}\u{0}\r\n" }));
    assert_eq!(fixture.post(padded).await.expect(200)["id"], first["id"]);

    let odd = json!({
        "computer": "anns\r\npc\u{0}", "user": "\u{7}", "osVersion": "6".repeat(300), "domain": "a\u{85}b",
        "taskStatus": "To\tDo", "shiftId": "s\u{0}1", "note": format!("one\ntwo\u{0}{}", "x".repeat(10_000)),
    });
    let mut odd = merged(fixture.window(TEN + HOUR, TEN + 2 * HOUR), odd);
    odd.as_object_mut().unwrap().remove("os");
    let odd = odd.to_string().replace("\"9f8e\"", r#""9f\ud8008e""#);
    let recorded = fixture.post_raw(odd.clone()).await.expect(201);
    for (field, kept) in [
        ("computer", "anns  pc"),
        ("user", ""),
        ("os", ""),
        ("osVersion", &"6".repeat(255)),
        ("hwid", "9f\u{fffd}8e"),
        ("domain", "a b"),
        ("taskStatus", "To Do"),
        ("shiftId", "s 1"),
    ] {
        assert_eq!(recorded[field], kept, "{field}");
    }
    let note = recorded["note"].as_str().unwrap();
    assert!(note.starts_with("one\ntwo x") && note.chars().count() == 10_000);
    assert_eq!(fixture.post_raw(odd.clone()).await.expect(200)["id"], recorded["id"]);
    let batch = format!("{{\"windows\":[{odd}]}}");
    let request = fixture.system.request("POST", &format!("{WINDOWS}/batch")).bearer_auth(&fixture.ann.token);
    let request = request.header("Content-Type", "application/json").body(batch);
    assert_eq!(send(request, Value::Null).await.expect(200)["items"][0]["status"], "duplicate");

    let permissions = json!({
        "computer": "anns-pc\u{0}", "createdAt": "1760000000000",
        "permissions": { "accessibility": "denied", "screenAndSystemAudioRecording": "denied" },
    });
    let path = format!("/api/v1/employee/{}/permissions", fixture.ann.id);
    let ann = fixture.system.employee(&fixture.ann.token, "POST", &path, permissions).await.expect(200);
    assert_eq!(ann["systemPermissions"][0]["computer"], "anns-pc");
    assert_eq!(ann["systemPermissions"][0]["createdAt"], 1_760_000_000_000_i64);
    // The odd input of an admin is refused with a reason, because an admin can correct it.
    let odd_name = json!({ "name": "Bob\u{0}", "email": "bob@example.org" });
    assert_eq!(fixture.system.admin("POST", "/api/v1/employee", odd_name).await.refused(422), "invalid");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_truth_values_are_taken_in_every_spelling() {
    let fixture = Fixture::start().await;
    let window = fixture.window(TEN, TEN + HOUR).to_string();
    let id = fixture.record(TEN, TEN + HOUR).await["id"].clone();
    for (start, offset) in
        [("1760000000000.0", "0.0"), ("1.76e12", "0e0"), ("\"1760000000000\"", "\"0\""), ("\"1.76e12\"", "-0.0")]
    {
        let spelt = window.replace(&format!("\"start\":{TEN}"), &format!("\"start\":{start}"));
        let spelt = spelt.replace("\"timezoneOffset\":0", &format!("\"timezoneOffset\":{offset}"));
        assert_eq!(fixture.post_raw(spelt).await.expect(200)["id"], id, "{start}");
    }
    for id_of in [fixture.project.to_uppercase(), format!("{{{}}}", fixture.project), fixture.project.replace('-', "")]
    {
        let spelt = merged(fixture.window(TEN, TEN + HOUR), json!({ "projectId": id_of }));
        assert_eq!(fixture.post(spelt).await.expect(200)["id"], id, "{id_of}");
    }
    let changes = json!({ "paid": "True", "overtime": 1, "billable": "0", "payRate": "30.5", "billRate": 7 });
    let query = format!("projectId={}&start={TEN}.0&end=1.77e12", fixture.project.to_uppercase());
    fixture.system.put(&format!("{WINDOWS}/update?{query}"), changes).await;
    let changed = &fixture.windows(TEN, TEN + HOUR).await[0];
    let expected = json!({ "paid": true, "overtime": true, "billable": false, "payRate": 30.5, "billRate": 7.0 });
    assert_eq!(*changed, merged(changed.clone(), expected));
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_may_be_about_all_of_time() {
    let fixture = Fixture::start().await;
    fixture.record(TEN, TEN + HOUR).await;
    // An import may bring such old windows from the former system.
    let long_ago = 1_000_000_000_000;
    fixture.record(long_ago, long_ago + 2 * HOUR).await;
    let now = fixture.system.harness.clock.now().0;
    for (start, end) in [(0, now), (0, i64::MAX), (i64::MIN, i64::MAX), (-1, 253_402_300_799_999)] {
        let range = format!("start={start}&end={end}");
        assert_eq!(fixture.project_time(start, end).await.0, 3 * HOUR, "{range}");
        assert_eq!(fixture.windows(start, end).await.len(), 2, "{range}");
        for (by, rows) in [("day", 2), ("week", 2), ("month", 2), ("employee", 1), ("day,task,employee", 2)] {
            for filter in [String::new(), format!("&employeeId={}", fixture.ann.id)] {
                let path = format!("/api/v1/analytics/time?{range}&groupBy={by}&timezone=Asia/Kolkata{filter}");
                let found = fixture.system.get(&path).await;
                let found = found.as_array().unwrap();
                let time: i64 = found.iter().map(|row| row["time"].as_i64().unwrap()).sum();
                assert_eq!((found.len(), time), (rows, 3 * HOUR), "{path}");
            }
        }
        let pages = fixture.system.get(&format!("/api/v1/analytics/time?{range}&groupBy=day&limit=1")).await;
        assert_eq!(pages.as_array().unwrap().len(), 1, "{range}");
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_logs_in_from_every_keyboard_and_with_every_kind_of_form() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    system.invite("Zoé", "zoe@example.org").await;
    let token = system.invitation_token("zoe@example.org").await;
    // The length of a password is counted in characters after Unicode normalisation. This one has
    // eleven, which is one too few.
    assert_eq!(system.activate(&token, &"e\u{301}".repeat(11)).await.refused(422), "weak_password");
    system.activate(&token, "un e\u{301}te\u{301} a\u{300} Orle\u{301}ans").await.expect(200);
    for password in ["un \u{e9}t\u{e9} \u{e0} Orl\u{e9}ans", "un e\u{301}te\u{301} a\u{300} Orle\u{301}ans"] {
        system.login(" Zoe@Example.org ", password).await.expect(200);
        let part = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let form = part("username", "zoe@example.org") + &part("password", password) + "--x--\r\n";
        let request =
            system.request("POST", "/api/auth/login/").header("Content-Type", "multipart/form-data; boundary=x");
        send(request.body(form), Value::Null).await.expect(200);
    }
    assert_eq!(system.login("zoe@example.org", "un ete a Orleans").await.refused(401), "unauthorized");
    fixture.system.finish().await;
}
