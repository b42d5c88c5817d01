//! Tests of projects and tasks in the console: changes by forms, and what the API shows afterwards.

use serde_json::{Value, json};

use crate::{
    company::{Company, token},
    fixture::id,
    support::Person,
};

const PROJECTS: &str = "/console/projects";

/// Returns the value of a hidden field. The field is in the page's form whose action ends with
/// `action`.
fn hidden(html: &str, action: &str, name: &str) -> String {
    let form = html.split("<form").find(|form| form.contains(&format!("{action}\""))).expect("the form");
    let field = form.split(&format!("name=\"{name}\" value=\"")).nth(1).expect("the field");
    field.split('"').next().unwrap().to_owned()
}

impl Company {
    /// Sends a form as the owner, which must succeed. Returns the path of the redirect.
    async fn done(&self, path: &str, form: &[(&str, &str)]) -> String {
        let (status, leads, html) = self.send(path, &self.owner, form).await;
        assert_eq!(status, 303, "{path}: {html}");
        leads
    }

    /// Sends a form as the owner, which must be refused with this status. Returns the HTML of the
    /// page.
    async fn refused(&self, path: &str, form: &[(&str, &str)], expected: u16) -> String {
        let (status, _, html) = self.send(path, &self.owner, form).await;
        assert_eq!(status, expected, "{path}: {html}");
        assert!(html.contains("role=\"alert\""), "{path}: {html}");
        html
    }

    async fn shown(&self, path: &str) -> String {
        let (status, html) = self.page(path, &self.owner).await;
        assert_eq!(status, 200, "{path}: {html}");
        html
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_created_changed_archived_and_deleted_by_forms() {
    let company = Company::start().await;
    let system = company.system();
    let html = company.refused(PROJECTS, &[("name", " "), ("description", "All of it")], 422).await;
    assert!(html.contains("id=\"create-name-error\"") && html.contains("\nAll of it</textarea>"), "{html}");
    assert!(!html.contains("name=\"billable\" value=\"yes\" checked"), "{html}");

    let leads = company.done(PROJECTS, &[("name", "Shop"), ("description", "a\r\nb"), ("billable", "yes")]).await;
    let page = leads.strip_suffix("?done=project-created").expect("its page");
    let path = page.replace(PROJECTS, "/api/v1/project");
    let html = company.shown(&leads).await;
    assert!(html.contains("<h1>Shop</h1>") && html.contains("Nobody is on it yet"), "{html}");
    let stored = system.get(&path).await;
    assert_eq!((&stored["name"], &stored["description"]), (&json!("Shop"), &json!("a\nb")));

    let seen = hidden(&html, "/update", "seen");
    let update = format!("{page}/update");
    let with = |name: &'static str, statuses: &'static str| {
        [
            ("seen", seen.clone()),
            ("name", name.to_owned()),
            ("screenshots", "yes".to_owned()),
            ("statuses", statuses.to_owned()),
            ("priorities", "One".to_owned()),
        ]
    };
    let filled = with("Corner shop", "Open\r\nOpen");
    let filled: Vec<(&str, &str)> = filled.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let html = company.refused(&update, &filled, 422).await;
    assert!(html.contains("id=\"project-statuses-error\"") && html.contains("value=\"Corner shop\""), "{html}");
    assert_eq!(system.get(&path).await, stored, "nothing of it");

    let filled = with("Corner shop", "Open\r\n\r\nShut");
    let filled: Vec<(&str, &str)> = filled.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(company.done(&update, &filled).await, format!("{page}?done=saved"));
    let stored = system.get(&path).await;
    for (field, expected) in [
        ("name", json!("Corner shop")),
        ("description", Value::Null),
        ("billable", json!(false)),
        ("screenshotSettings", json!({ "screenshotEnabled": true })),
        ("statuses", json!(["Open", "Shut"])),
        ("priorities", json!(["One"])),
    ] {
        assert_eq!(stored[field], expected, "{field}");
    }
    // The project has changed since `seen` was read, so the form is refused. The page shows the
    // present name, and keeps the typed one.
    let html = company.refused(&update, &[&filled[..1], &[("name", "Stall")], &filled[2..]].concat(), 412).await;
    assert!(html.contains("Somebody changed this meanwhile") && html.contains("value=\"Stall\""), "{html}");
    assert!(html.contains("Now it is: Corner shop"), "{html}");
    let again = hidden(&html, "/update", "seen");
    assert_ne!(again, seen);
    company.done(&update, &[&[("seen", again.as_str()), ("name", "Stall")], &filled[2..]].concat()).await;
    assert_eq!(system.get(&path).await["name"], "Stall");

    company.done(&format!("{page}/put-on"), &[("employee", &company.fixture.ann.id.to_string())]).await;
    assert_eq!(company.done(&format!("{page}/archive"), &[]).await, format!("{page}?done=archived"));
    assert_eq!(system.get(&path).await["archived"], true);
    let all = "from=2020-01-01&to=2099-12-31";
    assert!(!company.shown(&format!("{PROJECTS}?{all}")).await.contains("Stall"));
    let lines = company.lines(&format!("{PROJECTS}?{all}&which=archived")).await;
    assert!(lines.iter().any(|line| line.starts_with("Stall Archived")), "{lines:?}");
    assert_eq!(company.done(&format!("{page}/restore"), &[]).await, format!("{page}?done=restored"));
    assert_eq!(system.get(&path).await["archived"], false);
    let lines = company.lines(&format!("{PROJECTS}?{all}&find=sTAL")).await;
    assert!(lines.len() == 2 && lines[1].starts_with("Stall Open 1 "), "{lines:?}");

    let delete = format!("{page}/delete");
    let seen = hidden(&company.shown(page).await, "/delete", "seen");
    system.put(&path, json!({ "name": "Kiosk" })).await;
    company.refused(&delete, &[("seen", &seen)], 412).await;
    let seen = hidden(&company.shown(page).await, "/delete", "seen");
    assert_eq!(company.done(&delete, &[("seen", &seen)]).await, format!("{PROJECTS}?done=deleted"));
    assert_eq!(system.admin("GET", &path, Value::Null).await.refused(404), "not_found");
    assert_eq!(company.page(page, &company.owner).await.0, 404);
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_gets_people_and_rates_by_forms() {
    let company = Company::start().await;
    let system = company.system();
    let ann = company.fixture.ann.id.to_string();
    let (bob, gone) = (system.invite("Bob", "bob@example.org").await, system.invite("Gone", "gone@example.org").await);
    system.admin("POST", &format!("/api/v1/employee/{}/deactivate", id(&gone)), Value::Null).await.expect(200);
    let (page, path) = (format!("{PROJECTS}/{}", company.fixture.project), company.fixture.project_path());
    let html = company.shown(&page).await;
    assert!(html.contains(&format!("<option value=\"{}\">Bob</option>", id(&bob))), "{html}");
    let offered = html.split("/put-on\"").nth(1).and_then(|form| form.split("</form>").next()).expect("the form");
    assert!(!html.contains(&id(&gone)) && !offered.contains(&ann), "{html}");

    let put_on = format!("{page}/put-on");
    for (employee, status, word) in [(String::new(), 422, "from the list"), (id(&gone), 400, "deactivated")] {
        let html = company.refused(&put_on, &[("employee", &employee)], status).await;
        let beside = html.split("id=\"put-on-employee-error\">").nth(1).expect("beside the field");
        assert!(beside.split('<').next().unwrap().contains(word), "{beside}");
    }
    assert_eq!(company.done(&put_on, &[("employee", &id(&bob))]).await, format!("{page}?done=put-on"));
    assert_eq!(system.get(&path).await["employees"], json!([ann, bob["id"]]));

    let rates = format!("{page}/rates");
    let of_bob = format!("{page}?rates={}", id(&bob));
    let html = company.shown(&of_bob).await;
    assert!(html.contains("Rates of Bob"), "{html}");
    let (seen, payee) = (hidden(&html, &rates, "seen"), hidden(&html, &rates, "payee"));
    let bad = [("seen", seen.as_str()), ("payee", &payee), ("billRate", "sixty"), ("payRate", "20.5")];
    let html = company.refused(&rates, &bad, 422).await;
    assert!(html.contains("id=\"rates-billRate-error\"") && html.contains("value=\"sixty\""), "{html}");
    assert!(html.contains("Rates of Bob") && html.contains("value=\"20.5\""), "{html}");
    let good = [("seen", seen.as_str()), ("payee", &payee), ("billRate", "60.1234"), ("payRate", "20.5")];
    company.done(&rates, &good).await;
    let own = json!({ "billRate": 60.1234, "payRate": 20.5 });
    assert_eq!(system.get(&path).await["payroll"], json!({ "*": { "billRate": 50.0 }, (payee.clone()): own }));
    company.refused(&rates, &good, 412).await;
    assert!(company.shown(&page).await.contains("60.1234"));
    // The rates for everybody are set, and Bob's own rates are removed.
    let seen = hidden(&company.shown(&page).await, &rates, "seen");
    company.done(&rates, &[("seen", &seen), ("payee", "*"), ("billRate", "51"), ("overtimeBillRate", "70")]).await;
    let seen = hidden(&company.shown(&page).await, &rates, "seen");
    company.done(&rates, &[("seen", &seen), ("payee", &payee), ("billRate", "")]).await;
    let all = json!({ "*": { "billRate": 51.0, "overtimeBillRate": 70.0 } });
    assert_eq!(system.get(&path).await["payroll"], all);
    let stranger = company.refused(&rates, &[("payee", &id(&gone)), ("billRate", "1")], 400).await;
    assert!(stranger.contains("not on the project"), "{stranger}");

    let leads = company.done(&format!("{page}/take-off"), &[("employee", &id(&bob))]).await;
    assert_eq!(leads, format!("{page}?done=taken-off"));
    assert_eq!(system.get(&path).await["employees"], json!([ann]));
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_created_staffed_moved_and_deleted_by_forms() {
    let company = Company::start().await;
    let system = company.system();
    let ann = company.fixture.ann.id.to_string();
    let bob = id(&system.invite("Bob", "bob@example.org").await);
    let project = format!("{PROJECTS}/{}", company.fixture.project);
    system.put(&company.fixture.project_path(), json!({ "employees": [ann, bob] })).await;
    let create = format!("{project}/tasks");
    let html = company.refused(&create, &[("name", ""), ("description", "Cold"), ("status", "Done")], 422).await;
    assert!(html.contains("id=\"task-name-error\"") && html.contains("\nCold</textarea>"), "{html}");
    assert!(html.contains("<option value=\"Done\" selected>"), "{html}");
    let html = company.refused(&create, &[("name", "Cellar"), ("status", "Stuck")], 400).await;
    assert!(html.contains("id=\"task-status-error\"") && html.contains("value=\"Cellar\""), "{html}");

    let filled = [("name", "Cellar"), ("status", "In Progress"), ("priority", "High"), ("billable", "yes")];
    let leads = company.done(&create, &filled).await;
    let page = leads.strip_suffix("?done=task-created").expect("its page");
    let path = page.replace("/console/tasks", "/api/v1/task");
    let stored = system.get(&path).await;
    assert_eq!(
        (&stored["status"], &stored["priority"], &stored["billable"]),
        (&json!("In Progress"), &json!("High"), &json!(true))
    );
    assert!(company.shown(&project).await.contains("Cellar"));

    company.done(&format!("{page}/put-on"), &[("employee", &bob)]).await;
    assert_eq!(system.get(&path).await["employees"], json!([bob]));
    company.done(&format!("{page}/put-on"), &[("employee", "*")]).await;
    assert_eq!(system.get(&path).await["employees"], json!([ann, bob]));
    company.done(&format!("{page}/take-off"), &[("employee", &bob)]).await;
    assert_eq!(system.get(&path).await["employees"], json!([ann]));
    company.done(&format!("{page}/put-on"), &[("employee", &bob)]).await;
    let html = company.refused(&format!("{page}/put-on"), &[("employee", &company.owner.id.to_string())], 400).await;
    assert!(html.contains("id=\"put-on-employee-error\""), "{html}");

    let update = format!("{page}/update");
    let seen = hidden(&company.shown(page).await, "/update", "seen");
    let changed = [("seen", seen.as_str()), ("name", "Attic"), ("status", "Done"), ("priority", "Low")];
    company.done(&update, &changed).await;
    let stored = system.get(&path).await;
    assert_eq!(
        (&stored["name"], &stored["status"], &stored["billable"]),
        (&json!("Attic"), &json!("Done"), &json!(false))
    );
    let stale = company.refused(&update, &[&[("name", "Roof")], &changed[..1], &changed[2..]].concat(), 412).await;
    assert!(stale.contains("Now it is: Attic") && stale.contains("value=\"Roof\""), "{stale}");

    // An assignee who is not on the other project is removed from the task. A status that the other
    // project does not have is replaced by a status of that project.
    let other = id(&system.create_project(json!({ "name": "Shop", "employees": [ann], "statuses": ["New"] })).await);
    let html = company.refused(&format!("{page}/move"), &[("project", "")], 422).await;
    assert!(html.contains("id=\"move-project-error\""), "{html}");
    assert_eq!(company.done(&format!("{page}/move"), &[("project", &other)]).await, format!("{page}?done=moved"));
    let stored = system.get(&path).await;
    assert_eq!(
        (&stored["projectId"], &stored["employees"], &stored["status"], &stored["priority"]),
        (&json!(other), &json!([ann]), &json!("New"), &json!("Low"))
    );

    let seen = hidden(&company.shown(page).await, "/delete", "seen");
    let leads = company.done(&format!("{page}/delete"), &[("seen", &seen)]).await;
    assert_eq!(leads, format!("{PROJECTS}/{other}?done=deleted"));
    assert_eq!(system.admin("GET", &path, Value::Null).await.refused(404), "not_found");
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_only_read_sees_no_forms_and_sends_none() {
    let company = Company::start().await;
    let system = company.system();
    let role = format!("/api/v1/employee/{}/role", company.fixture.ann.id);
    system.put(&role, json!({ "role": "auditor" })).await;
    let ann = Person { token: token(system, &company.fixture.ann).await, ..company.fixture.ann.clone() };
    let (project, task) =
        (format!("{PROJECTS}/{}", company.fixture.project), format!("/console/tasks/{}", company.fixture.task));
    let before = (system.get(&company.fixture.project_path()).await, system.get(&company.fixture.task_path()).await);
    for path in [PROJECTS, &project, &task] {
        let (status, html) = company.page(path, &ann).await;
        assert!(status == 200 && (html.contains("Website") || html.contains("Front page")), "{path}: {html}");
        // The only form on the page is the one for logging out.
        assert_eq!(html.matches("method=\"post\"").count(), 1, "{path}: {html}");
    }
    let fields = [("name", "Mine"), ("employee", "*"), ("payee", "*"), ("billRate", "1"), ("project", "x")];
    let actions = ["update", "archive", "restore", "delete", "put-on", "take-off", "rates", "tasks"];
    let of_project = actions.iter().map(|word| format!("{project}/{word}"));
    let of_task = ["update", "put-on", "take-off", "move", "delete"].map(|word| format!("{task}/{word}"));
    for path in of_project.chain(of_task).chain([PROJECTS.to_owned()]) {
        assert_eq!(company.send(&path, &ann, &fields).await.0, 403, "{path}");
    }
    let after = (system.get(&company.fixture.project_path()).await, system.get(&company.fixture.task_path()).await);
    assert_eq!(before, after);
    assert_eq!(system.get("/api/v1/project").await.as_array().unwrap().len(), 1);
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sums_of_projects_are_those_of_the_api() {
    let company = Company::start().await;
    let system = company.system();
    let sums = async |by: &str| {
        let rows = system.get(&format!("/api/v1/analytics/time?start=0&end=4000000000000&groupBy={by}")).await;
        let row = &rows[0];
        let minutes = (row["time"].as_i64().unwrap() + 30_000) / 60_000;
        let money = |name: &str| format!("{:.2}", row[name].as_f64().unwrap());
        assert_eq!(row["costs"], 0.0, "nothing says what an hour costs");
        format!("{}:{:02} no rate {}", minutes / 60, minutes % 60, money("income"))
    };
    let all = "from=2020-01-01&to=2099-12-31";
    let lines = company.lines(&format!("{PROJECTS}?{all}")).await;
    let expected = sums("project").await;
    assert_eq!(lines[1..], [format!("Website Open 1 {expected}"), format!("All {expected}")]);
    let page = format!("{PROJECTS}/{}?{all}", company.fixture.project);
    let lines = company.lines(&page).await;
    for line in [
        format!("Front page {}", sums("task").await),
        format!("Ann {}", sums("employee").await),
        format!("All {expected}"),
    ] {
        assert!(lines.contains(&line), "{line}: {lines:?}");
    }
    // The bars show the measure that is chosen.
    let income = expected.rsplit(' ').next().unwrap();
    for (bars, shown) in [("income", income), ("time", expected.split(' ').next().unwrap())] {
        let html = company.shown(&format!("{page}&bars={bars}")).await;
        assert!(html.contains(&format!("<dd class=\"number\">{shown}</dd>")), "{bars} {shown}: {html}");
    }
    // In these days nobody has worked, and the page says so.
    let html = company.shown(&format!("{PROJECTS}/{}?from=2020-01-01&to=2020-01-31", company.fixture.project)).await;
    assert!(html.contains("No time is recorded on it"), "{html}");
    let (status, html) = company.page(&format!("{PROJECTS}?from=2026-03-02&to=2026-03-01"), &company.owner).await;
    assert!(status == 422 && html.contains("must not be before"), "{html}");
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_without_projects_is_told_what_to_do() {
    let company = Company::start().await;
    company.system().admin("DELETE", &company.fixture.project_path(), Value::Null).await.expect(204);
    let html = company.shown(&format!("{PROJECTS}?from=2020-01-01&to=2020-01-31")).await;
    assert!(html.contains("There is no project yet") && html.contains("<details open"), "{html}");
    // The time that was recorded on the project is still shown.
    let lines = company.lines(&format!("{PROJECTS}?from=2020-01-01&to=2099-12-31")).await;
    assert!(lines[1].starts_with("Website Archived or deleted"), "{lines:?}");
    company.fixture.system.finish().await;
}
