//! Tests that the gateway answers open requests before it stops.

use testkit::eventually;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::edge::Edge;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_hand_is_answered_and_nobody_else_is_let_in() {
    let edge = Edge::start().await;
    let addr = edge.base.trim_start_matches("http://").to_owned();
    let mut in_hand = TcpStream::connect(&addr).await.expect("let in");
    let head = format!(
        "POST /api/auth/activate HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{"
    );
    in_hand.write_all(head.as_bytes()).await.expect("sent");
    edge.get("/healthz").send().await.expect("an answer");
    edge.gateway.shutdown.stop();
    eventually("nobody is let in", async || TcpStream::connect(&addr).await.err()).await;
    in_hand.write_all(b"}").await.expect("sent");
    let mut answer = String::new();
    in_hand.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 422 ") && answer.contains("token must be given"), "{answer}");
    edge.gateway.ended.await.expect("no panic").expect("a good end");
    edge.harness.finish().await;
}
