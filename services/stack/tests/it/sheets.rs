//! Tests of time and money as a spreadsheet. The file is read with another library than the one
//! that writes it.

use std::io::Cursor;

use calamine::{Data, DataType, Reader, Xlsx};
use serde_json::{Value, json};

use crate::{
    api::send,
    fixture::{Fixture, HOUR, MINUTE, TEN, merged},
};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const DAY: i64 = 24 * HOUR;

/// Downloads a report as a sheet. Returns the title with the notes, and the rows from the header
/// on.
async fn sheet(fixture: &Fixture, path: &str) -> (Vec<String>, Vec<Vec<Data>>) {
    sheet_called("time.xlsx", fixture, path).await
}

/// Does the same as [`sheet`], for a file that must have this name.
async fn sheet_called(name: &str, fixture: &Fixture, path: &str) -> (Vec<String>, Vec<Vec<Data>>) {
    let request =
        fixture.system.request("GET", path).header("X-API-Key", fixture.system.admin_key).header("Accept", XLSX);
    let answer = request.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (200, &XLSX.parse().unwrap()));
    assert_eq!(answer.headers()["content-disposition"], format!("attachment; filename=\"{name}\""));
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(answer.bytes().await.unwrap())).unwrap();
    assert!(book.worksheet_formula("Sheet1").unwrap().is_empty(), "a formula");
    let page = book.worksheet_range("Sheet1").unwrap();
    let (last, width) = page.end().unwrap();
    let line =
        |row: u32| (0..=width).map(|column| page.get_value((row, column)).cloned().unwrap_or_default()).collect();
    let mut lines: Vec<Vec<Data>> = (0..=last).map(line).collect();
    let rows = lines.split_off(4);
    (lines.iter().map(|line| line[0].to_string()).collect(), rows)
}

fn millis(cell: &Data) -> i64 {
    let Data::DateTime(time) = cell else { panic!("a length of time: {cell:?}") };
    assert!(time.is_duration());
    (time.as_f64() * DAY as f64).round() as i64
}

/// Returns the day in a cell, as YYYY-MM-DD.
fn day(cell: &Data) -> String {
    let Data::DateTime(day) = cell else { panic!("a day: {cell:?}") };
    assert!(day.is_datetime());
    let days = jiff::ToSpan::days(day.as_f64() as i64 - 25_569);
    (jiff::civil::date(1970, 1, 1) + days).to_string()
}

fn cents(amount: f64) -> i64 {
    (amount * 100.0).round() as i64
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_has_the_lines_and_the_sums_of_the_json_real_days_and_no_formulas() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    // The amounts need rounding, the sum is more than 24 hours, and a name looks like a formula.
    let payroll = json!({ "*": { "billRate": 33.33, "payRate": 17.77 } });
    let evil = system.create_project(
        json!({ "name": "=HYPERLINK(\"http://x\")", "employees": [fixture.ann.id], "payroll": payroll }),
    );
    let evil = evil.await;
    let task =
        system.create_task(json!({ "name": "@task", "projectId": evil["id"], "employees": [fixture.ann.id] })).await;
    for n in 0..3 {
        fixture.record(TEN + n * DAY, TEN + n * DAY + 11 * HOUR + n * MINUTE + 7).await;
        let start = TEN + n * DAY + 12 * HOUR;
        let window = merged(
            fixture.window(start, start + 61 * MINUTE + n),
            json!({ "projectId": evil["id"], "taskId": task["id"] }),
        );
        fixture.post(window).await.expect(201);
    }
    let path = format!(
        "/api/v1/analytics/time?start={TEN}&end={}&groupBy=day,project,task&timezone=Asia/Kolkata",
        TEN + 9 * DAY
    );
    let json = system.get(&path).await;
    let rows = json.as_array().unwrap();
    let (head, mut lines) = sheet(&fixture, &path).await;
    assert!(head[0].starts_with("Time from 2025-10-09 14:23 to"), "{head:?}");
    assert_eq!(head[1], "Time zone: Asia/Kolkata");
    let names: Vec<String> = lines.remove(0).iter().map(ToString::to_string).collect();
    assert_eq!(names, ["Day", "Project", "Task", "Hours", "Cost", "Income", "Project id", "Task id"]);
    let sums = lines.pop().unwrap();
    assert_eq!((lines.len(), rows.len()), (7, 7), "some windows lie on two days there");
    for (line, row) in lines.iter().zip(rows) {
        assert_eq!(day(&line[0]), row["day"].as_str().unwrap());
        let name = row["projectName"].as_str().unwrap();
        let defused = if name.starts_with('=') { format!("'{name}") } else { name.to_owned() };
        assert_eq!((line[1].to_string(), millis(&line[3])), (defused, row["time"].as_i64().unwrap()));
        for (cell, name) in [(&line[4], "costs"), (&line[5], "income")] {
            assert_eq!(cents(cell.as_f64().unwrap()), cents(row[name].as_f64().unwrap()), "{name}");
        }
        assert_eq!(line[6].to_string(), row["project"].as_str().unwrap());
    }
    // The sums are exact: they are rounded once, like the sum of the whole range.
    let whole = system.get(&path.replace("day,project,task", "employee")).await;
    assert_eq!(sums[0].to_string(), "All");
    assert_eq!(millis(&sums[3]), rows.iter().map(|row| row["time"].as_i64().unwrap()).sum::<i64>());
    assert_eq!(millis(&sums[3]), whole[0]["time"].as_i64().unwrap());
    for (cell, name) in [(&sums[4], "costs"), (&sums[5], "income")] {
        assert_eq!(cents(cell.as_f64().unwrap()), cents(whole[0][name].as_f64().unwrap()), "{name}");
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_lines_is_a_sheet_without_sums_and_nothing_is_one_too() {
    let fixture = Fixture::start().await;
    for n in 0..3 {
        fixture.record(TEN + n * DAY, TEN + n * DAY + HOUR).await;
    }
    let path = format!("/api/v1/analytics/time?start={TEN}&end={}&groupBy=month,day,employee", TEN + 9 * DAY);
    let (_, lines) = sheet(&fixture, &format!("{path}&limit=2")).await;
    assert_eq!(lines.len(), 3, "the names of the columns and two lines");
    assert_eq!((day(&lines[1][0]), day(&lines[1][1])), ("2025-10-09".to_owned(), "2025-10-01".to_owned()));
    let request = fixture.system.request("GET", &format!("{path}&limit=2"));
    let page = request.header("X-API-Key", fixture.system.admin_key).header("Accept", XLSX).send().await.unwrap();
    assert!(page.headers()["link"].to_str().unwrap().contains("cursor="));
    let (_, lines) = sheet(&fixture, &path).await;
    assert_eq!((lines.len(), millis(&lines[4][3])), (5, 3 * HOUR));
    let (_, nothing) = sheet(&fixture, "/api/v1/analytics/time?start=0&end=1&groupBy=project").await;
    assert_eq!((nothing.len(), millis(&nothing[1][1])), (2, 0));

    // An employee gets a sheet too. A client that prefers JSON gets JSON. The audit trail has an
    // entry for each sheet.
    let own = fixture.system.request("GET", &path).bearer_auth(&fixture.ann.token).header("Accept", XLSX);
    assert_eq!(own.send().await.unwrap().headers()["content-type"], XLSX);
    let json = fixture.system.request("GET", &path).header("X-API-Key", fixture.system.admin_key);
    let json = send(json.header("Accept", format!("application/json, {XLSX};q=0.5")), Value::Null).await;
    assert_eq!(json.expect(200).as_array().unwrap().len(), 3);
    testkit::eventually("it is on record", async || {
        let trail = fixture.system.get("/api/v1/audit?action=export.made&limit=9").await;
        (trail.as_array().unwrap().len() == 5).then_some(())
    })
    .await;
    fixture.system.finish().await;
}

/// Returns the time, the costs and the income in a row, in milliseconds and cents, and the same for
/// its adjustments.
fn amounts(line: &[Data]) -> [i64; 6] {
    let money = |cell: &Data| cents(cell.as_f64().unwrap());
    [millis(&line[3]), money(&line[4]), money(&line[5]), millis(&line[6]), money(&line[7]), money(&line[8])]
}

/// Returns the same amounts from JSON.
fn amounts_of(of: &Value) -> [i64; 6] {
    let money = |name: &str| cents(of[name].as_f64().unwrap());
    let time = |name: &str| of[name].as_i64().unwrap();
    [
        time("time"),
        money("costs"),
        money("income"),
        time("adjustmentTime"),
        money("adjustmentCosts"),
        money("adjustmentIncome"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sheet_of_a_pay_run_has_its_periods_and_the_totals_of_its_json() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let settings =
        json!({ "timezone": "Asia/Kolkata", "payPeriod": "month", "anchor": "2024-01-01", "weekStart": "monday" });
    system.put("/api/v1/settings", settings).await;
    let payroll = json!({ "*": { "billRate": 33.33, "payRate": 17.77 } });
    let project = system.create_project(json!({ "employees": [fixture.ann.id], "payroll": payroll })).await;
    let task = system.create_task(json!({ "projectId": project["id"], "employees": [fixture.ann.id] })).await;
    let window = |start: i64, end: i64| {
        merged(fixture.window(start, end), json!({ "projectId": project["id"], "taskId": task["id"] }))
    };
    let evil = system.new_employee("=HYPERLINK(\"http://x\")", "evil@example.org").await;
    for n in 0..20 {
        fixture.post(window(TEN + n * DAY, TEN + n * DAY + 11 * HOUR + n * MINUTE + 7)).await.expect(201);
    }
    let october = [&fixture.ann.id, &evil.id].map(|id| format!("/api/v1/period/{id}_2025-10-01"));
    for path in &october {
        fixture.approve_now(path).await;
    }
    let pay = async |period: &Value| {
        let range = json!({ "start": period["start"], "end": period["end"] });
        let run = system.admin("POST", "/api/v1/pay-run", range).await.expect(201);
        format!("/api/v1/pay-run/{}", run["id"].as_str().unwrap())
    };
    let mut runs = vec![pay(&system.get(&october[0]).await).await];
    // A window that arrives late for the paid period is paid with the present period.
    let late = fixture.post(window(TEN + 13 * HOUR, TEN + 14 * HOUR + 11)).await;
    assert_eq!(late.body["code"], "period_locked", "{}", late.text);
    let held = system.get("/api/v1/quarantine").await;
    let admit = format!("/api/v1/quarantine/{}/admit", held[0]["id"].as_str().unwrap());
    system.admin("POST", &admit, Value::Null).await.expect(200);
    let now = system.harness.clock.now();
    let current =
        system.get(&format!("/api/v1/period?start={now}&end={}&employeeId={}", now + 1, fixture.ann.id)).await;
    fixture.approve_now(&format!("/api/v1/period/{}", current[0]["id"].as_str().unwrap())).await;
    runs.push(pay(&current[0]).await);

    for (path, lines_of_it) in runs.iter().zip([2, 1]) {
        let run = system.get(path).await;
        let periods = run["periods"].as_array().unwrap();
        let (head, mut lines) = sheet_called("pay-run.xlsx", &fixture, path).await;
        assert!(head[0].starts_with("Pay run of 20") && head[2].starts_with("Adjustments are hours"), "{head:?}");
        assert_eq!(head[1], "Time zone: Asia/Kolkata");
        let names: Vec<String> = lines.remove(0).iter().map(ToString::to_string).collect();
        assert_eq!(
            (&names[..3], &names[9..]),
            (&["Employee", "From", "To"].map(String::from)[..], &["Period".to_owned()][..])
        );
        let totals = lines.pop().unwrap();
        assert_eq!((lines.len(), periods.len()), (lines_of_it, lines_of_it));
        for (line, period) in lines.iter().zip(periods) {
            let name = period["employeeName"].as_str().unwrap();
            let defused = if name.starts_with('=') { format!("'{name}") } else { name.to_owned() };
            assert_eq!(
                (line[0].to_string(), line[9].to_string()),
                (defused, period["id"].as_str().unwrap().to_owned())
            );
            let first = period["id"].as_str().unwrap().rsplit('_').next().unwrap();
            assert_eq!(day(&line[1]), first);
            assert!(day(&line[2]).starts_with(&first[..7]), "the last day is one of the month: {line:?}");
            assert_eq!(amounts(line), amounts_of(period));
        }
        assert_eq!((totals[0].to_string(), amounts(&totals)), ("All".to_owned(), amounts_of(&run)));
        let mut sums = [0; 6];
        for line in &lines {
            sums.iter_mut().zip(amounts(line)).for_each(|(sum, amount)| *sum += amount);
        }
        assert_eq!(amounts(&totals), sums, "a run is the sum of what it pays, to the cent");
    }
    let [first, second] = &runs[..] else { panic!("two runs") };
    let (first, second) = (system.get(first).await, system.get(second).await);
    assert!(amounts_of(&first)[..3].iter().all(|amount| *amount > 0), "{first}");
    assert_eq!(amounts_of(&second)[3..], [HOUR + 11, 1_777, 3_333], "{second}");
    fixture.system.finish().await;
}
