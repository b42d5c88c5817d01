//! Tests in a real browser: the pages for passwords, and the interactive documentation.

use std::panic::{AssertUnwindSafe, resume_unwind};

use fantoccini::Locator;
use futures::FutureExt;
use testkit::eventually_within;

use crate::browser::{BOUND, Browser, has_no_browser};
use crate::proxy::{Manner, Proxy};
use crate::support::System;

const PASSWORD: &str = "correct horse battery";

/// Fills in the password and submits the form.
async fn submit(browser: &Browser, password: &str) {
    let field = browser.find("#password").await;
    field.clear().await.unwrap();
    field.send_keys(password).await.unwrap();
    browser.find("button").await.click().await.unwrap();
}

/// Opens the link of Ann's invitation, submits a password that is too short, then activates the
/// account, and opens the link again.
async fn activate(browser: &Browser, system: &System, link: &str) {
    browser.client.goto(link).await.unwrap();
    let text = browser.text_under("Activate your account").await;
    assert!(text.contains("Hello Ann <i>Example</i>"), "{text}");
    assert_eq!(browser.find("#email").await.prop("value").await.unwrap().as_deref(), Some("ann@example.org"));
    assert_eq!(browser.find("main").await.css_value("max-width").await.unwrap(), "416px", "the style is let in");

    // The browser refuses a password that is too short. Without this check in the page, the server
    // refuses it.
    submit(browser, "short").await;
    let why = browser.find("#password:invalid").await.prop("validationMessage").await.unwrap().unwrap();
    assert!(why.contains("12"), "{why}");
    browser.client.execute("document.querySelector('#password').removeAttribute('minlength')", vec![]).await.unwrap();
    submit(browser, "short").await;
    let explained = eventually_within(BOUND, "it is explained", async || {
        browser.client.find(Locator::Css("#error[role=alert]")).await.ok()?.text().await.ok()
    });
    let explained = explained.await;
    assert!(explained.contains("at least 12 characters"), "{explained}");
    browser.text_under("Activate your account").await;
    assert_eq!(system.login("ann@example.org", "short").await.status, 401);

    submit(browser, PASSWORD).await;
    let text = browser.text_under("Welcome to T3").await;
    assert!(text.contains("desktop app") && text.contains("ann@example.org"), "{text}");
    system.login("ann@example.org", PASSWORD).await.expect(200);

    browser.client.goto(link).await.unwrap();
    let text = browser.text_under("This invitation has been used").await;
    assert!(text.contains("log in"), "{text}");
}

/// Requests a link for Ann's forgotten password, and sets another password with it.
async fn reset(browser: &Browser, system: &System, javascript: bool) {
    browser.client.goto(&format!("{}/forgot", system.base)).await.unwrap();
    browser.text_under("Forgot your password?").await;
    browser.find("#email").await.send_keys("ann@example.org").await.unwrap();
    browser.find("button").await.click().await.unwrap();
    browser.text_under("Look into your mail").await;
    let token = system.mailed_token("reset", "ann@example.org").await;
    browser.client.goto(&format!("{}/reset?token={token}", system.base)).await.unwrap();
    browser.text_under("Set a new password").await;

    // With JavaScript, the password can be shown and hidden. It is shown when the form is sent.
    let (field, show) = (browser.find("#password").await, browser.find(".show input").await);
    let kind = async || field.prop("type").await.unwrap().unwrap();
    assert_eq!(show.is_displayed().await.unwrap(), javascript);
    assert_eq!(kind().await, "password");
    if javascript {
        show.click().await.unwrap();
        assert_eq!(kind().await, "text", "the script is let in");
        show.click().await.unwrap();
        assert_eq!(kind().await, "password");
        show.click().await.unwrap();
    }
    submit(browser, "password1234").await;
    let explained = eventually_within(BOUND, "it is explained", async || {
        browser.client.find(Locator::Css("#error[role=alert]")).await.ok()?.text().await.ok()
    });
    assert!(explained.await.contains("harder to guess"));
    submit(browser, "three words and a half").await;
    let text = browser.text_under("Your password is set").await;
    assert!(text.contains("ann@example.org"), "{text}");
    system.login("ann@example.org", "three words and a half").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interactive_documentation_works_in_a_browser_under_its_policy() {
    if has_no_browser() {
        return;
    }
    let system = System::start().await;
    let browser = Browser::open(true).await;
    let look = async {
        browser.client.goto(&format!("{}/docs", system.base)).await.unwrap();
        let listed = eventually_within(BOUND, "the calls are listed", async || {
            let calls = browser.client.find_all(Locator::Css(".opblock")).await.ok()?;
            (calls.len() > 20).then_some(calls)
        })
        .await;
        // The page of Swagger UI must work under its content security policy: styles, scripts and
        // requests.
        assert_ne!(listed[0].css_value("border-radius").await.unwrap(), "0px");
        let health = browser.find("#operations-Health-healthz").await;
        health.find(Locator::Css(".opblock-summary-control")).await.unwrap().click().await.unwrap();
        for button in [".try-out__btn", ".execute"] {
            let button = format!("#operations-Health-healthz {button}");
            let shown =
                eventually_within(BOUND, &button, async || browser.client.find(Locator::Css(&button)).await.ok());
            shown.await.click().await.unwrap();
        }
        let answer = eventually_within(BOUND, "the answer is shown", async || {
            let css = "#operations-Health-healthz .live-responses-table tbody .response-col_description";
            let text = browser.client.find(Locator::Css(css)).await.ok()?.text().await.ok()?;
            text.contains("version").then_some(text)
        })
        .await;
        assert!(answer.contains("ok"), "{answer}");
    };
    let outcome = AssertUnwindSafe(look).catch_unwind().await;
    browser.close().await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_accepted_and_a_password_reset_in_a_browser_with_javascript_and_without() {
    if has_no_browser() {
        return;
    }
    for javascript in [true, false] {
        let system = System::start().await;
        system.invite("Ann <i>Example</i>", "ann@example.org").await;
        let token = system.invitation_token("ann@example.org").await;
        let link = format!("{}/activate?token={token}", system.base);
        let browser = Browser::open(javascript).await;
        let walk = async {
            assert_eq!(browser.runs_scripts().await, javascript);
            activate(&browser, &system, &link).await;
            reset(&browser, &system, javascript).await;
        };
        let outcome = AssertUnwindSafe(walk).catch_unwind().await;
        browser.close().await;
        outcome.unwrap_or_else(|panic| resume_unwind(panic));
        system.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_accepted_in_a_browser_under_the_path_of_a_proxy() {
    if has_no_browser() {
        return;
    }
    for manner in [Manner::Strips, Manner::Keeps] {
        let system = System::start_behind(Proxy::listen(manner).await).await;
        system.invite("Ann <i>Example</i>", "ann@example.org").await;
        let token = system.invitation_token("ann@example.org").await;
        let link = format!("{}/activate?token={token}", system.base);
        let browser = Browser::open(false).await;
        let outcome = AssertUnwindSafe(activate(&browser, &system, &link)).catch_unwind().await;
        browser.close().await;
        outcome.unwrap_or_else(|panic| resume_unwind(panic));
        system.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_name_stays_on_the_page() {
    if has_no_browser() {
        return;
    }
    let system = System::start().await;
    system.invite(&"W".repeat(200), "ann@example.org").await;
    let token = system.invitation_token("ann@example.org").await;
    let browser = Browser::open(true).await;
    let look = async {
        browser.client.goto(&format!("{}/activate?token={token}", system.base)).await.unwrap();
        browser.text_under("Activate your account").await;
        for element in ["document.documentElement", "document.querySelector('main')"] {
            let script = format!("return {element}.scrollWidth - {element}.clientWidth");
            assert_eq!(browser.client.execute(&script, vec![]).await.unwrap(), 0, "{element} is as wide as its text");
        }
    };
    let outcome = AssertUnwindSafe(look).catch_unwind().await;
    browser.close().await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
    system.finish().await;
}
