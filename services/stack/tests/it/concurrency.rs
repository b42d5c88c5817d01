//! Tests of many concurrent requests of the same kind.

use std::{collections::BTreeMap, time::Duration};

use futures::future::join_all;
use serde_json::{Value, json};
use testkit::eventually_within;

use crate::{
    fixture::{Fixture, HOUR, TEN, id},
    support::System,
};

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_invitations_of_one_address_at_once_in_any_case_of_its_letters_one_wins() {
    let system = System::start().await;
    let address = "somebody@example.org";
    // Bit k of the number, from 0 to 5, decides whether the letters at k, k + 6, k + 12 and so on
    // are capitals.
    let spelling = |n: usize| -> String {
        let letters = address.char_indices();
        letters.map(|(at, c)| if n >> (at % 6) & 1 == 1 { c.to_ascii_uppercase() } else { c }).collect()
    };
    let invitations = (0..50).map(|n| {
        let (system, email) = (&system, spelling(n));
        async move { system.admin("POST", "/api/v1/employee", json!({ "name": "Somebody", "email": email })).await }
    });
    let answers = join_all(invitations).await;
    let mut statuses = BTreeMap::new();
    for answer in &answers {
        *statuses.entry(answer.status).or_insert(0) += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(201, 1), (400, 49)]));
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.body["code"] == "email_taken"));
    let all = system.get("/api/v1/employee").await;
    assert_eq!(all.as_array().unwrap().len(), 1);
    let token = system.invitation_token(address).await;
    system.activate(&token, "correct horse battery").await.expect(200);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_done_once_is_done_by_one_of_ten_at_once() {
    let system = System::start().await;
    let ann = system.invite("Ann", "ann@example.org").await;
    let token = system.invitation_token("ann@example.org").await;
    let password = |n: usize| format!("the password number {n}");
    let activations = join_all((0..10).map(|n| {
        let (system, token, password) = (&system, &token, password(n));
        async move { system.activate(token, &password).await }
    }));
    let mut good = 0;
    for (n, answer) in activations.await.into_iter().enumerate() {
        // A log-in may be answered 429 or 503 for a while: passwords are hashed one after the other
        // with a bounded queue, and a few wrong passwords cause a pause.
        let login = eventually_within(Duration::from_secs(60), "an answer to a login", async || {
            let answer = system.login("ann@example.org", &password(n)).await;
            (![429, 503, 504].contains(&answer.status)).then_some(answer.status)
        });
        let login = login.await;
        match answer.status {
            200 => assert_eq!(login, 200),
            400 | 429 | 503 => assert_eq!(login, 401, "{}", answer.text),
            // After a timeout, the activation may have succeeded or not.
            504 => assert!([200, 401].contains(&login)),
            _ => panic!("{}", answer.text),
        }
        good += usize::from(login == 200);
    }
    assert_eq!(good, 1);

    let project = system.create_project(json!({})).await;
    let task = system.create_task(json!({ "projectId": project["id"] })).await;
    for (method, path, done, others) in [
        ("POST", format!("/api/v1/employee/{}/deactivate", id(&ann)), 200, 409),
        ("POST", format!("/api/v1/employee/{}/reactivate", id(&ann)), 200, 409),
        ("DELETE", format!("/api/v1/task/{}", id(&task)), 204, 404),
        ("DELETE", format!("/api/v1/project/{}", id(&project)), 204, 404),
    ] {
        let answers = join_all((0..10).map(|_| system.admin(method, &path, Value::Null))).await;
        let count = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(done), count(others)), (1, 9), "{path}");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_posts_of_one_window_at_once_one_is_recorded_and_counted() {
    let fixture = Fixture::start().await;
    for with_id in [None, Some(kit::new_id::<contracts::WindowId>())] {
        let start = if with_id.is_some() { TEN + HOUR } else { TEN };
        let mut window = fixture.window(start, start + HOUR);
        if let Some(id) = with_id {
            window["id"] = json!(id);
        }
        let answers = join_all((0..50).map(|_| fixture.post(window.clone()))).await;
        let recorded = answers.iter().filter(|answer| answer.status == 201).count();
        let before = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!((recorded, before), (1, 49), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
        assert!(answers.iter().all(|answer| answer.body == answers[0].body));
        assert_eq!(fixture.windows(start, start + HOUR).await, [answers[0].body.clone()]);
        assert_eq!(fixture.project_time(start, start + HOUR).await, (HOUR, 0.0, 50.0));
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bindings_agree_however_assigning_and_deactivating_meet() {
    let fixture = Fixture::start().await;
    let system = &fixture.system;
    let people: Vec<Value> =
        join_all((0..8).map(async |n| system.invite("Somebody", &format!("n{n}@example.org")).await)).await;
    let ids: Vec<&Value> = people.iter().map(|person| &person["id"]).collect();
    let second = system.create_project(json!({ "name": "Second" })).await;
    let of_second = system.create_task(json!({ "projectId": second["id"] })).await;
    let second_path = format!("/api/v1/project/{}", id(&second));
    let task_path = format!("/api/v1/task/{}", id(&of_second));

    // Half of the people are deactivated while the lists of employees of two projects and two tasks
    // change.
    let deactivations = join_all(people[..4].iter().map(|person| {
        let path = format!("/api/v1/employee/{}/deactivate", id(person));
        async move { system.admin("POST", &path, Value::Null).await.status }
    }));
    let changes = join_all((0..24).map(|n| {
        let (path, some) = match n % 4 {
            0 => (fixture.project_path(), &ids[..]),
            1 => (second_path.clone(), &ids[n % 8..]),
            2 => (fixture.task_path(), &ids[2..6]),
            _ => (task_path.clone(), &ids[4..]),
        };
        let body = json!({ "employees": some });
        async move { system.admin("PUT", &path, body).await }
    }));
    let (deactivated, changed) = tokio::join!(deactivations, changes);
    assert!(deactivated.iter().all(|status| *status == 200), "{deactivated:?}");
    for answer in changed {
        assert!([200, 400, 503].contains(&answer.status), "{}", answer.text);
    }

    // Consumers apply the last events a moment later.
    testkit::eventually("everything agrees", async || {
        let projects = system.get("/api/v1/project").await;
        let tasks = system.get("/api/v1/task").await;
        let employees = system.get("/api/v1/employee").await;
        let on = |project: &Value, person: &Value| project["employees"].as_array().unwrap().contains(&person["id"]);
        for person in employees.as_array().unwrap() {
            let is_gone = person["deactivated"] != 0;
            for project in projects.as_array().unwrap() {
                let listed = person["projects"].as_array().unwrap().contains(&project["id"]);
                if listed != on(project, person) || is_gone && listed {
                    return None;
                }
            }
        }
        for task in tasks.as_array().unwrap() {
            let project = projects.as_array().unwrap().iter().find(|project| project["id"] == task["projectId"]);
            for person in task["employees"].as_array().unwrap() {
                assert!(project.unwrap()["employees"].as_array().unwrap().contains(person), "{task} {project:?}");
            }
        }
        Some(())
    })
    .await;
    fixture.system.finish().await;
}
