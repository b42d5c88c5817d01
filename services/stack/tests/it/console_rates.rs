//! Tests of rates in the console: they are set and deleted by forms, and hours are priced again.

use serde_json::json;
use testkit::eventually;

use crate::{
    company::Company,
    fixture::{HOUR, TEN, id},
};

const RATES: &str = "/console/rates";
const REPRICE: &str = "/console/reprice";

/// Returns the value of a hidden field. The field is in the page's form that is posted to `action`.
fn hidden(html: &str, action: &str, name: &str) -> String {
    let form = html.split("<form").find(|form| form.contains(&format!("method=\"post\" action=\"{action}\"")));
    let field = form.expect("the form").split(&format!("name=\"{name}\" value=\"")).nth(1).expect("the field");
    field.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_set_shown_and_deleted_by_forms_on_a_project_and_for_all() {
    let company = Company::start().await;
    let (fixture, owner) = (&company.fixture, &company.owner);
    let page = format!("/console/projects/{}", fixture.project);
    let shown = async |path: &str| {
        let (status, html) = company.page(path, owner).await;
        assert_eq!(status, 200, "{path}: {html}");
        html
    };
    let html = shown(&page).await;
    assert!(html.contains("Rates from a day on") && html.contains("No such rate is set"), "{html}");
    let ann = fixture.ann.id.to_string();
    let form = |amount: &'static str, day: &'static str| {
        vec![
            ("project", fixture.project.as_str()),
            ("employee", ann.as_str()),
            ("task", fixture.task.as_str()),
            ("kind", "bill"),
            ("amount", amount),
            ("validFrom", day),
        ]
    };
    for (amount, day, wrong) in
        [("five", "2026-01-01", "rate-amount"), ("5", "soon", "rate-validFrom"), ("", "2026-01-01", "rate-amount")]
    {
        let (status, _, html) = company.send(&format!("{RATES}/set"), owner, &form(amount, day)).await;
        assert_eq!(status, 422, "{html}");
        assert!(html.contains(&format!("id=\"{wrong}-error\"")) && html.contains("role=\"alert\""), "{html}");
    }
    for (amount, day) in [("62.5", "2026-01-01"), ("70", "2150-01-01")] {
        let (status, leads, html) = company.send(&format!("{RATES}/set"), owner, &form(amount, day)).await;
        assert_eq!((status, leads), (303, format!("{page}?done=saved")), "{html}");
    }
    let (status, _, html) = company.send(&format!("{RATES}/set"), owner, &form("63", "2026-01-01")).await;
    assert!(status == 409 && html.contains("Another amount holds from this day on"), "{html}");
    let html = shown(&page).await;
    assert!(html.contains("Ann on Front page") && html.contains("62.50") && html.contains("Holds"), "{html}");
    let rates = fixture.system.get("/api/v1/rate").await;
    let future = rates.as_array().unwrap().iter().find(|rate| rate["amount"] == 70.0).map(id).unwrap();
    assert_eq!(html.matches("name=\"rate\"").count(), 1, "only the future one: {html}");
    let chosen = [("project", fixture.project.as_str()), ("rate", future.as_str())];
    let (status, leads, html) = company.send(&format!("{RATES}/delete"), owner, &chosen).await;
    assert_eq!((status, leads), (303, format!("{page}?done=rate-deleted")), "{html}");

    let everywhere = [("employee", ann.as_str()), ("kind", "pay"), ("amount", "20"), ("validFrom", "2026-01-01")];
    let (status, leads, html) = company.send(&format!("{RATES}/set"), owner, &everywhere).await;
    assert_eq!((status, leads), (303, format!("{RATES}?done=saved")), "{html}");
    let html = shown(RATES).await;
    assert!(html.contains("An hour costs") && !html.contains("Front page"), "{html}");
    assert_eq!(fixture.system.get("/api/v1/rate").await.as_array().unwrap().len(), 2);
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_are_priced_anew_once_what_would_change_is_confirmed() {
    let company = Company::start().await;
    let (fixture, owner) = (&company.fixture, &company.owner);
    fixture.record(TEN, TEN + HOUR).await;
    let rate =
        json!({ "scope": { "project": fixture.project }, "kind": "bill", "amount": 65, "validFrom": "2025-01-01" });
    fixture.system.admin("POST", "/api/v1/rate", rate).await.expect(201);
    let query = format!("{REPRICE}?from=2025-10-09&to=2025-10-09&projectId={}", fixture.project);
    let (status, html) = company.page(&query, owner).await;
    assert!(status == 200 && html.contains("1 window gets another price") && html.contains("15.00"), "{html}");
    let hash = hidden(&html, REPRICE, "hash");
    let form = |hash: &str| {
        [
            ("projectId", fixture.project.clone()),
            ("from", "2025-10-09".into()),
            ("to", "2025-10-09".into()),
            ("hash", hash.to_owned()),
        ]
    };
    let send = async |hash: &str| {
        let form = form(hash);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        company.send(REPRICE, owner, &form).await
    };
    let (status, _, html) = send("00").await;
    assert!(status == 409 && html.contains("have changed since this was previewed"), "{html}");
    assert_eq!(fixture.project_time(TEN, TEN + HOUR).await.2, 50.0);
    let (status, leads, html) = send(&hash).await;
    assert!(status == 303 && leads.starts_with(&format!("{REPRICE}?job=")), "{leads} {html}");
    eventually("it is done", async || {
        company.page(&leads, owner).await.1.contains("1 of 1 windows have").then_some(())
    })
    .await;
    assert_eq!(fixture.project_time(TEN, TEN + HOUR).await.2, 65.0);
    let (status, html) = company.page(&format!("{REPRICE}?from=2025-10-10&to=2025-10-09"), owner).await;
    assert!(status == 200 && html.contains("must not be before the first day"), "{html}");
    company.fixture.system.finish().await;
}
