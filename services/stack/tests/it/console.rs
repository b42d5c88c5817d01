//! Tests of the console in a real browser, on a system with people, projects and hours.

use fantoccini::Locator;
use serde_json::json;
use testkit::eventually_within;

use crate::axe;
use crate::browser::{BOUND, has_no_browser, in_a_browser, log_in};
use crate::company::Company;
use crate::fixture::MINUTE;

/// A script that must never run in another person's browser.
const EVIL: &str = "<script>window.pwned=1</script><img src=x onerror=window.pwned=1>\"'>";

/// Makes a pay run, a lock and an adjustment, so that all pages have something to show, and returns
/// the paths of the pages that the owner can open.
async fn pages(company: &Company) -> Vec<String> {
    let run = company.settle().await;
    let windows = format!("/console/windows?employee={}&from=0&to=1500", company.fixture.ann.id);
    let fixture = &company.fixture;
    let id = |path: &str| match path {
        _ if path.starts_with("/console/projects/") => fixture.project.clone(),
        _ if path.starts_with("/console/tasks/") => fixture.task.clone(),
        _ if path.starts_with("/console/pay-runs/") => run.clone(),
        _ => fixture.ann.id.to_string(),
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
    let company = Company::start().await;
    let system = company.system();
    in_a_browser(true, async |browser| {
        log_in(browser, system, &company.owner).await;
        browser.text_under("Now").await;
        for path in pages(&company).await {
            for (width, dark) in [(320, false), (768, true), (1280, false), (320, true), (1280, true)] {
                browser.look(width, dark).await;
                browser.client.goto(&format!("{}{path}", system.base)).await.unwrap();
                let name = format!("{path} at {width}, dark {dark}");
                // This script returns the elements that reach beyond the right edge of the window.
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
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_works_without_javascript_and_by_the_keyboard_alone() {
    if has_no_browser() {
        return;
    }
    let company = Company::start().await;
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

        // The test goes on to the page of the day, and to the windows behind a stretch of time.
        browser.client.find(Locator::LinkText("Day")).await.unwrap().send_keys("\u{e007}").await.unwrap();
        let text = browser.text_under("Day").await;
        assert!(text.contains("Ann"), "{text}");
        if !text.contains("more than one at once") {
            // Soon after midnight, the windows that overlap are on the day before.
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
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn now_shows_by_itself_who_has_begun_and_keeps_the_focus() {
    if has_no_browser() {
        return;
    }
    let company = Company::start().await;
    let system = company.system();
    let bob = system.new_employee("Bob", "bob@example.org").await;
    let on = json!({ "employees": [company.fixture.ann.id, bob.id] });
    system.put(&company.fixture.project_path(), on.clone()).await;
    system.put(&company.fixture.task_path(), on).await;
    in_a_browser(true, async |browser| {
        log_in(browser, system, &company.owner).await;
        assert!(!browser.text_under("Now").await.contains("Bob"));
        browser.evaluate("window.loaded = 'once'; document.querySelector('.wide').focus()").await;
        let now = company.now();
        let mut window = company.fixture.window(now - 5 * MINUTE, now);
        window["hwid"] = json!("bobs");
        system.employee(&bob.token, "POST", "/api/v1/time-entries", window).await.expect(201);
        browser.text_with("Bob").await;
        assert_eq!(browser.evaluate("window.loaded").await, "once", "the page was not loaded again");
        assert_eq!(browser.evaluate("document.activeElement.className").await, "wide", "the focus stays");
        assert_eq!(browser.errors().await, [""; 0]);
    })
    .await;
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_has_not_changed_is_not_sent_again() {
    let company = Company::start().await;
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
    company.fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_somebody_has_typed_runs_in_anothers_browser() {
    let company = Company::start().await;
    let system = company.system();
    let ann = &company.fixture.ann;
    system.put(&company.fixture.project_path(), json!({ "name": EVIL })).await;
    system.put(&company.fixture.task_path(), json!({ "name": EVIL })).await;
    system.put(&format!("/api/v1/employee/{}", ann.id), json!({ "name": EVIL, "title": EVIL })).await;
    let now = company.now();
    let mut window = company.fixture.window(now - 9 * MINUTE, now - 4 * MINUTE);
    for field in ["computer", "user", "note", "os", "hwid"] {
        window[field] = json!(EVIL);
    }
    company.fixture.post(window).await.expect(201);
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
    company.fixture.system.finish().await;
}
