//! Tests of the demo, which fills an empty folder with an invented company.

use std::fs;

use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

use crate::program::{Program, Run, value};

/// Milliseconds in a day.
const DAY: i64 = 86_400_000;
/// The setting for a demo of twelve days, which always include a weekend.
const DEMO: [(&str, &str); 1] = [("T3_DEMO", "12")];

/// Sends a GET as an admin.
async fn get(run: &Run, path: &str) -> Value {
    run.admin("GET", path, Value::Null).await.json().await.unwrap()
}

/// Logs in to the console as the owner, and returns the HTML of a page.
async fn page(run: &Run, path: &str) -> String {
    let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let email = value(&run.banner, "Log in as").split(' ').next().unwrap();
    let form = [("email", email), ("password", value(&run.banner, "Password"))];
    let request = http.post(format!("{}/console/log-in", run.base)).header("sec-fetch-site", "same-origin");
    let answer = request.form(&form).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let answer = http.get(format!("{}{path}", run.base)).header("cookie", cookie).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_who_worked_yesterday_and_what_needs_somebody_and_fills_no_folder_twice() {
    let program = Program::new();
    let run = program.start_with(&DEMO).await;

    // The work of everybody who worked yesterday has a cost, and the page of that day names them.
    let now = get(&run, "/api/v1/employee").await[0]["createdAt"].as_i64().unwrap();
    let today = now - now.rem_euclid(DAY);
    let yesterday = format!("start={}&end={today}", today - DAY);
    let times = get(&run, &format!("/api/v1/analytics/time?{yesterday}&groupBy=employee,project")).await;
    let times = times.as_array().unwrap();
    assert!(times.iter().all(|time| time["time"].as_i64().unwrap() > 0 && time["costs"].as_f64().unwrap() > 0.0));
    let day = today / DAY - 1;
    let day = page(&run, &format!("/console/day?day={}", date(day))).await;
    let names: Vec<&str> = times.iter().map(|time| time["employeeName"].as_str().unwrap()).collect();
    assert!(names.len() >= 4, "{times:?}");
    for name in names {
        assert!(day.contains(name), "{name} worked: {day}");
    }

    // One window is quarantined, one person has only been invited, and windows overlap. The pages
    // of the owner show what needs attention, and who tracks time now.
    let held = get(&run, "/api/v1/quarantine").await;
    assert_eq!(held.as_array().map(Vec::len), Some(1), "{held}");
    let people = get(&run, "/api/v1/employee").await;
    let people = people.as_array().unwrap();
    let invited: Vec<&Value> = people.iter().filter(|person| person["is_active"] == json!(false)).collect();
    assert_eq!((people.len(), invited.len()), (12, 1), "{invited:?}");
    let overlaps = get(&run, &format!("/api/v1/analytics/overlaps?start={}&end={now}", today - 12 * DAY)).await;
    assert!(!overlaps.as_array().unwrap().is_empty());
    let attention = page(&run, "/console/attention").await;
    assert!(attention.contains("Kofi Mensah") && attention.contains("Count the hours"), "{attention}");
    let now = page(&run, "/console").await;
    for name in ["Aoife Brennan", "Priya Raghavan", "Léa Fontaine"] {
        assert!(now.contains(name), "{name} tracks: {now}");
    }
    run.stop().await;

    // The demo is refused in a folder that has been filled already.
    let (code, said) = program.refusal(&DEMO).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("holds something already") && said.contains("Start without --demo"), "{said}");
    program.start().await.stop().await;
}

#[tokio::test]
async fn the_demo_is_refused_where_it_would_do_harm() {
    let program = Program::new();
    for (setting, word) in [(("EMAIL_HOST", "mail.example.org"), "mailboxes"), (("T3_ENV", "production"), "production")]
    {
        let (code, said) = program.refusal(&[DEMO[0], setting]).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(word), "{said}");
    }
    fs::write(program.data().join("notes.txt"), "mine").unwrap();
    let (code, said) = program.refusal(&DEMO).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("holds something already"), "{said}");
}

/// Formats a number of days since 1970 as YYYY-MM-DD.
fn date(day: i64) -> String {
    let moment = bson::DateTime::from_millis(day * DAY).try_to_rfc3339_string().unwrap();
    moment.split('T').next().unwrap().to_owned()
}
