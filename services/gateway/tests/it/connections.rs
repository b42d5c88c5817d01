//! Tests with clients that are slow or silent, or that open too many connections.

use std::time::Duration;

use gateway::Connections;
use testkit::{Harness, Running, eventually, eventually_within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::edge::{config, start_gateway_with};

/// The time limit of each wait, long enough for a busy machine.
const BOUND: Duration = Duration::from_secs(60);
const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: t3\r\n\r\n";

struct Fixture {
    harness: Harness,
    gateway: Running,
    addr: String,
}

impl Fixture {
    async fn start(connections: Connections) -> Self {
        let harness = Harness::start().await;
        let config = gateway::Config { connections, ..config() };
        let (base, gateway) = start_gateway_with(&harness, config).await;
        Self { harness, gateway, addr: base.trim_start_matches("http://").to_owned() }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.addr).await.expect("connected")
    }

    async fn metric(&self, line: &str) -> u64 {
        let url = format!("http://{}/metrics", self.gateway.ops);
        let text = reqwest::get(url).await.expect("an answer").text().await.expect("text");
        let found = text.lines().find_map(|one| one.strip_prefix(line)).unwrap_or_else(|| panic!("{line}: {text}"));
        found.trim().parse().expect("a number")
    }
}

/// Sends a request on a connection, and returns the beginning of the response; empty if the
/// connection is closed.
async fn ask(connection: &mut TcpStream) -> String {
    let mut answer = vec![0; 4_096];
    let _ = connection.write_all(HEALTH).await;
    let read = timeout(BOUND, connection.read(&mut answer)).await.expect("an answer or an end").unwrap_or_default();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

/// Returns everything that is received until the connection is closed.
async fn rest(connection: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    let _ = timeout(BOUND, connection.read_to_end(&mut rest)).await.expect("it is closed");
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_that_send_one_byte_hold_nobody_up_and_are_closed() {
    let fixture = Fixture::start(Connections { http_head_seconds: 3, ..Connections::default() }).await;
    let mut slow = Vec::new();
    for _ in 0..1_000 {
        let mut connection = fixture.connect().await;
        connection.write_all(b"G").await.expect("sent");
        slow.push(connection);
    }
    assert!(ask(&mut fixture.connect().await).await.starts_with("HTTP/1.1 200 "));
    for connection in &mut slow {
        assert_eq!(rest(connection).await, "");
    }
    eventually("their places are free", async || {
        (fixture.metric("t3_http_connections{service_name=\"gateway\"}").await == 0).then_some(())
    })
    .await;
    assert_eq!(fixture.metric("t3_http_too_slow_total{service_name=\"gateway\",part=\"head\"}").await, 1_000);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_is_ended_with_408() {
    let fixture = Fixture::start(Connections { http_body_seconds: 2, ..Connections::default() }).await;
    let (mut hearing, mut saying) = fixture.connect().await.into_split();
    let head = "POST /api/auth/activate HTTP/1.1\r\nHost: t3\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{";
    saying.write_all(head.as_bytes()).await.expect("sent");
    // A byte now and then keeps the connection from being idle, but the body is still too slow.
    let trickling = tokio::spawn(async move {
        while saying.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = timeout(BOUND, hearing.read_to_end(&mut answer)).await.expect("it is closed");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("connection: close") && answer.contains("body_too_slow"), "{answer}");
    assert!(answer.contains("x-request-id"), "{answer}");
    trickling.abort();
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_requests_is_closed_and_one_in_use_is_not() {
    let fixture = Fixture::start(Connections { http_idle_seconds: 2, ..Connections::default() }).await;
    let (mut idle, mut silent) = (fixture.connect().await, fixture.connect().await);
    for _ in 0..3 {
        assert!(ask(&mut idle).await.starts_with("HTTP/1.1 200 "));
    }
    assert_eq!(rest(&mut idle).await, "");
    assert_eq!(rest(&mut silent).await, "", "nor one that never sent any");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn past_the_bound_connections_are_told_503_until_others_are_closed() {
    let bound = Connections {
        http_max_connections: Some(3),
        http_max_connections_per_address: Some(0),
        ..Connections::default()
    };
    let fixture = Fixture::start(bound).await;
    let mut taken = vec![fixture.connect().await, fixture.connect().await, fixture.connect().await];
    for connection in &mut taken {
        assert!(ask(connection).await.starts_with("HTTP/1.1 200 "));
    }
    let refused = rest(&mut fixture.connect().await).await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("Retry-After"), "{refused}");
    assert_eq!(fixture.metric("t3_http_connections_refused_total{service_name=\"gateway\",bound=\"all\"}").await, 1);
    assert!(ask(&mut taken[0]).await.starts_with("HTTP/1.1 200 "), "those that are there go on");
    taken.pop();
    eventually_within(BOUND, "there is a place again", async || {
        ask(&mut fixture.connect().await).await.starts_with("HTTP/1.1 200 ").then_some(())
    })
    .await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_no_more_connections_than_its_own_bound() {
    let fixture =
        Fixture::start(Connections { http_max_connections_per_address: Some(2), ..Connections::default() }).await;
    let mut taken = [fixture.connect().await, fixture.connect().await];
    for connection in &mut taken {
        assert!(ask(connection).await.starts_with("HTTP/1.1 200 "));
    }
    assert!(rest(&mut fixture.connect().await).await.starts_with("HTTP/1.1 503 "));
    assert_eq!(
        fixture.metric("t3_http_connections_refused_total{service_name=\"gateway\",bound=\"address\"}").await,
        1
    );
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_is_disconnected() {
    let fixture = Fixture::start(Connections { http_write_seconds: 1, ..Connections::default() }).await;
    let mut deaf = fixture.connect().await;
    // The responses to all these requests exceed the buffers of both ends of the connection. The
    // client never reads, so the gateway soon cannot write.
    let request = b"GET /openapi.json HTTP/1.1\r\nHost: t3\r\n\r\n".repeat(1_000);
    let _ = timeout(Duration::from_secs(5), deaf.write_all(&request)).await;
    eventually_within(BOUND, "it is given up", async || {
        (fixture.metric("t3_http_too_slow_total{service_name=\"gateway\",part=\"answer\"}").await == 1).then_some(())
    })
    .await;
    fixture.harness.finish().await;
}
