//! Tests of the system while parts of it are down.

use std::time::{Duration, Instant};

use contracts::Service;
use serde_json::{Value, json};
use testkit::{Harness, eventually, eventually_within};

use crate::{
    api::{ADMIN_KEY, Response},
    fixture::{Fixture, HOUR, TEN, WINDOWS, id},
    program::Program,
    support::System,
};

/// The time limit for what needs a new connection to NATS or MongoDB.
const RECONNECT_PATIENCE: Duration = Duration::from_secs(20);

/// Sends a request up to three times, until one is answered within a second, because other
/// processes may delay an attempt. Returns the shortest time and the last answer. If all three take
/// longer, the answer is that to a fourth request.
async fn quickest(ask: impl AsyncFn() -> Response) -> (Duration, Response) {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let started = Instant::now();
        let answer = ask().await;
        best = best.min(started.elapsed());
        if best < Duration::from_secs(1) {
            return (best, answer);
        }
    }
    (best, ask().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_of_a_service_that_is_stopped_are_refused_within_a_second_and_others_go_on() {
    let mut fixture = Fixture::start().await;
    let employee = format!("/api/v1/employee/{}", fixture.ann.id);
    let task_time = format!("/api/v1/analytics/task-time?employeeId={}&taskId={}", fixture.ann.id, fixture.task);
    let windows = format!("/api/v1/analytics/window?start={TEN}&end={}", TEN + HOUR);
    let recorded = fixture.record(TEN, TEN + HOUR).await;
    let by_service = [
        (Service::Directory, vec![employee.clone(), "/api/v1/employee".into()]),
        (Service::Projects, vec![fixture.project_path(), "/api/v1/task".into(), fixture.task_path()]),
        (Service::Timetrack, vec![windows, format!("{WINDOWS}/{}", id(&recorded))]),
        (Service::Analytics, vec![task_time]),
    ];
    for (stopped, _) in &by_service {
        fixture.system.running(*stopped).stop().await;
        for (service, paths) in &by_service {
            for path in paths {
                let (took, answer) = quickest(async || fixture.system.admin("GET", path, Value::Null).await).await;
                if service == stopped {
                    assert_eq!(answer.refused(503), "unavailable", "{path} without {stopped}");
                    assert!(took < Duration::from_secs(1), "{took:?} {path}");
                } else {
                    assert_eq!(answer.status, 200, "{path} without {stopped}: {}", answer.text);
                }
            }
        }
        if *stopped == Service::Directory {
            let login = fixture.system.login(&fixture.ann.email, &fixture.ann.password).await;
            assert_eq!(login.refused(503), "unavailable", "not a wrong password");
            let me = fixture.system.employee(&fixture.ann.token, "GET", "/api/auth/me", Value::Null).await;
            assert_eq!(me.refused(503), "unavailable", "nor a token that is no good");
            assert_eq!(fixture.post(fixture.window(TEN, TEN + HOUR)).await.expect(200), recorded);
        }
        assert_eq!(fixture.system.anybody("GET", "/healthz", Value::Null).await.status, 200);
        fixture.system.start_service(*stopped).await;
        for path in by_service.iter().flat_map(|(_, paths)| paths) {
            fixture.system.get(path).await;
        }
    }
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_are_taken_while_timetrack_is_away_and_recorded_when_it_is_back() {
    let mut fixture = Fixture::start().await;
    fixture.system.running(Service::Timetrack).stop().await;
    let started = Instant::now();
    let answer = fixture.post(fixture.window(TEN, TEN + HOUR)).await;
    let took = started.elapsed();
    let location = answer.headers["Location"].to_str().unwrap().to_owned();
    let queued = answer.expect(202);
    assert!((Duration::from_millis(1_900)..Duration::from_secs(4)).contains(&took), "{took:?}");
    assert_eq!(queued["status"], "queued");
    let place = location.strip_prefix(&format!("{WINDOWS}/{}?seq=", id(&queued)));
    assert!(place.is_some_and(|seq| seq.parse::<u64>().is_ok()), "{location}");
    // The same window may be sent again, and others at the same time.
    let more = (0..5).map(|n| fixture.post(fixture.window(TEN + n * HOUR, TEN + (n + 1) * HOUR)));
    for answer in futures::future::join_all(more).await {
        answer.expect(202);
    }

    fixture.system.start_service(Service::Timetrack).await;
    let window = eventually("the window is recorded", async || {
        let seen = fixture.system.employee(&fixture.ann.token, "GET", &location, Value::Null).await;
        // While the window is in INGEST, the answer is "queued". It is never 404.
        let seen = seen.expect(200);
        (seen["status"] != "queued").then_some(seen)
    });
    assert_eq!(window.await["start"], TEN);
    eventually("all are recorded", async || (fixture.windows(TEN, TEN + 9 * HOUR).await.len() == 5).then_some(()))
        .await;
    fixture.post(fixture.window(TEN, TEN + HOUR)).await.expect(200);
    assert_eq!(fixture.project_time(TEN, TEN + 9 * HOUR).await, (5 * HOUR, 0.0, 250.0));
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_cannot_go_out_delays_nobody_and_follows() {
    let mut system = System::start().await;
    system.running(Service::Mailer).stop().await;
    // One mail server refuses connections, and the other accepts them but sends nothing.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for (name, port) in [("refusing", closed), ("silent", silent.local_addr().unwrap().port())] {
        let config = mailer::Config {
            email_host: Some("127.0.0.1".into()),
            email_port: Some(port.to_string()),
            email_tls: Some("none".into()),
            ..Default::default()
        };
        let mailer = system.harness.spawn(mailer::needs(), |deps, stop| mailer::run(config, deps, stop)).await;
        let email = format!("{name}@example.org");
        let (took, employee) = quickest(async || {
            let fields = json!({ "name": name, "email": format!("{}-{email}", kit::new_id::<contracts::EventId>()) });
            system.admin("POST", "/api/v1/employee", fields).await
        })
        .await;
        employee.expect(201);
        assert!(took < Duration::from_secs(1), "{name}: {took:?}");
        // The test does not wait for the end of this mailer, because it may still wait for its
        // server.
        mailer.shutdown.stop();
    }
    // An employee can be invited while no mailer runs. The mail is sent when there is one.
    let ann = system.invite("Ann", "ann@example.org").await;
    assert_eq!(system.get(&format!("/api/v1/employee/{}", id(&ann))).await, ann);
    system.start_service(Service::Mailer).await;
    let token = system.invitation_token("ann@example.org").await;
    system.activate(&token, "correct horse battery").await.expect(200);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_nats_everything_says_so_and_goes_on_when_it_is_back() {
    let mut fixture = Fixture::start().await;
    fixture.record(TEN, TEN + HOUR).await;
    fixture.system.harness.nats.stop().await;
    eventually("it is noticed", async || {
        (fixture.system.anybody("GET", "/readyz", Value::Null).await.status == 503).then_some(())
    })
    .await;
    let (took, answer) = quickest(async || fixture.system.admin("GET", "/api/v1/employee", Value::Null).await).await;
    assert_eq!(answer.refused(503), "unavailable");
    assert!(took < Duration::from_secs(1), "{took:?}");
    let me = fixture.system.employee(&fixture.ann.token, "GET", "/api/auth/me", Value::Null).await;
    assert_eq!(me.refused(503), "unavailable");
    assert_eq!(fixture.system.login(&fixture.ann.email, &fixture.ann.password).await.refused(503), "unavailable");
    let started = Instant::now();
    assert_eq!(fixture.post(fixture.window(TEN + HOUR, TEN + 2 * HOUR)).await.refused(503), "unavailable");
    assert!(started.elapsed() < Duration::from_secs(5), "the app gives up then: {:?}", started.elapsed());
    fixture.system.anybody("GET", "/healthz", Value::Null).await.expect(200);

    fixture.system.harness.nats.start_again().await.unwrap();
    eventually_within(RECONNECT_PATIENCE, "windows are recorded again", async || {
        let answer = fixture.post(fixture.window(TEN + HOUR, TEN + 2 * HOUR)).await;
        assert!([200, 201, 202, 503].contains(&answer.status), "{}", answer.text);
        (answer.status < 202).then_some(())
    })
    .await;
    eventually_within(RECONNECT_PATIENCE, "questions are answered again", async || {
        let path = format!("/api/v1/analytics/window?start={TEN}&end={}", TEN + 9 * HOUR);
        let answers = [
            fixture.system.admin("GET", &path, Value::Null).await,
            fixture.system.admin("GET", "/api/v1/task", Value::Null).await,
            fixture.system.login(&fixture.ann.email, &fixture.ann.password).await,
            fixture.system.admin("GET", &path.replace("window", "project-time"), Value::Null).await,
        ];
        answers.iter().all(|answer| answer.status == 200).then_some(())
    })
    .await;
    assert_eq!(fixture.project_time(TEN, TEN + 9 * HOUR).await.0, 2 * HOUR);
    // Events are delivered again, so the employee's projects follow the change at once.
    fixture.system.put(&fixture.project_path(), json!({ "employees": [] })).await;
    let employee = fixture.system.get(&format!("/api/v1/employee/{}", fixture.ann.id)).await;
    assert_eq!(employee["projects"], json!([]));
    fixture.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_mongodb_windows_are_taken_and_what_hangs_times_out() {
    let folder = testkit::folder();
    let mut mongo = testkit::start_mongo(folder.path()).await;
    let fixture = Fixture::start_in(System::start_in(Harness::start_on(&mongo.connection_string()).await).await).await;
    fixture.record(TEN, TEN + HOUR).await;

    mongo.stop().await;
    let fields = json!({ "name": "Bob", "email": "bob@example.org" });
    let refused = fixture.system.admin("POST", "/api/v1/employee", fields.clone()).await;
    assert!([503, 504].contains(&refused.status), "{}", refused.text);
    let queued = fixture.post(fixture.window(TEN + HOUR, TEN + 2 * HOUR)).await;
    let location = queued.headers["Location"].to_str().unwrap().to_owned();
    queued.expect(202);
    mongo.start_again().await.unwrap();
    eventually_within(RECONNECT_PATIENCE, "the window is recorded", async || {
        let seen = fixture.system.admin("GET", &location, Value::Null).await;
        (seen.status == 200 && seen.body["start"] == TEN + HOUR).then_some(())
    })
    .await;
    eventually_within(RECONNECT_PATIENCE, "Bob is created", async || {
        (fixture.system.admin("POST", "/api/v1/employee", fields.clone()).await.status == 201).then_some(())
    })
    .await;

    mongo.pause();
    // For a moment, some threads of MongoDB may still answer.
    let hung = eventually_within(RECONNECT_PATIENCE, "MongoDB hangs", async || {
        let started = Instant::now();
        let answer = fixture.system.admin("GET", "/api/v1/employee", Value::Null).await;
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        (answer.status != 200).then_some(answer)
    })
    .await;
    let code = hung.body["code"].as_str().unwrap_or_default();
    assert!(["unavailable", "timeout"].contains(&code), "{}: {}", hung.status, hung.text);
    fixture.post(fixture.window(TEN + 2 * HOUR, TEN + 3 * HOUR)).await.expect(202);
    mongo.resume();
    eventually_within(RECONNECT_PATIENCE, "all is recorded", async || {
        let answer = fixture.post(fixture.window(TEN + 2 * HOUR, TEN + 3 * HOUR)).await;
        (answer.status == 200).then_some(())
    })
    .await;
    assert_eq!(fixture.project_time(TEN, TEN + 9 * HOUR).await, (3 * HOUR, 0.0, 150.0));
    fixture.system.finish().await;
    mongo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_there_after_everything_was_killed() {
    let program = Program::new();
    let settings = [("ADMIN_API_KEY", ADMIN_KEY)];
    let mut run = program.start_with(&settings).await;
    let api = run.api();
    let (ann, bob) =
        (api.new_employee("Ann", "ann@example.org").await, api.new_employee("Bob", "bob@example.org").await);
    let project = api.create_project(json!({ "employees": [ann.id] })).await;
    let task = api.create_task(json!({ "projectId": project["id"], "employees": [ann.id] })).await;
    let window = json!({
        "start": TEN, "end": TEN + HOUR, "timezoneOffset": 0, "projectId": project["id"], "taskId": task["id"],
        "computer": "anns-pc", "user": "ann", "os": "linux", "osVersion": "6", "hwid": "9f8e",
    });
    let recorded = api.employee(&ann.token, "POST", WINDOWS, window.clone()).await.expect(201);
    api.admin("POST", &format!("/api/v1/employee/{}/deactivate", bob.id), Value::Null).await.expect(200);
    api.invite("Carl", "carl@example.org").await;
    run.child.kill().await.unwrap();
    program.until_nothing_runs().await;

    let run = program.start_with(&settings).await;
    let api = run.api();
    let me = async |token: &str| api.employee(token, "GET", "/api/auth/me", Value::Null).await;
    assert_eq!(me(&bob.token).await.refused(401), "unauthorized", "a dead token stays dead");
    assert_eq!(me(&ann.token).await.expect(200)["projects"], json!([project["id"]]));
    assert_eq!(api.get("/api/v1/employee").await.as_array().unwrap().len(), 3);
    assert_eq!(api.employee(&ann.token, "POST", WINDOWS, window).await.expect(200), recorded);
    let path = format!("/api/v1/analytics/project-time?start={TEN}&end={}", TEN + HOUR);
    // An event that was in progress, or whose acknowledgement NATS had not stored, is redelivered
    // after a few seconds. Until then analytics answers 503.
    eventually_within(RECONNECT_PATIENCE, "the hour is counted", async || {
        let answer = api.admin("GET", &path, Value::Null).await;
        assert!([200, 503].contains(&answer.status), "{}", answer.text);
        (answer.body[0]["time"] == HOUR).then_some(())
    })
    .await;
    run.stop().await;
}
