//! Sends requests to the console as a browser sends them, without a browser.

use reqwest::{Client, RequestBuilder, redirect::Policy};
use serde_json::json;

use crate::{api::Person, support::System};

/// The answer to a request for a page, or to a form.
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The header `Location`, or an empty text without one.
    pub leads: String,
    /// The header `Cache-Control`, or an empty text without one.
    pub kept: String,
    /// The body of the answer.
    pub html: String,
}

impl Page {
    /// Sends a request, and reads the answer.
    pub async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let (leads, kept) = (header("location"), header("cache-control"));
        Self { status: answer.status().as_u16(), leads, kept, html: answer.text().await.unwrap() }
    }
}

/// Returns an HTTP client that follows no redirect.
pub fn browser() -> Client {
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

/// Requests a page with the session of this person.
pub async fn page(system: &System, path: &str, person: &Person) -> Page {
    let request = browser().get(format!("{}{path}", system.base));
    Page::of(request.header("cookie", format!("t3={}", person.token))).await
}

/// Sends a form with the session of this person, as a browser does.
pub async fn submit(system: &System, path: &str, person: &Person, form: &[(&str, &str)]) -> Page {
    let request = browser().post(format!("{}{path}", system.base)).header("sec-fetch-site", "same-origin");
    Page::of(request.header("cookie", format!("t3={}", person.token)).form(form)).await
}

/// Creates an employee with this role, and logs in.
pub async fn somebody(system: &System, name: &str, role: &str) -> Person {
    let person = system.new_employee(name, &format!("{}@example.org", name.to_lowercase())).await;
    system.put(&format!("/api/v1/employee/{}/role", person.id), json!({ "role": role })).await;
    // The change of the role has ended the session, so the person logs in again.
    let answer = system.login(&person.email, &person.password).await.expect(200);
    Person { token: answer["access_token"].as_str().unwrap().to_owned(), ..person }
}

/// Returns the value of a form's field in a page.
pub fn value<'a>(html: &'a str, name: &str) -> &'a str {
    let field = html.split(&format!("name=\"{name}\"")).nth(1).unwrap_or_else(|| panic!("no {name}: {html}"));
    field.split("value=\"").nth(1).unwrap().split('"').next().unwrap()
}
