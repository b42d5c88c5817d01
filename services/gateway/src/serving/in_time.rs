//! The time limit for request bodies. Without it, a client that sends a byte now and then could
//! keep a connection busy for ever.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contracts::Code;
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

use super::connection::Alarm;
use super::metrics::{ConnectionMetrics, TooSlow};
use crate::error::Problem;

/// The number of received bytes that extend the time limit of the whole body by one second.
const BYTES_A_SECOND: f64 = 8_192.0;

/// The time limit for a body, and the metrics that count bodies that are too slow.
pub(crate) type Limit = (Duration, ConnectionMetrics);

/// Answers 408 if the body was too slow, regardless of the handler's response.
pub(crate) async fn in_time(State((most, metrics)): State<Limit>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let is_late = Arc::new(AtomicBool::new(false));
    let (began, late) = (Instant::now(), is_late.clone());
    let response = next
        .run(request.map(|body| {
            Body::new(InTime {
                body,
                most,
                began,
                last_part: began,
                bytes: 0.0,
                alarm: Alarm::default(),
                is_late: late,
            })
        }))
        .await;
    if !is_late.load(Ordering::Relaxed) {
        return response;
    }
    metrics.too_slow(TooSlow::Body);
    let detail = "The body has not come in time. Send it again, faster or in smaller parts.";
    let mut response = Problem::new(Code::BodyTooSlow, detail).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A body that fails when it arrives too slowly.
struct InTime {
    body: Body,
    most: Duration,
    began: Instant,
    /// When the last part of the body arrived.
    last_part: Instant,
    bytes: f64,
    alarm: Alarm,
    is_late: Arc<AtomicBool>,
}

impl InTime {
    /// The deadline for the next part of the body.
    fn until(&self) -> Instant {
        let whole = self.began + self.most + Duration::from_secs_f64(self.bytes / BYTES_A_SECOND);
        whole.min(self.last_part + self.most)
    }
}

impl HttpBody for InTime {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
                self.last_part = Instant::now();
                self.bytes += data.len() as f64;
            }
            return Poll::Ready(frame);
        }
        let until = self.until();
        if !self.alarm.has_gone_off(until, context) {
            return Poll::Pending;
        }
        self.is_late.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(std::io::Error::from(std::io::ErrorKind::TimedOut)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
