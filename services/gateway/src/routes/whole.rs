//! Long lists: asked for page by page, answered whole.

use std::{io, sync::Arc};

use axum::{
    Json,
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use contracts::{Caller, Failure, Page, Request};
use futures::{Stream, stream};
use serde::Serialize;
use tracing::{Instrument, Span};

use crate::{App, error::Problem};

/// What is still to be sent of a list.
enum Rest<T, C> {
    /// This page and what comes after it.
    First(Page<T, C>),
    /// What comes after this place.
    After(C),
}

/// Answers with a whole list, as one JSON array. `ask` makes the question for what comes after a
/// place, `show` what the caller sees of an item.
///
/// A list of one page is answered at once. A longer one is streamed, each page asked for when the
/// caller has taken the one before. The first page is asked for before the status is sent; where a
/// later one fails the body breaks off, so that nobody takes a part for the whole.
pub(super) async fn answer_whole<R, T, C, U>(
    app: Arc<App>,
    caller: Caller,
    ask: impl Fn(Option<C>) -> R + Send + Sync + 'static,
    show: impl Fn(T) -> U + Send + Sync + 'static,
) -> Result<Response, Problem>
where
    R: Request<Reply = Page<T, C>>,
    T: Send + 'static,
    C: Send + 'static,
    U: Serialize + 'static,
{
    let first = app.ask(caller, &ask(None)).await?;
    if first.next.is_none() {
        return Ok(Json(first.items.into_iter().map(show).collect::<Vec<_>>()).into_response());
    }
    let (span, request_id) = (Span::current(), kit::request_id());
    let ask = Arc::new(ask);
    let fetch = move |place| {
        let (app, ask) = (app.clone(), ask.clone());
        let work = async move { app.ask(caller, &ask(Some(place))).await };
        kit::with_request_id(request_id.clone(), work).instrument(span.clone())
    };
    let chunks = Body::from_stream(chunks(first, fetch, show));
    Ok(([(header::CONTENT_TYPE, "application/json")], chunks).into_response())
}

/// The parts of the array: the first page, and what `fetch` gives after each.
fn chunks<T, C, U, Fut>(
    first: Page<T, C>,
    fetch: impl Fn(C) -> Fut,
    show: impl Fn(T) -> U,
) -> impl Stream<Item = io::Result<Bytes>>
where
    U: Serialize,
    Fut: Future<Output = Result<Page<T, C>, Failure>>,
{
    let how = Arc::new((fetch, show));
    stream::try_unfold(Some(Rest::First(first)), move |rest| {
        let how = how.clone();
        async move {
            let (fetch, show) = &*how;
            let (page, is_first) = match rest {
                None => return Ok(None),
                Some(Rest::First(page)) => (page, true),
                Some(Rest::After(place)) => (fetch(place).await.map_err(broken_off)?, false),
            };
            let chunk = chunk(page.items.into_iter().map(show), is_first, page.next.is_none())?;
            Ok(Some((Bytes::from(chunk), page.next.map(Rest::After))))
        }
    })
}

fn broken_off(failure: Failure) -> io::Error {
    tracing::warn!(code = ?failure.code, "a list breaks off");
    io::Error::other(failure)
}

/// A page's part of the array.
fn chunk<U: Serialize>(items: impl Iterator<Item = U>, is_first: bool, is_last: bool) -> io::Result<Vec<u8>> {
    let mut chunk = if is_first { b"[".to_vec() } else { Vec::new() };
    for (index, item) in items.enumerate() {
        if index > 0 || !is_first {
            chunk.push(b',');
        }
        serde_json::to_writer(&mut chunk, &item)?;
    }
    if is_last {
        chunk.push(b']');
    }
    Ok(chunk)
}

#[cfg(test)]
mod tests {
    use contracts::Code;
    use futures::TryStreamExt;

    use super::*;

    /// What a caller gets of these pages; where there is no next page, the question for it fails.
    async fn whole(pages: &'static [&'static [i32]], count: usize) -> io::Result<String> {
        let page = move |n: usize| {
            let items = pages.get(n).ok_or_else(|| Failure::new(Code::Unavailable, "Away."))?.to_vec();
            Ok::<_, Failure>(Page { items, next: (n + 1 < count).then_some(n + 1) })
        };
        let first = page(0).expect("a first page");
        let all = chunks(first, async |n| page(n), |item| item);
        all.try_fold(String::new(), async |all, chunk| Ok(all + &String::from_utf8_lossy(&chunk))).await
    }

    #[tokio::test]
    async fn pages_make_one_array_even_where_the_last_has_become_empty() {
        assert_eq!(whole(&[&[1, 2], &[3], &[4, 5]], 3).await.expect("whole"), "[1,2,3,4,5]");
        assert_eq!(whole(&[&[1, 2], &[]], 2).await.expect("whole"), "[1,2]");
        assert_eq!(whole(&[&[]], 1).await.expect("whole"), "[]");
    }

    #[tokio::test]
    async fn a_page_that_cannot_be_had_breaks_the_list_off() {
        assert!(whole(&[&[1, 2], &[3]], 3).await.is_err());
    }
}
