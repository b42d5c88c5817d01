//! Tests of the console pages that show hours: a day, a week, reports, and an employee's own day.

use serde_json::json;

use crate::{
    company::Company,
    fixture::{HOUR, MINUTE},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_day_shows_the_hours_that_the_api_counts() {
    let company = Company::start().await;
    let system = company.system();
    let (status, html) = company.page("/console/day", &company.owner).await;
    assert_eq!(status, 200);
    let day = company.now().div_euclid(24 * HOUR) * 24 * HOUR;
    let query = format!("start={day}&end={}&groupBy=employee", day + 24 * HOUR);
    let rows = system.get(&format!("/api/v1/analytics/time?{query}")).await;
    let time = rows[0]["time"].as_i64().unwrap();
    let minutes = (time + 30_000) / MINUTE;
    let shown = format!("{}:{:02} hours were worked", minutes / 60, minutes % 60);
    assert!(html.contains(&shown), "{shown}: {html}");
    company.fixture.system.finish().await;
}

/// Before a page knows which people and names it needs, it requests those that earlier pages
/// needed. It must show changes all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_and_a_week_show_at_once_who_has_come_and_a_name_that_has_changed() {
    let company = Company::start().await;
    let (system, owner) = (company.system(), &company.owner);
    for path in ["/console/day", "/console/week", "/console/day", "/console/week"] {
        let (_, html) = company.page(path, owner).await;
        assert!(html.contains("Ann") && !html.contains("Zoe"), "{path}: {html}");
    }
    system.new_employee("Zoe", "zoe@example.org").await;
    system.put(&company.fixture.project_path(), json!({ "name": "Renamed" })).await;
    for path in ["/console/day", "/console/week"] {
        let (_, html) = company.page(path, owner).await;
        assert!(html.contains("Ann") && html.contains("Zoe"), "{path}: {html}");
        assert_eq!(html.contains("Renamed"), path == "/console/day", "{html}");
    }
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_sees_their_own_day_and_nobody_elses() {
    let company = Company::start().await;
    let (ann, owner) = (&company.fixture.ann, &company.owner);
    let (status, html) = company.page("/me", ann).await;
    assert_eq!(status, 200);
    assert!(html.contains("Hello Ann.") && html.contains("Front page"), "{html}");
    for path in ["/console/day", "/console/people"] {
        let (status, html) = company.page(path, ann).await;
        assert!(matches!(status, 403 | 404) && !html.contains("Front page"), "{path} {status}");
    }
    let own = format!("/console/windows?employee={}&from=0&to=1500", ann.id);
    assert_eq!(company.page(&own, ann).await.0, 200);
    let other = format!("/console/windows?employee={}", owner.id);
    assert_eq!(company.page(&other, ann).await.0, 404);
    let (_, html) = company.page("/me", owner).await;
    assert!(html.contains("No time is recorded") && !html.contains("Front page"), "{html}");
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_the_sums_of_the_api_on_the_page_and_in_the_file() {
    let company = Company::start().await;
    let (system, owner) = (company.system(), &company.owner);
    let query = "from=2020-01-01&to=2099-12-31&groupBy=project&groupBy=task";
    let lines = company.lines(&format!("/console/reports?{query}")).await;
    let sums = system.get("/api/v1/analytics/time?start=0&end=4000000000000&groupBy=project,task").await;
    let minutes = (sums[0]["time"].as_i64().unwrap() + 30_000) / MINUTE;
    let hours = format!("{}:{:02}", minutes / 60, minutes % 60);
    let income = format!("{:.2}", sums[0]["income"].as_f64().unwrap());
    assert_eq!(lines[1], format!("Website Front page {hours} no rate {income}"));
    assert_eq!(lines[2], format!("All {hours} no rate {income}"));
    let (status, csv) = company.page(&format!("/console/reports/csv?{query}"), owner).await;
    assert_eq!(status, 200);
    assert!(csv.starts_with("project,task,time,costs,income,projectName,taskName\r\n"), "{csv}");
    assert!(csv.contains(&sums[0]["time"].to_string()), "{csv}");
    let (status, html) = company.page("/console/reports?from=2026-03-02&to=2026-03-01", owner).await;
    assert!(status == 422 && html.contains("must not be before"), "{html}");

    // The rows of each person are together, followed by the person's sums.
    let by = "from=2020-01-01&to=2099-12-31&groupBy=task&groupBy=employee";
    let lines = company.lines(&format!("/console/reports?{by}")).await;
    let rows = system.get("/api/v1/analytics/time?start=0&end=4000000000000&groupBy=employee").await;
    let of_ann = lines.iter().position(|line| line.starts_with("Ann, all together")).expect("a subtotal");
    assert!(lines[of_ann - 1].starts_with("Ann Front page"), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.contains("all together")).count(), rows.as_array().unwrap().len());
    assert_eq!(lines[of_ann], format!("Ann, all together {hours} no rate {income}"));
    let (_, html) = company.page(&format!("/console/reports?{by}"), owner).await;
    let yesterday =
        jiff::Timestamp::from_millisecond(company.now() - 24 * HOUR).unwrap().strftime("%Y-%m-%d").to_string();
    let link = format!("/console/reports?from={yesterday}&amp;to={yesterday}&amp;groupBy=task&amp;groupBy=employee");
    assert!(html.contains(&link) && html.contains(">Yesterday</a>"), "{link} in {html}");
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cells_of_a_week_add_up_to_its_edges() {
    let company = Company::start().await;
    let lines = company.lines("/console/week").await;
    let minutes = |text: &str| {
        let cells = text.split(' ').filter_map(|word| word.split_once(':'));
        cells
            .filter_map(|(hours, minutes)| Some(hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?))
            .collect::<Vec<_>>()
    };
    let line =
        |who: &str| lines.iter().find(|line| line.starts_with(who)).unwrap_or_else(|| panic!("{who}: {lines:?}"));
    let (ann, everybody) = (line("Ann "), line("Everybody "));
    for line in [ann, everybody] {
        let cells = minutes(line);
        let (all, days) = cells.split_last().expect("a sum");
        // Each cell is rounded to a minute, so the sum of the days may differ from the sum of the
        // week by a minute.
        assert!((days.iter().sum::<i64>() - all).abs() <= 1 && *all > 0, "{line}");
    }
    assert_eq!(minutes(ann).last(), minutes(everybody).last());
    company.fixture.system.finish().await;
}
