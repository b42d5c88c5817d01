//! Tests of lists that are longer than the largest NATS message.

use std::collections::BTreeSet;

use contracts::{CreateEmployee, Email, Name};
use futures::{StreamExt, stream};
use serde_json::Value;

use crate::edge::{Edge, KEY};

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_several_pages_comes_whole() {
    let edge = Edge::start().await;
    edge.harness.spawn(directory::needs(), |deps, stop| directory::run(directory::Config::default(), deps, stop)).await;
    // Each employee takes about 1.3 KB, so a page of half a MiB has about 400 employees.
    let created = stream::iter(0..900).map(|n| {
        let (name, email) = (Name::parse(&"語".repeat(200)), Email::parse(&format!("{n}@{}.org", "m".repeat(60))));
        let (name, email) = (name.expect("a name"), email.expect("an address"));
        let edge = &edge;
        async move { edge.harness.ask(&CreateEmployee { name, email }).await.expect("created").id.to_string() }
    });
    let created: BTreeSet<String> = created.buffer_unordered(50).collect().await;
    let response = edge.get("/api/v1/employee").header("X-API-Key", KEY).send().await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(!response.headers().contains_key("content-length"), "it is streamed");
    let listed: Vec<Value> = response.json().await.expect("JSON");
    assert_eq!(listed.len(), 900);
    let ids: BTreeSet<String> = listed.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(ids, created);

    // Read the list again, in pages of another size than those of the service, while an employee is
    // added.
    let mut next = Some("/api/v1/employee?limit=350".to_owned());
    let mut pages = Vec::new();
    while let Some(path) = next {
        let response = edge.get(&path).header("X-API-Key", KEY).send().await.expect("an answer");
        next = response.headers().get("link").map(|link| {
            let link = link.to_str().expect("text").strip_suffix("; rel=\"next\"").expect("the next page");
            link.trim_matches(['<', '>']).to_owned()
        });
        pages.push(response.json::<Vec<Value>>().await.expect("JSON"));
        if pages.len() == 1 {
            let (name, email) = (Name::parse("Zoe"), Email::parse("zoe@example.org"));
            let zoe = CreateEmployee { name: name.expect("a name"), email: email.expect("an address") };
            edge.harness.ask(&zoe).await.expect("created");
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [350, 350, 201]);
    let mut paged = pages.concat();
    assert_eq!(paged.pop().expect("the last")["name"], "Zoe");
    assert_eq!(paged, listed);
    edge.harness.finish().await;
}
