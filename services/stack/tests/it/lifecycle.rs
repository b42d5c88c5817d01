//! Tests of the program `stack`: it is started, stopped and killed in several ways.

use std::fs;
use std::time::{Duration, Instant};

use contracts::User;
use kit::config::{Environment, Nats};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use testkit::eventually_within;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::program::{Program, STOP, value};

#[tokio::test(flavor = "multi_thread")]
async fn it_says_where_everything_is_and_leaves_nothing_behind_when_it_is_asked_to_stop() {
    let program = Program::new();
    for signal in [Signal::TERM, Signal::INT] {
        let run = program.start().await;
        let data = program.data().canonicalize().unwrap();
        assert_eq!(value(&run.banner, "Docs"), format!("{}/docs", run.base));
        assert!(value(&run.banner, "Mail").starts_with(data.join("mail").to_str().unwrap()), "{}", run.banner);
        assert_eq!(value(&run.banner, "Data"), data.to_str().unwrap());
        // Commands for operators connect to the servers whose addresses are in the banner.
        let nats_nkey_file = Some(data.join("secrets/nats/operator.nk"));
        let nats_url = value(&run.banner, "NATS").to_owned();
        let nats = Nats { nats_url, nats_nkey: None, nats_nkey_file, nats_tls_ca: None };
        kit::connect_nats(&nats, Environment::Production, User::Operator).await.unwrap();
        assert!(value(&run.banner, "MongoDB").starts_with("mongodb://127.0.0.1:"), "{}", run.banner);
        assert!(!run.banner.contains(fs::read_to_string(data.join("secrets/admin-api-key")).unwrap().trim()));
        for path in ["/healthz", "/readyz", "/docs/"] {
            let answer = reqwest::get(format!("{}{path}", run.base)).await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
        }
        assert_eq!(program.processes().len(), 2, "NATS and MongoDB: {:?}", program.processes());
        let stopped = Instant::now();
        run.signal(signal);
        assert!(run.ended().await.success(), "{}", program.log());
        eprintln!("stopped in {:?}", stopped.elapsed());
        assert_eq!(program.processes(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_it_leaves_nothing_behind_and_the_next_start_finds_the_data() {
    let program = Program::new();
    let mut run = program.start().await;
    let ann = json!({ "name": "Ann", "email": "ann@example.org" });
    assert_eq!(run.admin("POST", "/api/v1/employee", ann).await.status(), 201);
    run.child.kill().await.unwrap();
    program.until_nothing_runs().await;

    let run = program.start().await;
    let found: Value = run.admin("GET", "/api/v1/employee", Value::Null).await.json().await.unwrap();
    assert_eq!(found[0]["email"], "ann@example.org");
    run.signal(Signal::TERM);
    assert!(run.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_in_the_same_folder_or_on_the_same_port_is_refused() {
    let program = Program::new();
    let run = program.start().await;
    let (code, said) = program.refusal(&[]).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("in use by process") && said.contains("T3_DATA"), "{said}");

    let other = Program::new();
    let taken = run.base.trim_start_matches("http://");
    let (code, said) = other.refusal(&[("HTTP_ADDR", taken)]).await;
    assert_eq!(code, Some(2));
    assert!(said.contains(&format!("HTTP_ADDR is {taken}")), "{said}");
    assert!(!other.data().exists(), "nothing was begun");
    run.signal(Signal::TERM);
    assert!(run.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_is_wrong_is_refused_by_its_name() {
    let settings = [
        ("HTTP_ADDR", "somewhere"),
        ("T3_ENV", "staging"),
        ("LOG_LEVEL", "=loud="),
        ("MONGO_DB_NAME", "a/b"),
        ("CORS_ALLOW_ORIGINS", "example.org"),
    ];
    for setting in settings {
        let program = Program::new();
        let (code, said) = program.refusal(&[setting]).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(setting.0), "{said}");
        program.until_nothing_runs().await;
    }
    let program = Program::new();
    let (code, said) = program.refusal(&[("T3_ENV", "production")]).await;
    assert_eq!(code, Some(2), "{said}");
    let made_up = ["admin-api-key", "jwt-secret-key"].map(|name| program.data().join("secrets").join(name).exists());
    assert_eq!(made_up, [false, false], "production makes up no secrets of those who call it");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_server_ends_it_says_which_and_stops() {
    let program = Program::new();
    let run = program.start().await;
    let (nats, _) = program.processes().into_iter().find(|(_, line)| line.contains("nats.conf")).unwrap();
    kill_process(nats, Signal::KILL).unwrap();
    assert_eq!(run.ended().await.code(), Some(1));
    assert!(program.log().contains("error: nats-server ended (signal: 9 (SIGKILL))"), "{}", program.log());
    program.until_nothing_runs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_twice_does_not_wait() {
    let program = Program::new();
    let run = program.start().await;
    // The gateway waits for this request, because its body is not finished.
    let addr = run.base.trim_start_matches("http://").to_owned();
    let mut slow = TcpStream::connect(&addr).await.unwrap();
    let head = format!(
        "POST /api/auth/activate HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    run.signal(Signal::INT);
    eventually_within(STOP, "nobody is let in any more", async || TcpStream::connect(&addr).await.err()).await;
    let asked = Instant::now();
    run.signal(Signal::INT);
    let status = run.ended().await;
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(status.code(), Some(1));
    program.until_nothing_runs().await;
}
