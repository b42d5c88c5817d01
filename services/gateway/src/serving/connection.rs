use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};

use super::{
    Connections,
    metrics::{ConnectionMetrics, TooSlow},
};

/// What a connection is waiting for, shared by the connection and the handler of its requests.
#[derive(Clone, Debug)]
pub(super) struct Stage(Arc<Mutex<At>>);

#[derive(Clone, Copy, Debug)]
enum At {
    /// The connection waits for the first byte of a request, since this time.
    Idle(Instant),
    /// The connection waits for the rest of a request's head, whose first byte arrived at this
    /// time.
    Head(Instant),
    /// The connection waits until the response is written. The request's body has its own time
    /// limit.
    Answer,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(At::Idle(Instant::now()))))
    }

    fn at(&self) -> std::sync::MutexGuard<'_, At> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks a connection as busy with a request for as long as this value lives.
#[derive(Debug)]
pub(super) struct Answering(Stage);

impl Answering {
    pub(super) fn begin(stage: &Stage) -> Self {
        *stage.at() = At::Answer;
        Self(stage.clone())
    }

    /// Keeps the mark until the end of the response body.
    pub(super) fn until_end_of(self, body: Body) -> impl HttpBody<Data = Bytes, Error = axum::Error> + Send + 'static {
        Answered { body, _answering: self }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        *self.0.at() = At::Idle(Instant::now());
    }
}

struct Answered {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that fails when the client is too slow.
pub(super) struct Timed {
    stream: TcpStream,
    stage: Stage,
    reading: Alarm,
    writing: Alarm,
    /// Since when nothing could be written, because the client does not read; `None` while writing
    /// works.
    stuck: Option<Instant>,
    idle: Duration,
    head: Duration,
    write: Duration,
    metrics: ConnectionMetrics,
}

impl Timed {
    pub(super) fn new(stream: TcpStream, stage: Stage, settings: &Connections, metrics: ConnectionMetrics) -> Self {
        let (idle, head, write) = (settings.idle(), settings.head(), settings.write());
        let (reading, writing) = (Alarm::default(), Alarm::default());
        Self { stream, stage, reading, writing, stuck: None, idle, head, write, metrics }
    }

    /// Returns the result of a write. Fails if nothing could be written for longer than the time
    /// limit.
    fn written<T>(&mut self, outcome: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stuck = None;
            return outcome;
        }
        let since = *self.stuck.get_or_insert_with(Instant::now);
        if self.writing.has_gone_off(since + self.write, context) {
            return self.too_slow(TooSlow::Answer);
        }
        Poll::Pending
    }

    fn too_slow<T>(&self, what: TooSlow) -> Poll<io::Result<T>> {
        self.metrics.too_slow(what);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            let mut at = self.stage.at();
            if let At::Idle(_) = *at {
                *at = At::Head(Instant::now());
            }
            drop(at);
            return Poll::Ready(read);
        }
        let at = *self.stage.at();
        let (until, what) = match at {
            At::Idle(since) => (since + self.idle, None),
            At::Head(since) => (since + self.head, Some(TooSlow::Head)),
            At::Answer => return Poll::Pending,
        };
        if !self.reading.has_gone_off(until, context) {
            return Poll::Pending;
        }
        match what {
            Some(what) => self.too_slow(what),
            // Reports the end of the stream, as if the client had closed the connection. It is no
            // error, because an idle client has done nothing wrong.
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Timed {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(outcome, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        self.written(outcome, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A timer whose deadline can be changed. Its memory is allocated at the first use.
#[derive(Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Whether the deadline `at` has passed. If not, the task is woken at the deadline.
    pub(super) fn has_gone_off(&mut self, at: Instant, context: &mut Context<'_>) -> bool {
        let sleep = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(context).is_ready()
    }
}
