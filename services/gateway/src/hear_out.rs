//! Reads the rest of a request's body after the answer. Most clients read the answer only after they have sent
//! everything, and if the connection is closed before, they lose it.

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

/// The most bytes that are read.
const MOST: usize = 32 << 20;
/// The time limit.
const LONGEST: Duration = Duration::from_secs(5);

/// Reads what a handler has left of a body, after the answer.
pub(crate) async fn hear_out(request: Request, next: Next) -> Response {
    // A client that sent `Expect: 100-continue` reads the answer before it sends the body.
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    next.run(request.map(|body| Body::from_stream(HeardOut(Some(body.into_data_stream()))))).await
}

/// A body that may still be read to its end.
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
