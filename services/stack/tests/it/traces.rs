//! Tests that a collector receives the trace of a window from the gateway through timetrack to
//! analytics.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::join_all;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;
use testkit::eventually_within;

use crate::api::{ADMIN_KEY, Api, Person};
use crate::collector::{Collector, origins};
use crate::fixture::{HOUR, MINUTE, TEN, WINDOWS, id};
use crate::program::{Program, Run};

/// The program, the collector of its spans, and Ann on a task of a project.
struct Seen {
    collector: Collector,
    _program: Program,
    run: Run,
    api: Api,
    ann: Person,
    project: String,
    task: String,
}

impl Seen {
    async fn start() -> Self {
        let (collector, program) = (Collector::listen().await, Program::new());
        let settings = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
            ("ADMIN_API_KEY", ADMIN_KEY),
        ];
        let run = program.start_with(&settings).await;
        let api = run.api();
        let ann = api.new_employee("Ann", "ann@example.org").await;
        let project = id(&api.create_project(json!({ "employees": [ann.id] })).await);
        let task = id(&api.create_task(json!({ "projectId": project, "employees": [ann.id] })).await);
        Self { collector, _program: program, run, api, ann, project, task }
    }

    /// Posts a window of Ann that is one minute long.
    async fn post(&self, start: i64) {
        let window = json!({
            "start": start, "end": start + MINUTE, "timezoneOffset": 0, "projectId": self.project,
            "taskId": self.task, "computer": "anns-pc", "user": "ann", "os": "linux", "osVersion": "6", "hwid": "9f8e",
        });
        self.api.employee(&self.ann.token, "POST", WINDOWS, window).await.expect(201);
    }

    /// Waits until the spans of this many posts reach from the gateway to analytics, and returns
    /// all spans.
    async fn until_seen(&self, posts: usize) -> Vec<Span> {
        eventually_within(Duration::from_secs(20), "every post is seen on its whole way", async || {
            let spans = self.collector.spans();
            (counted_posts(&spans).len() == posts).then_some(spans)
        })
        .await
    }
}

/// Returns the ids of the posts that have caused a count of analytics, through INGEST and
/// timetrack.
fn counted_posts(spans: &[Span]) -> HashSet<Vec<u8>> {
    let counts = spans.iter().filter(|span| span.name == "count");
    let on_the_way = counts.flat_map(|count| origins(spans, count)).filter(|span| span.name == "record");
    let posts = on_the_way.flat_map(|record| origins(spans, record)).filter(|span| is_post(span));
    posts.map(|post| post.span_id.clone()).collect()
}

fn is_post(span: &Span) -> bool {
    let route = span.attributes.iter().find(|attribute| attribute.key == "route");
    span.name == "request" && route.is_some_and(|route| format!("{:?}", route.value).contains(WINDOWS))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_window_is_one_trace_from_the_gateway_to_analytics() {
    let seen = Seen::start().await;
    seen.post(TEN).await;
    let spans = seen.until_seen(1).await;
    let post = spans.iter().find(|span| is_post(span)).unwrap();
    for name in ["publish", "record", "count"] {
        let span = spans.iter().find(|span| span.name == name).unwrap();
        assert_eq!(span.trace_id, post.trace_id, "{name} is in the trace of the post");
    }
    seen.run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_that_are_taken_together_are_each_linked_to_their_post() {
    const POSTS: usize = 200;
    let seen = Seen::start().await;
    join_all((0..POSTS).map(|n| seen.post(TEN + HOUR + n as i64 * MINUTE))).await;
    let spans = seen.until_seen(POSTS).await;
    let publishes = spans.iter().filter(|span| span.name == "publish");
    assert!(publishes.clone().any(|publish| publish.links.len() > 1), "some left together");
    for publish in publishes.filter(|publish| publish.links.len() > 1) {
        assert!(publish.parent_span_id.is_empty(), "none of several is its parent");
    }
    seen.run.stop().await;
}
