//! Reads the part of a request's body that the handler has not read, while and after the response
//! is sent. Most clients read the response only after they have sent their whole body. They would
//! lose the response if the connection was closed earlier.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody},
    extract::Request,
    http::header,
    middleware::Next,
    response::Response,
};
use futures::{Stream, StreamExt};
use tokio::{runtime::Handle, time::timeout};

/// The largest number of bytes that are read after the handler has finished: 32 MiB.
const MOST: usize = 32 << 20;
/// The time limit for reading the rest of a body.
const LONGEST: Duration = Duration::from_secs(5);

/// Runs the handler, and then reads the part of the body that the handler did not read.
pub(crate) async fn hear_out(request: Request, next: Next) -> Response {
    // A client that sent `Expect: 100-continue` sends the body only after the handler has begun to
    // read it. If the handler does not read it, there is nothing to read here either.
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    next.run(request.map(|body| Body::from_stream(HeardOut(Some(body.into_data_stream()))))).await
}

/// A request body. When this value is dropped, a background task reads the rest of the body, up to
/// the limits. The stream is `None` once it has ended or failed.
struct HeardOut(Option<BodyDataStream>);

impl Stream for HeardOut {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(rest) = &mut self.0 else { return Poll::Ready(None) };
        let chunk = ready!(rest.poll_next_unpin(context));
        if !matches!(chunk, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(chunk)
    }
}

impl Drop for HeardOut {
    fn drop(&mut self) {
        if let (Some(mut rest), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(timeout(LONGEST, async move {
                let mut left = MOST;
                while let Some(Ok(chunk)) = rest.next().await
                    && left > chunk.len()
                {
                    left -= chunk.len();
                }
            }));
        }
    }
}
