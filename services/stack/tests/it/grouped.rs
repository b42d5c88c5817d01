//! Tests of grouped time: as JSON, in pages, and as CSV.

use serde_json::{Value, json};

use crate::{
    api::send,
    fixture::{Fixture, HOUR, MINUTE, TEN, WINDOWS, id, merged},
};

const DAY: i64 = 24 * HOUR;
/// The start of 2025-03-30 in Berlin, a day of 23 hours, in milliseconds since 1970.
const SPRING: i64 = 1_743_289_200_000;
/// The start of 2024-10-27 in Berlin, a day of 25 hours, in milliseconds since 1970.
const AUTUMN: i64 = 1_729_980_000_000;

/// Returns the path of the report of grouped time in a range.
fn time(start: i64, end: i64, query: &str) -> String {
    format!("/api/v1/analytics/time?start={start}&end={end}&{query}")
}

/// Returns the sum of the times of all rows.
fn sum(rows: &Value) -> i64 {
    rows.as_array().unwrap().iter().map(|row| row["time"].as_i64().unwrap()).sum()
}

/// Requests all pages of a list by following the links to the next page.
async fn pages(fixture: &Fixture, first: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut next) = (Vec::new(), Some(first.to_owned()));
    while let Some(path) = next {
        let (page, link) = page(fixture, &path).await;
        pages.push(page);
        next = link;
    }
    pages
}

/// Requests one page, and returns its rows and the path of the next page.
async fn page(fixture: &Fixture, path: &str) -> (Vec<Value>, Option<String>) {
    let answer = fixture.system.admin("GET", path, Value::Null).await;
    let link = answer.headers.get("link").map(|link| {
        let link = link.to_str().unwrap().strip_suffix("; rel=\"next\"").unwrap();
        link.trim_matches(['<', '>']).to_owned()
    });
    (answer.expect(200).as_array().unwrap().clone(), link)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_windows_stay_right_while_windows_arrive() {
    let fixture = Fixture::start().await;
    let start = |n: i64| TEN + n * HOUR;
    for n in [1, 3, 5, 7] {
        fixture.record(start(n), start(n + 1)).await;
    }
    let query = format!("start={}&end={}&employeeId={}&limit=2", TEN, start(20), fixture.ann.id);
    let (first, next) = page(&fixture, &format!("/api/v1/analytics/window?{query}")).await;
    let next = next.unwrap();
    assert!(next.contains(&query), "{next}");
    // The first page has been read. One new window begins before the windows on it, and one begins
    // after them.
    fixture.record(start(0), start(1)).await;
    fixture.record(start(6), start(7)).await;
    let mut shown = vec![first];
    shown.extend(pages(&fixture, &next).await);
    let starts: Vec<Vec<i64>> = shown
        .iter()
        .map(|page| page.iter().map(|window| (window["start"].as_i64().unwrap() - TEN) / HOUR).collect())
        .collect();
    assert_eq!(starts, [vec![1, 3], vec![5, 6], vec![7]]);
    assert_eq!(fixture.windows(TEN, start(20)).await.len(), 6);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_times_make_the_whole() {
    let fixture = Fixture::start().await;
    for day in 0..5 {
        fixture.record(TEN + day * DAY, TEN + day * DAY + HOUR).await;
        fixture.record(TEN + day * DAY + 2 * HOUR, TEN + day * DAY + 3 * HOUR).await;
    }
    // The range begins within the first window.
    let path = time(TEN + MINUTE, TEN + 10 * DAY, "groupBy=day,week,task&timezone=America/St_Johns");
    let whole = fixture.system.get(&path).await;
    assert_eq!((whole.as_array().unwrap().len(), sum(&whole)), (5, 10 * HOUR - MINUTE));
    for limit in [1, 2, 5, 6] {
        let pages = pages(&fixture, &format!("{path}&limit={limit}")).await;
        assert_eq!(pages.len(), 5_usize.div_ceil(limit), "{limit}");
        assert_eq!(pages.concat(), *whole.as_array().unwrap(), "{limit}");
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_weeks_and_months_are_those_of_the_zone() {
    let fixture = Fixture::start().await;
    let rows = async |start: i64, by: &str, zone: &str| {
        let path = time(start - 3 * DAY, start + 3 * DAY, &format!("groupBy={by}&timezone={zone}"));
        let rows = fixture.system.get(&path).await;
        let row = |row: &Value| (row[by].as_str().unwrap().to_owned(), row["time"].as_i64().unwrap());
        rows.as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    let of = |key: &str, time: i64| (key.to_owned(), time);
    // These 24 hours from midnight cover the day of 23 hours and one hour of the next day, which is
    // a Monday.
    fixture.record(SPRING, SPRING + DAY).await;
    assert_eq!(rows(SPRING, "day", "Europe/Berlin").await, [of("2025-03-30", 23 * HOUR), of("2025-03-31", HOUR)]);
    assert_eq!(rows(SPRING, "week", "Europe/Berlin").await, [of("2025-03-24", 23 * HOUR), of("2025-03-31", HOUR)]);
    assert_eq!(rows(SPRING, "month", "Europe/Berlin").await, [of("2025-03", DAY)]);
    // The window begins an hour before midnight in UTC, and at 4:30 in Kolkata.
    assert_eq!(rows(SPRING, "day", "UTC").await, [of("2025-03-29", HOUR), of("2025-03-30", 23 * HOUR)]);
    let kolkata = [of("2025-03-30", 19 * HOUR + 30 * MINUTE), of("2025-03-31", 4 * HOUR + 30 * MINUTE)];
    assert_eq!(rows(SPRING, "day", "Asia/Kolkata").await, kolkata);
    // These two windows cover the day of 25 hours and one hour of the next day.
    fixture.record(AUTUMN, AUTUMN + DAY).await;
    fixture.record(AUTUMN + DAY, AUTUMN + DAY + 2 * HOUR).await;
    assert_eq!(rows(AUTUMN, "day", "Europe/Berlin").await, [of("2024-10-27", 25 * HOUR), of("2024-10-28", HOUR)]);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_that_adjoin_and_groups_add_up_to_the_whole_and_nothing_is_behind() {
    let fixture = Fixture::start().await;
    let (from, to) = (TEN, TEN + 4 * DAY);
    for n in 1..=8 {
        let start = TEN + n * 11 * HOUR;
        fixture.record(start, start + 90 * MINUTE + n).await;
        // The report includes the window that was just recorded.
        let expected = n * 90 * MINUTE + n * (n + 1) / 2;
        assert_eq!(sum(&fixture.system.get(&time(from, to, "groupBy=employee")).await), expected);
    }
    let whole = fixture.project_time(from, to).await.0;
    for by in ["day", "employee,week", "project,task,employee,day", "month,day", "project"] {
        for cuts in [vec![from, to], vec![from, TEN + 12 * HOUR + 7, TEN + 13 * HOUR, TEN + 3 * DAY + 1, to]] {
            let mut time_of_all = 0;
            for range in cuts.windows(2) {
                let query = format!("groupBy={by}&timezone=Australia/Adelaide");
                time_of_all += sum(&fixture.system.get(&time(range[0], range[1], &query)).await);
            }
            assert_eq!(time_of_all, whole, "{by} {cuts:?}");
        }
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn employees_see_their_own_time_and_nobody_elses() {
    let (fixture, bob) = Fixture::start_with_bob().await;
    let (system, ann) = (&fixture.system, &fixture.ann);
    fixture.record(TEN, TEN + HOUR).await;
    system.employee(&bob.token, "POST", WINDOWS, fixture.window(TEN, TEN + 2 * HOUR)).await.expect(201);
    let path = time(TEN, TEN + DAY, "groupBy=employee");
    let ask =
        async |token: &str, filter: &str| system.employee(token, "GET", &format!("{path}{filter}"), Value::Null).await;
    let hers = json!([{ "employee": ann.id, "time": HOUR, "costs": 0.0, "income": 50.0, "employeeName": "Ann" }]);
    assert_eq!(ask(&ann.token, "").await.expect(200), hers);
    assert_eq!(ask(&ann.token, &format!("&employeeId={}", ann.id)).await.expect(200), hers);
    assert_eq!(sum(&ask(&bob.token, "").await.expect(200)), 2 * HOUR);
    for others in [bob.id.to_string(), format!("{},{}", ann.id, bob.id)] {
        assert_eq!(ask(&ann.token, &format!("&employeeId={others}")).await.refused(403), "forbidden");
    }
    assert_eq!(system.anybody("GET", &path, Value::Null).await.refused(401), "unauthorized");
    assert_eq!(sum(&system.get(&path).await), 3 * HOUR);
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_carry_awkward_texts_and_say_what_they_are() {
    let fixture = Fixture::start().await;
    let awkward = json!({
        "note": "=HYPERLINK(\"http://x\")", "computer": "Ann's \"Mac\", 2", "user": "-ann", "os": "@os", "osVersion": "+1",
        "timezoneOffset": -7_200_000, "shiftId": "語,1",
    });
    let window = fixture.post(merged(fixture.window(TEN, TEN + HOUR), awkward)).await.expect(201);
    let csv = async |path: &str| {
        let request = fixture.system.request("GET", path).header("X-API-Key", fixture.system.admin_key);
        let answer = send(request.header("Accept", "text/csv"), Value::Null).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
        let disposition = answer.headers["content-disposition"].to_str().unwrap().to_owned();
        (disposition, answer.text)
    };
    let range = format!("start={TEN}&end={}", TEN + DAY);
    let (file, windows) = csv(&format!("/api/v1/analytics/window?{range}")).await;
    assert_eq!(file, "attachment; filename=\"windows.csv\"");
    let [header, line, ""] = windows.split("\r\n").collect::<Vec<_>>()[..] else { panic!("{windows}") };
    // The table has five columns more than the window has fields: two optional fields that this
    // window does not have, and three names.
    assert_eq!(header.split(',').count(), window.as_object().unwrap().len() + 5);
    assert!(line.ends_with(",,Website,Front page,Ann,"), "{line}");
    assert!(line.starts_with(&format!("{},{},\"語,1\",default-org,tracked,", id(&window), fixture.ann.id)), "{line}");
    for cell in
        ["\"'=HYPERLINK(\"\"http://x\"\")\"", "\"Ann's \"\"Mac\"\", 2\"", "'-ann", "'@os", "'+1", "-7200000", "50.0"]
    {
        assert!(line.contains(&format!(",{cell},")), "{cell}: {line}");
    }
    let (file, times) = csv(&time(TEN, TEN + DAY, "groupBy=employee,day")).await;
    assert_eq!(file, "attachment; filename=\"time.csv\"");
    let row = format!("2025-10-09,{},3600000,0.0,50.0,Ann", fixture.ann.id);
    assert_eq!(times, format!("day,employee,time,costs,income,employeeName\r\n{row}\r\n"));
    let (file, projects) = csv(&format!("/api/v1/analytics/project-time?{range}")).await;
    assert_eq!(file, "attachment; filename=\"project-time.csv\"");
    assert_eq!(
        projects,
        format!("id,time,costs,income,projectName\r\n{},3600000,0.0,50.0,Website\r\n", fixture.project)
    );
    // An empty table has a header too.
    let (_, nothing) = csv(&time(0, 1, "groupBy=month,project")).await;
    assert_eq!(nothing, "month,project,time,costs,income,projectName\r\n");
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shifts_filter_and_a_zone_changes_no_instant() {
    let fixture = Fixture::start().await;
    fixture.post(merged(fixture.window(TEN, TEN + HOUR), json!({ "shiftId": "early" }))).await.expect(201);
    fixture.post(merged(fixture.window(TEN + HOUR, TEN + 3 * HOUR), json!({ "shiftId": "late" }))).await.expect(201);
    let range = format!("start={TEN}&end={}", TEN + DAY);
    for (filter, hours) in [("", 3), ("&shiftId=early", 1), ("&shiftId=early,late", 3), ("&shiftId=none", 0)] {
        for zone in ["", "&timezone=Pacific/Apia"] {
            let path = format!("/api/v1/analytics/project-time?{range}{filter}{zone}");
            assert_eq!(sum(&fixture.system.get(&path).await), hours * HOUR, "{path}");
        }
        assert_eq!(
            sum(&fixture.system.get(&time(TEN, TEN + DAY, &format!("groupBy=task{filter}"))).await),
            hours * HOUR
        );
    }
    fixture.system.finish().await;
}
