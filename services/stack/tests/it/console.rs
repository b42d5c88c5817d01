//! The console in a real browser, on a system with people, projects and hours.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;

use fantoccini::Locator;
use futures::FutureExt;
use reqwest::redirect::Policy;
use serde_json::json;
use testkit::eventually_within;

use crate::axe;
use crate::browser::{BOUND, Browser, CHROMEDRIVER};
use crate::office::{HOUR, MINUTE, Office};
use crate::support::{Person, System};

/// What nobody should be able to have run in another's browser.
const EVIL: &str = "<script>window.pwned=1</script><img src=x onerror=window.pwned=1>\"'>";

/// An id that no project has.
const NO_PROJECT: &str = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";

/// A system with an owner, and Ann, who has worked today and is at it still.
pub struct Company {
    /// Where Ann works.
    pub office: Office,
    /// The owner.
    pub owner: Person,
}

impl Company {
    /// Opens it.
    pub async fn open() -> Self {
        let office = Office::open().await;
        let owner = office.system.new_employee("Olga Owner", "olga@example.org").await;
        office.system.put(&format!("/api/v1/employee/{}/role", owner.id), json!({ "role": "owner" })).await;
        // Another role has ended the session.
        let owner = Person { token: token(&office.system, &owner).await, ..owner };
        let company = Self { office, owner };
        let now = company.now();
        for (from, to) in [(190, 180), (180, 170), (100, 60), (20, 10), (10, 0)] {
            company.record(now - from * MINUTE, now - to * MINUTE).await;
        }
        // On another computer at the same time.
        let mut window = company.office.window(now - 70 * MINUTE, now - 50 * MINUTE);
        window["hwid"] = json!("another");
        company.office.post(window).await.expect(201);
        // Held back: she is on no such project.
        let mut window = company.office.window(now - 2 * HOUR, now - HOUR);
        window["projectId"] = json!(NO_PROJECT);
        company.office.post(window).await;
        company
    }

    /// The time of the system.
    pub fn now(&self) -> i64 {
        self.system().world.clock.now().0
    }

    /// The system.
    pub fn system(&self) -> &System {
        &self.office.system
    }

    async fn record(&self, start: i64, end: i64) {
        self.office.record(start, end).await;
    }

    /// What a page says to somebody, over HTTP.
    pub async fn page(&self, path: &str, person: &Person) -> (u16, String) {
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let request =
            http.get(format!("{}{path}", self.system().base)).header("cookie", format!("t3={}", person.token));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

impl Company {
    /// Sends a form of a page, as a browser does: the status, where it leads, and the page.
    pub async fn send(&self, path: &str, person: &Person, form: &[(&str, &str)]) -> (u16, String, String) {
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let request =
            http.post(format!("{}{path}", self.system().base)).header("cookie", format!("t3={}", person.token));
        let answer = request.header("sec-fetch-site", "same-origin").form(form).send().await.unwrap();
        let leads = answer.headers().get("location").map_or("", |to| to.to_str().unwrap()).to_owned();
        (answer.status().as_u16(), leads, answer.text().await.unwrap())
    }

    /// What a table of a page says, line by line.
    pub async fn lines(&self, path: &str) -> Vec<String> {
        let (status, html) = self.page(path, &self.owner).await;
        assert_eq!(status, 200, "{html}");
        html.split("<tr").skip(1).map(|line| text_of(line.split("</tr>").next().unwrap())).collect()
    }
}

/// The text of some HTML, its cells apart.
fn text_of(html: &str) -> String {
    let texts = html.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text.trim());
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Runs a walk in a browser and closes it, however the walk ends.
pub async fn in_a_browser(javascript: bool, walk: impl AsyncFnOnce(&Browser)) {
    let browser = Browser::open(javascript).await;
    let outcome = AssertUnwindSafe(walk(&browser)).catch_unwind().await;
    browser.close().await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
}

/// Whether there is none to drive; says so.
pub fn has_no_browser() -> bool {
    let missing = !Path::new(CHROMEDRIVER).exists();
    if missing {
        eprintln!("skipped: no chromedriver at {CHROMEDRIVER} (apt-get install chromium chromium-driver)");
    }
    missing
}

/// Logs somebody in by the form, with the keyboard alone.
pub async fn log_in(browser: &Browser, system: &System, person: &Person) {
    browser.client.goto(&format!("{}/console", system.base)).await.unwrap();
    browser.text_under("Log in").await;
    browser.find("#email").await.send_keys(&person.email).await.unwrap();
    browser.find("#password").await.send_keys(&format!("{}\u{e007}", person.password)).await.unwrap();
}

/// The pages that the owner walks through, as they are addressed; something is settled, paid and late.
async fn pages(company: &Company) -> Vec<String> {
    let run = company.settle().await;
    let windows = format!("/console/windows?employee={}&from=0&to=1500", company.office.ann.id);
    let office = &company.office;
    let id = |path: &str| match path {
        _ if path.starts_with("/console/projects/") => office.project.clone(),
        _ if path.starts_with("/console/tasks/") => office.task.clone(),
        _ if path.starts_with("/console/pay-runs/") => run.clone(),
        _ => office.ann.id.to_string(),
    };
    let plain = gateway::console_pages()
        .map(|(path, _)| path.replace("{id}", &id(path)))
        .filter(|path| !path.ends_with("/log-in"));
    let month = "/console/week?span=month".to_owned();
    let grouped = "/console/reports?groupBy=day&groupBy=employee&groupBy=task".to_owned();
    plain
        .chain([windows, month, grouped, "/console/day?day=2020-01-01".to_owned(), "/console/nothing".to_owned()])
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_at_every_width_in_light_and_in_dark() {
    if has_no_browser() {
        return;
    }
    let company = Company::open().await;
    let system = company.system();
    in_a_browser(true, async |browser| {
        log_in(browser, system, &company.owner).await;
        browser.text_under("Now").await;
        for path in pages(&company).await {
            for (width, dark) in [(320, false), (768, true), (1280, false), (320, true), (1280, true)] {
                browser.look(width, dark).await;
                browser.client.goto(&format!("{}{path}", system.base)).await.unwrap();
                let name = format!("{path} at {width}, dark {dark}");
                // Whatever sticks out of the window, where something does.
                let overflow = "(root => root.scrollWidth <= root.clientWidth ? [] :
                    [...document.querySelectorAll('body *')].filter(e => !e.closest('.skip')
                    && e.getBoundingClientRect().right > root.clientWidth).map(e => e.outerHTML.slice(0, 200))
                    .concat('and more'))(document.documentElement)";
                assert_eq!(browser.evaluate(overflow).await, json!([]), "{name}: it is wider than the window");
                assert_eq!(axe::violations(browser).await, [""; 0], "{name}");
                let errors: Vec<String> =
                    browser.errors().await.into_iter().filter(|error| !error.contains("404")).collect();
                assert_eq!(errors, [""; 0], "{name}");
                let small =
                    "[...document.querySelectorAll('main a.button, button, header a, input, select')].filter(e => {
                    const r = e.getBoundingClientRect(); return r.width > 0 && (r.height < 24 || r.width < 24) })
                    .map(e => e.outerHTML)";
                assert_eq!(browser.evaluate(small).await, json!([]), "{name}: too small to be hit");
            }
        }
    })
    .await;
    company.office.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_works_without_javascript_and_by_the_keyboard_alone() {
    if has_no_browser() {
        return;
    }
    let company = Company::open().await;
    let system = company.system();
    in_a_browser(false, async |browser| {
        assert!(!browser.runs_scripts().await);
        let mut wrong = company.owner.clone();
        wrong.password = "not the password".to_owned();
        log_in(browser, system, &wrong).await;
        let said = browser.text_of(".error[role=alert]");
        assert!(said.await.contains("wrong"));
        assert_eq!(browser.find("#email").await.prop("value").await.unwrap().as_deref(), Some("olga@example.org"));
        let password = browser.find("#password").await;
        password.send_keys(&format!("{}\u{e007}", company.owner.password)).await.unwrap();
        let text = browser.text_under("Now").await;
        assert!(text.contains("Website") && text.contains("Front page") && text.contains("anns-pc"), "{text}");
        assert!(text.contains("held back"), "{text}");

        // From there to the day, and to the windows behind a stretch.
        browser.client.find(Locator::LinkText("Day")).await.unwrap().send_keys("\u{e007}").await.unwrap();
        let text = browser.text_under("Day").await;
        assert!(text.contains("Ann"), "{text}");
        if !text.contains("more than one at once") {
            // Soon after midnight that lies on the day before.
            browser
                .client
                .find(Locator::LinkText("The day before"))
                .await
                .unwrap()
                .send_keys("\u{e007}")
                .await
                .unwrap();
            eventually_within(BOUND, "the overlap", async || {
                browser.text_under("Day").await.contains("more than one at once").then_some(())
            })
            .await;
        }
        browser.find("summary").await.send_keys("\u{e007}").await.unwrap();
        let stretch = browser.find("figure td a").await;
        stretch.send_keys("\u{e007}").await.unwrap();
        let text = browser.text_under("Windows").await;
        assert!(text.contains("anns-pc"), "{text}");

        browser.client.goto(&format!("{}/console/zone", system.base)).await.unwrap();
        let zone = browser.find("#zone").await;
        zone.clear().await.unwrap();
        zone.send_keys("Mars/Olympus\u{e007}").await.unwrap();
        eventually_within(BOUND, "the refusal", async || browser.client.find(Locator::Css("p.error")).await.ok()).await;
        let zone = browser.find("#zone").await;
        assert_eq!(zone.prop("value").await.unwrap().as_deref(), Some("Mars/Olympus"));
        zone.clear().await.unwrap();
        zone.send_keys("Asia/Kolkata\u{e007}").await.unwrap();
        browser.text_under("Now").await;
        assert!(browser.find("footer").await.text().await.unwrap().contains("Asia/Kolkata"));

        browser.find("header button").await.send_keys("\u{e007}").await.unwrap();
        browser.text_under("Log in").await;
        browser.client.goto(&format!("{}/me", system.base)).await.unwrap();
        browser.text_under("Log in").await;
    })
    .await;
    company.office.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn now_shows_by_itself_who_has_begun_and_keeps_the_focus() {
    if has_no_browser() {
        return;
    }
    let company = Company::open().await;
    let system = company.system();
    let bob = system.new_employee("Bob", "bob@example.org").await;
    let on = json!({ "employees": [company.office.ann.id, bob.id] });
    system.put(&company.office.project_path(), on.clone()).await;
    system.put(&company.office.task_path(), on).await;
    in_a_browser(true, async |browser| {
        log_in(browser, system, &company.owner).await;
        assert!(!browser.text_under("Now").await.contains("Bob"));
        browser.evaluate("window.loaded = 'once'; document.querySelector('.wide').focus()").await;
        let now = company.now();
        let mut window = company.office.window(now - 5 * MINUTE, now);
        window["hwid"] = json!("bobs");
        system.employee(&bob.token, "POST", "/api/v1/time-entries", window).await.expect(201);
        browser.text_with("Bob").await;
        assert_eq!(browser.evaluate("window.loaded").await, "once", "the page was not loaded again");
        assert_eq!(browser.evaluate("document.activeElement.className").await, "wide", "the focus stays");
        assert_eq!(browser.errors().await, [""; 0]);
    })
    .await;
    company.office.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_has_not_changed_is_not_sent_again() {
    let company = Company::open().await;
    let (_, html) = company.page("/console", &company.owner).await;
    let again = html.split("hx-get=\"").nth(1).unwrap().split('"').next().unwrap();
    let cookie = format!("t3={}", company.owner.token);
    let refresh = async |path: &str| {
        let request = company.system().request("GET", path).header("cookie", &cookie).header("hx-request", "true");
        request.send().await.unwrap()
    };
    assert_eq!(refresh(again).await.status(), 204);
    let changed = refresh("/console?seen=other").await;
    assert_eq!(changed.status(), 200);
    let part = changed.text().await.unwrap();
    assert!(part.starts_with("<div id=\"live\"") && !part.contains("<html"), "{part}");
    company.office.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_shows_the_hours_that_the_api_counts() {
    let company = Company::open().await;
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
    company.office.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_sees_their_own_day_and_nobody_elses() {
    let company = Company::open().await;
    let (ann, owner) = (&company.office.ann, &company.owner);
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
    company.office.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_somebody_has_typed_runs_in_anothers_browser() {
    let company = Company::open().await;
    let system = company.system();
    let ann = &company.office.ann;
    system.put(&company.office.project_path(), json!({ "name": EVIL })).await;
    system.put(&company.office.task_path(), json!({ "name": EVIL })).await;
    system.put(&format!("/api/v1/employee/{}", ann.id), json!({ "name": EVIL, "title": EVIL })).await;
    let now = company.now();
    let mut window = company.office.window(now - 9 * MINUTE, now - 4 * MINUTE);
    for field in ["computer", "user", "note", "os", "hwid"] {
        window[field] = json!(EVIL);
    }
    company.office.post(window).await.expect(201);
    let pages = pages(&company).await;
    for person in [&company.owner, ann] {
        for path in &pages {
            let (_, html) = company.page(path, person).await;
            assert!(!html.contains("<script>window") && !html.contains("<img src=x"), "{path}: {html}");
        }
    }
    if !has_no_browser() {
        in_a_browser(true, async |browser| {
            log_in(browser, system, &company.owner).await;
            browser.text_under("Now").await;
            for path in &pages {
                browser.client.goto(&format!("{}{path}", system.base)).await.unwrap();
                assert_eq!(browser.evaluate("window.pwned === undefined").await, true, "{path}");
            }
            let text = browser.find("main").await.text().await.unwrap();
            assert!(!text.is_empty());
        })
        .await;
    }
    company.office.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_invited_changed_and_deactivated_by_forms() {
    let company = Company::open().await;
    let (system, owner) = (company.system(), &company.owner);
    let people = "/console/people";
    // What does not fit is said beside the field, and what was typed stays.
    let (status, _, html) = company.send(people, owner, &[("name", "Bea"), ("email", "no address")]).await;
    assert_eq!(status, 422);
    assert!(
        html.contains("id=\"email-error\"") && html.contains("value=\"no address\"") && html.contains("value=\"Bea\""),
        "{html}"
    );
    let (status, _, html) = company.send(people, owner, &[("name", "Bea"), ("email", "ANN@example.org")]).await;
    assert_eq!(status, 400);
    assert!(html.contains("id=\"email-error\"") && html.contains("value=\"ANN@example.org\""), "{html}");

    let (status, leads, _) = company.send(people, owner, &[("name", "Bea"), ("email", "bea@example.org")]).await;
    assert_eq!(status, 303);
    let (page, _) = leads.split_once("?done=created").expect("her page");
    let (_, html) = company.page(&leads, owner).await;
    assert!(
        html.contains("<h1>Bea</h1>") && html.contains("on its way") && html.contains("Send a new invitation"),
        "{html}"
    );
    let (button, year) = (html.find("Send a new invitation"), html.find("The last year"));
    assert!(button < year, "what the page is opened for comes first: {html}");
    let moment = |html: &str| {
        let since = html.split(" since ").nth(1).unwrap_or_else(|| panic!("since when? {html}"));
        since.split('<').next().unwrap().trim().to_owned()
    };
    let before = moment(&html);
    let first = system.invitation_token("bea@example.org").await;
    company.office.advance(5 * MINUTE).await;
    assert_eq!(company.send(&format!("{page}/invite"), owner, &[]).await.0, 303);
    let after = moment(&company.page(page, owner).await.1);
    assert!(after != before, "a new invitation on the same day is to be seen: {after}");
    assert_ne!(system.next_invitation_token("bea@example.org", &first).await, first);

    let changed = [("name", "Bea B."), ("email", "bea@example.org"), ("title", "Baker")];
    assert_eq!(company.send(&format!("{page}/update"), owner, &changed).await.0, 303);
    assert_eq!(company.send(&format!("{page}/role"), owner, &[("role", "auditor")]).await.0, 303);
    let employee = system.get(&page.replace("/console/people", "/api/v1/employee")).await;
    assert_eq!(
        (&employee["name"], &employee["title"], &employee["role"]),
        (&json!("Bea B."), &json!("Baker"), &json!("auditor"))
    );
    let nobody = company.send(&format!("{page}/update"), owner, &[("name", ""), ("email", "bea@example.org")]).await;
    assert!(nobody.0 == 422 && nobody.2.contains("id=\"name-error\""), "{nobody:?}");

    for (word, shown) in [("deactivate", "Deactivated"), ("reactivate", "Reactivated")] {
        let (status, leads, _) = company.send(&format!("{page}/{word}"), owner, &[]).await;
        assert_eq!(status, 303);
        assert!(company.page(&leads, owner).await.1.contains(shown), "{word}");
    }
    let (status, _, html) = company.send(&format!("{page}/reactivate"), owner, &[]).await;
    assert_eq!(status, 409);
    assert!(html.contains("role=\"alert\""), "{html}");
    let lines = company.lines("/console/people?find=baker").await;
    assert!(lines.len() == 2 && lines[1].contains("Bea B. bea@example.org Baker Auditor"), "{lines:?}");
    // Whoever may only look sees no forms, and what they send all the same does nothing.
    let role = format!("/api/v1/employee/{}/role", company.office.ann.id);
    system.put(&role, json!({ "role": "auditor" })).await;
    let ann = Person { token: token(system, &company.office.ann).await, ..company.office.ann.clone() };
    let (_, html) = company.page(page, &ann).await;
    assert!(html.contains("Bea B.") && !html.contains("/deactivate"), "{html}");
    assert_eq!(company.send(&format!("{page}/deactivate"), &ann, &[]).await.0, 403);
    company.office.system.finish().await;
}

/// A token of somebody who logs in anew.
pub async fn token(system: &System, person: &Person) -> String {
    let answer = system.login(&person.email, &person.password).await.expect(200);
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_that_are_held_back_are_counted_given_their_place_or_discarded_by_a_button() {
    let company = Company::open().await;
    let (system, owner, ann) = (company.system(), &company.owner, &company.office.ann);
    // A task that she is not on.
    let task = system.create_task(json!({ "projectId": company.office.project, "name": "Cellar" })).await;
    let now = company.now();
    for minutes in [30, 60] {
        let mut window = company.office.window(now - minutes * MINUTE, now - (minutes - 5) * MINUTE);
        window["taskId"] = task["id"].clone();
        window["hwid"] = json!(format!("third-{minutes}"));
        company.office.post(window).await;
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

    // A third one is given its place: she is on the task from now on.
    let mut window = company.office.window(now - 4 * HOUR, now - 4 * HOUR + 5 * MINUTE);
    window["taskId"] = task["id"].clone();
    company.office.post(window).await;
    let third = eventually_within(BOUND, "it is held", async || held().await.pop()).await.0;
    let (project, task) = (company.office.project.as_str(), task["id"].as_str().unwrap());
    let employee = ann.id.to_string();
    // Of her no rate says what an hour costs, and of others one does: that is said before, and after.
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
        .office
        .post({
            let mut window = company.office.window(now, now + MINUTE);
            window["taskId"] = json!(task);
            window
        })
        .await
        .expect(201);
    company.office.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_the_sums_of_the_api_on_the_page_and_in_the_file() {
    let company = Company::open().await;
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

    // Each person's rows are together, with what they come out at.
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
    company.office.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cells_of_a_week_add_up_to_its_edges() {
    let company = Company::open().await;
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
        // Each is rounded to a minute.
        assert!((days.iter().sum::<i64>() - all).abs() <= 1 && *all > 0, "{line}");
    }
    assert_eq!(minutes(ann).last(), minutes(everybody).last());
    company.office.system.finish().await;
}
