//! Tests of the console page "Needs attention": quarantined hours, and dead messages.

use serde_json::json;
use testkit::{eventually, eventually_within};

use crate::{
    browser::BOUND,
    company::Company,
    fixture::{HOUR, MINUTE},
    support::System,
    visit::{page, somebody},
};

#[tokio::test(flavor = "multi_thread")]
async fn hours_that_are_held_back_are_counted_given_their_place_or_discarded_by_a_button() {
    let company = Company::start().await;
    let (system, owner, ann) = (company.system(), &company.owner, &company.fixture.ann);
    // Ann is not on this task.
    let task = system.create_task(json!({ "projectId": company.fixture.project, "name": "Cellar" })).await;
    let now = company.now();
    for minutes in [30, 60] {
        let mut window = company.fixture.window(now - minutes * MINUTE, now - (minutes - 5) * MINUTE);
        window["taskId"] = task["id"].clone();
        window["hwid"] = json!(format!("third-{minutes}"));
        company.fixture.post(window).await;
    }
    let held = async || {
        let all = system.get("/api/v1/quarantine").await;
        let all = all.as_array().unwrap().iter().filter(|held| held["window"]["taskId"] == task["id"]);
        all.map(|held| {
            (held["id"].as_str().unwrap().to_owned(), held["content"].as_str().unwrap_or_default().to_owned())
        })
        .collect::<Vec<_>>()
    };
    let two =
        eventually_within(BOUND, "both are held", async || Some(held().await).filter(|held| held.len() == 2)).await;
    let (_, html) = company.page("/console/attention", owner).await;
    assert!(html.contains("Cellar") && html.contains("Count the hours") && html.contains(&two[0].0), "{html}");
    for ((id, content), word, leads) in [(&two[0], "admit", "recorded"), (&two[1], "discard", "discarded")] {
        let form = [("id", id.as_str()), ("content", content.as_str())];
        let form = if content.is_empty() { &form[..1] } else { &form[..] };
        let (status, to, html) = company.send(&format!("/console/attention/{word}"), owner, form).await;
        let window = if leads == "recorded" { format!("&window={id}") } else { String::new() };
        assert_eq!((status, to), (303, format!("/console/attention?done={leads}{window}")), "{html}");
    }
    assert_eq!(held().await.len(), 0);
    let window = system.get(&format!("/api/v1/time-entries/{}", two[0].0)).await;
    assert_eq!(window["employeeId"], json!(ann.id));

    // A third window is admitted by an assignment that puts Ann on the task.
    let mut window = company.fixture.window(now - 4 * HOUR, now - 4 * HOUR + 5 * MINUTE);
    window["taskId"] = task["id"].clone();
    company.fixture.post(window).await;
    let third = eventually_within(BOUND, "it is held", async || held().await.pop()).await.0;
    let (project, task) = (company.fixture.project.as_str(), task["id"].as_str().unwrap());
    let employee = ann.id.to_string();
    // Ann has no pay rate. As soon as somebody else has one, the page says before and after the
    // admission that the hours cost nothing.
    let (_, html) = company.page("/console/attention", owner).await;
    assert!(!html.contains("No rate"), "nobody has such rates: {html}");
    let rate = json!({ "scope": { "employee": owner.id }, "kind": "pay", "amount": 30, "validFrom": "2020-01-01" });
    system.admin("POST", "/api/v1/rate", rate).await.expect(201);
    let (_, html) = company.page("/console/attention", owner).await;
    let to_rates = format!("/console/rates?projectId={project}");
    assert!(html.contains("No rate says what an hour of it costs") && html.contains(&to_rates), "{html}");
    assert!(html.contains("was not on the task") && html.contains("Put them on the task"), "{html}");
    let form = [("id", third.as_str()), ("employee", &employee), ("project", project), ("task", task)];
    let (status, to, html) = company.send("/console/attention/assign", owner, &form).await;
    assert_eq!(
        (status, to.as_str()),
        (303, format!("/console/attention?done=recorded&window={third}").as_str()),
        "{html}"
    );
    let (_, html) = company.page(&to, owner).await;
    let window = format!("href=\"/console/windows/{third}\"");
    assert!(html.contains("the hours count now") && html.contains(&window), "{html}");
    assert!(
        html.contains("its cost counts at 0.00") && html.contains(&to_rates) && html.contains("/console/reprice"),
        "{html}"
    );
    let (_, html) = company.page(&format!("/console/windows/{third}"), owner).await;
    assert!(html.contains("its cost counts at 0.00"), "{html}");
    assert_eq!(system.get(&format!("/api/v1/task/{task}")).await["employees"], json!([ann.id]));
    company
        .fixture
        .post({
            let mut window = company.fixture.window(now, now + MINUTE);
            window["taskId"] = json!(task);
            window
        })
        .await
        .expect(201);
    company.fixture.system.finish().await;
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
