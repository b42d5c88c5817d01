//! A system with people, projects and hours, and requests to its console.

use reqwest::redirect::Policy;
use serde_json::json;

use crate::{
    fixture::{Fixture, HOUR, MINUTE},
    support::{Person, System},
};

/// An id that no project has.
const NO_PROJECT: &str = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";

/// A system with an owner and with Ann. Ann has tracked windows in the last 190 minutes, the last
/// one up to now, and has one quarantined window.
pub struct Company {
    /// The system, with Ann, her project and her task.
    pub fixture: Fixture,
    /// The owner, who is logged in.
    pub owner: Person,
}

impl Company {
    /// Starts the system, creates the owner, and sends Ann's windows.
    pub async fn start() -> Self {
        let fixture = Fixture::start().await;
        let owner = fixture.system.new_employee("Olga Owner", "olga@example.org").await;
        fixture.system.put(&format!("/api/v1/employee/{}/role", owner.id), json!({ "role": "owner" })).await;
        // The change of the role has ended the session, so the owner logs in again.
        let owner = Person { token: token(&fixture.system, &owner).await, ..owner };
        let company = Self { fixture, owner };
        let now = company.now();
        for (from, to) in [(190, 180), (180, 170), (100, 60), (20, 10), (10, 0)] {
            company.record(now - from * MINUTE, now - to * MINUTE).await;
        }
        // This window is from another computer and overlaps one of those above.
        let mut window = company.fixture.window(now - 70 * MINUTE, now - 50 * MINUTE);
        window["hwid"] = json!("another");
        company.fixture.post(window).await.expect(201);
        // This window is quarantined, because its project does not exist.
        let mut window = company.fixture.window(now - 2 * HOUR, now - HOUR);
        window["projectId"] = json!(NO_PROJECT);
        company.fixture.post(window).await;
        company
    }

    /// Returns the present time of the system, in milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.system().harness.clock.now().0
    }

    /// Returns the system.
    pub fn system(&self) -> &System {
        &self.fixture.system
    }

    async fn record(&self, start: i64, end: i64) {
        self.fixture.record(start, end).await;
    }

    /// Requests a page as this person, and returns the status and the HTML.
    pub async fn page(&self, path: &str, person: &Person) -> (u16, String) {
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let request =
            http.get(format!("{}{path}", self.system().base)).header("cookie", format!("t3={}", person.token));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Sends a form as a browser does, and returns the status, the redirect and the HTML.
    pub async fn send(&self, path: &str, person: &Person, form: &[(&str, &str)]) -> (u16, String, String) {
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let request =
            http.post(format!("{}{path}", self.system().base)).header("cookie", format!("t3={}", person.token));
        let answer = request.header("sec-fetch-site", "same-origin").form(form).send().await.unwrap();
        let leads = answer.headers().get("location").map_or("", |to| to.to_str().unwrap()).to_owned();
        (answer.status().as_u16(), leads, answer.text().await.unwrap())
    }

    /// Returns the rows of the tables on a page that the owner opens, as text.
    pub async fn lines(&self, path: &str) -> Vec<String> {
        let (status, html) = self.page(path, &self.owner).await;
        assert_eq!(status, 200, "{html}");
        html.split("<tr").skip(1).map(|line| text_of(line.split("</tr>").next().unwrap())).collect()
    }
}

/// Returns the text of HTML, with spaces between the elements.
fn text_of(html: &str) -> String {
    let texts = html.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text.trim());
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Logs in again, and returns the token.
pub async fn token(system: &System, person: &Person) -> String {
    let answer = system.login(&person.email, &person.password).await.expect(200);
    answer["access_token"].as_str().unwrap().to_owned()
}
