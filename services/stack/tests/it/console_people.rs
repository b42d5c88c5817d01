//! Tests of the console pages of people: inviting, changing and deactivating them.

use serde_json::json;

use crate::{
    company::{Company, token},
    fixture::MINUTE,
    support::Person,
};

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_invited_changed_and_deactivated_by_forms() {
    let company = Company::start().await;
    let (system, owner) = (company.system(), &company.owner);
    let people = "/console/people";
    // The page shows the error beside the field, and keeps the typed values.
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
    company.fixture.advance(5 * MINUTE).await;
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
    // An auditor may only read, so the page has no forms for them. A form that they send anyway
    // is refused.
    let role = format!("/api/v1/employee/{}/role", company.fixture.ann.id);
    system.put(&role, json!({ "role": "auditor" })).await;
    let ann = Person { token: token(system, &company.fixture.ann).await, ..company.fixture.ann.clone() };
    let (_, html) = company.page(page, &ann).await;
    assert!(html.contains("Bea B.") && !html.contains("/deactivate"), "{html}");
    assert_eq!(company.send(&format!("{page}/deactivate"), &ann, &[]).await.0, 403);
    company.fixture.system.finish().await;
}
