use std::time::{Duration, Instant};

use async_nats::jetstream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use servers::{Nats, NatsOptions, Programs, on_stderr};

use crate::{folder, start_nats, within};

/// The body of the answer to a GET request on the monitoring port.
async fn page(monitor_url: &str, path: &str) -> String {
    let address = monitor_url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn nats_starts_with_jetstream_that_fsyncs_always() {
    let folder = folder();
    let started = Instant::now();
    let nats = start_nats(folder.path()).await;
    eprintln!("nats-server took {:?}", started.elapsed());
    let client = async_nats::connect(nats.url()).await.unwrap();
    assert_eq!(client.server_info().max_payload, 1 << 20);
    let jsz = page(&nats.monitor_url(), "/jsz").await;
    assert!(jsz.contains("\"sync_always\": true"), "{jsz}");
    let store = folder.path().canonicalize().unwrap().join("jetstream");
    assert!(jsz.contains(store.to_str().unwrap()), "{jsz}");
}

#[tokio::test]
async fn messages_survive_a_crash_of_nats_and_clients_find_it_at_the_same_address() {
    let folder = folder();
    let mut nats = start_nats(folder.path()).await;
    let url = nats.url();
    let context = jetstream::new(async_nats::connect(&url).await.unwrap());
    let stream = jetstream::stream::Config { name: "KEPT".into(), subjects: vec!["kept".into()], ..Default::default() };
    context.create_stream(stream).await.unwrap();
    within(async { context.publish("kept", "one".into()).await.unwrap().await }).await.unwrap();

    let exited = nats.exited();
    nats.kill().await;
    assert!(within(exited).await.status.contains("SIGKILL"));
    nats.start_again().await.unwrap();

    assert_eq!(nats.url(), url);
    // The client reconnects by itself.
    within(async { while context.get_stream("KEPT").await.is_err() {} }).await;
    let mut stream = context.get_stream("KEPT").await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 1);

    let started = Instant::now();
    nats.stop().await;
    eprintln!("nats-server stopped in {:?}", started.elapsed());
    assert_eq!(nats.exited().await.status, "exit status: 0");
    drop(nats);
    // A later start in the same folder finds the same port and data.
    let nats = start_nats(folder.path()).await;
    assert_eq!(nats.url(), url);
}

#[tokio::test]
async fn a_paused_nats_answers_again_when_it_goes_on() {
    let folder = folder();
    let nats = start_nats(folder.path()).await;
    nats.pause();
    // The kernel accepts the connection, but the suspended server sends nothing on it.
    let connect = async_nats::connect(nats.url());
    assert!(timeout(Duration::from_millis(200), connect).await.is_err());
    nats.resume();
    within(async_nats::connect(nats.url())).await.unwrap();
}

/// A client that answers no PING must be disconnected. Otherwise it would still get its share of
/// the requests to the service that it runs.
#[tokio::test]
async fn a_client_that_stands_still_is_let_go_of_within_seconds() {
    let folder = folder();
    let nats = start_nats(folder.path()).await;
    let mut still = TcpStream::connect(nats.url().strip_prefix("nats://").unwrap()).await.unwrap();
    still.write_all(b"CONNECT {\"verbose\":false}\r\nPING\r\n").await.unwrap();
    // From here on the client answers no PING of the server.
    let mut heard = String::new();
    timeout(Duration::from_secs(30), still.read_to_string(&mut heard)).await.expect("it is let go of").unwrap();
    assert!(heard.contains("Stale Connection"), "{heard}");
}

#[tokio::test]
async fn configuration_that_nats_does_not_understand_is_told_with_the_reason() {
    let folder = folder();
    let program = Programs::nats_server(&on_stderr()).await.unwrap();
    let mut options = NatsOptions::new(program, folder.path());
    options.extra = "no_such_word: {".into();
    let error = Nats::start(options).await.unwrap_err();
    let said = format!("{error:#}");
    assert!(said.contains("NATS did not start: nats-server ended"), "{said}");
    assert!(said.contains("Parse error"), "{said}");
}
