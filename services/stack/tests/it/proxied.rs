//! Tests of a system behind a reverse proxy that serves it under a path.

use reqwest::{Response, Url};
use serde_json::{Value, json};

use crate::fixture::{Fixture, HOUR, TEN, WINDOWS};
use crate::proxy::{Manner, PREFIX, Proxy};
use crate::support::System;

const MANNERS: [Manner; 2] = [Manner::Strips, Manner::Keeps];

/// Returns the URL that a browser requests for a link in an answer of the system.
fn followed(system: &System, path: &str) -> Url {
    Url::parse(&format!("{}/", system.base)).unwrap().join(path).unwrap()
}

async fn get(system: &System, url: Url) -> Response {
    system.http.get(url).header("X-API-Key", system.admin_key).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_answer_names_is_found_through_the_proxy() {
    for manner in MANNERS {
        let fixture = Fixture::start_in(System::start_behind(Proxy::listen(manner).await).await).await;
        let system = &fixture.system;
        let links = system.get("/").await;
        for name in ["docs", "openapi", "health"] {
            let link = links[name].as_str().unwrap();
            assert_eq!(get(system, followed(system, link)).await.status(), 200, "{manner:?} {link}");
        }
        // The header `Location` of a new employee and the link to the next page of a list work.
        let bea = json!({ "name": "Bea", "email": "bea@example.org" });
        let created = system.request("POST", "/api/v1/employee").header("X-API-Key", system.admin_key).json(&bea);
        let created = created.send().await.unwrap();
        let location = followed(system, header(&created, "location"));
        let created: Value = created.json().await.unwrap();
        let found: Value = get(system, location).await.json().await.unwrap();
        assert_eq!(found["id"], created["id"], "{manner:?}");
        let first = get(system, format!("{}/api/v1/employee?limit=1", system.base).parse().unwrap()).await;
        let next = header(&first, "link").trim_start_matches('<').split('>').next().unwrap().to_owned();
        let next: Value = get(system, followed(system, &next)).await.json().await.unwrap();
        assert_eq!(next[0]["id"], created["id"], "{manner:?}");
        // The locations of windows work, from single posts and from batches.
        let window = system.request("POST", WINDOWS).bearer_auth(&fixture.ann.token);
        let window = window.json(&fixture.window(TEN, TEN + HOUR)).send().await.unwrap();
        assert_eq!(get(system, followed(system, header(&window, "location"))).await.status(), 200, "{manner:?}");
        let batch = json!({ "windows": [fixture.window(TEN + HOUR, TEN + 2 * HOUR)] });
        let batch = system.request("POST", &format!("{WINDOWS}/batch")).bearer_auth(&fixture.ann.token).json(&batch);
        let batch: Value = batch.header("Prefer", "respond-async").send().await.unwrap().json().await.unwrap();
        let location = followed(system, batch["items"][0]["location"].as_str().unwrap());
        assert!(get(system, location).await.status().is_success(), "{manner:?}");
        fixture.system.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_the_door_hold_through_the_proxy_too() {
    for manner in MANNERS {
        let system = System::start_behind(Proxy::listen(manner).await).await;
        assert_eq!(system.admin("GET", "/api/v1/employee?nmae=Ann", Value::Null).await.refused(422), "invalid");
        assert_eq!(system.admin("PATCH", "/api/v1/employee", Value::Null).await.refused(405), "method_not_allowed");
        assert_eq!(system.admin("GET", "/nothing", Value::Null).await.refused(404), "not_found");
        assert_eq!(system.admin("GET", "/api/v1/employee/", Value::Null).await.status, 200, "with a slash at its end");
        let answer = system.admin("GET", "/api/v1/employee", Value::Null).await;
        assert_eq!(answer.headers["cache-control"], "no-store", "{manner:?}");
        system.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_and_the_pages_stay_under_the_path() {
    for manner in MANNERS {
        let system = System::start_behind(Proxy::listen(manner).await).await;
        let docs = get(&system, followed(&system, "docs")).await;
        assert_eq!((docs.status().as_u16(), docs.url().path()), (200, "/t3/docs/"), "{manner:?}");
        let initializer = system.anybody("GET", "/docs/swagger-initializer.js", Value::Null).await.text;
        assert!(initializer.contains("\"/t3/openapi.json\""), "{initializer}");
        let api = system.get("/openapi.json").await;
        assert_eq!(api["servers"], json!([{ "url": PREFIX }]), "{manner:?}");
        for (path, link) in [("/", "\"/t3/forgot\""), ("/", "\"/t3/console/assets/"), ("/nothing", "\"/t3/\"")] {
            let page = system.request("GET", path).header("Accept", "text/html").send().await.unwrap();
            let page = page.text().await.unwrap();
            assert!(page.contains(&format!("href={link}")), "{manner:?} {page}");
        }
        system.finish().await;
    }
}
