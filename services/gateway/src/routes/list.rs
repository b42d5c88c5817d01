//! Answers with long lists. The gateway requests a list from a service page by page. It answers
//! with the whole list, or with one page if the caller sets a limit.

use std::{convert::identity, io, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::header::LINK,
    response::{IntoResponse, Response},
};
use contracts::{Bounded, Failure, Page, Request};
use futures::{Stream, stream};
use kit::Origin;
use serde::{Serialize, de::DeserializeOwned};
use tracing::{Instrument, Span};

use super::{
    actors::{HasActor, name_actors},
    form::{Form, unwritten},
    named::{HasIds, Named, ids_in, named, with_names},
};
use crate::{
    App,
    auth::{Asker, ForManagers},
    error::Problem,
    extract::Listing,
};

/// A request to a service whose reply is one page of a list.
pub(crate) trait ListRequest: ForManagers + Request<Reply = Page<Self::Item, Self::Place>> + Clone {
    /// The type of the items in the list.
    type Item: Send + 'static;
    /// The type of a position in the list. A page begins after the position of the last item of the
    /// page before, so items that were added meanwhile do not shift it.
    type Place: Serialize + DeserializeOwned + Send + 'static;

    /// The same request, for the items after a position.
    fn after(&self, place: Option<Self::Place>) -> Self;

    /// The position of an item in the list.
    fn place(&self, item: &Self::Item) -> Self::Place;
}

impl<R: ListRequest> ListRequest for Bounded<R>
where
    Self: ForManagers + Request<Reply = Page<R::Item, R::Place>>,
{
    type Item = R::Item;
    type Place = R::Place;

    fn after(&self, place: Option<R::Place>) -> Self {
        Self { asked: self.asked.after(place), within: self.within.clone() }
    }

    fn place(&self, item: &R::Item) -> R::Place {
        self.asked.place(item)
    }
}

/// What is still to be sent of a streamed list.
enum Rest<T, C> {
    /// This page, which is already here, and everything after it.
    First(Page<T, C>),
    /// Everything after this position, which must be requested.
    After(C),
}

/// A list that a caller has requested, and how to answer with it.
pub(super) struct List {
    pub(super) app: Arc<App>,
    pub(super) asker: Asker,
    pub(super) listing: Listing,
    pub(super) form: Form,
}

impl List {
    /// Answers with the list. `show` converts an item to what the caller sees.
    ///
    /// Without a limit the response has the whole list. A list of one page is sent in one piece; a
    /// longer list is streamed. The first page is requested before the status is sent. Each later
    /// page is requested when the caller has read the page before. If a later page fails, the body
    /// ends with an error, so that no caller takes a part of the list for the whole.
    pub(super) async fn answer<R: ListRequest, U: Serialize + 'static>(
        self,
        request: R,
        show: impl Fn(R::Item) -> U + Send + Sync + 'static,
    ) -> Result<Response, Problem> {
        let Self { app, asker, listing, form } = self;
        let asked = request.clone();
        let fetch = move |place| {
            let (app, asker, next) = (app.clone(), asker.clone(), asked.after(place));
            async move { asker.ask(&app, next).await }
        };
        send(listing, form, fetch, move |item: &R::Item| request.place(item), show).await
    }

    /// Answers with the list, and adds to each item the names of its ids. The names of the first
    /// page are requested at the same time as it, those of each later page after it.
    pub(super) async fn answer_named<R: ListRequest>(self, request: R) -> Result<Response, Problem>
    where
        R::Item: HasIds + Serialize,
    {
        let Self { app, asker, listing, form } = self;
        let (asked, question) = (request.clone(), Arc::new(listing.question()));
        let fetch = move |place: Option<R::Place>| {
            let (app, asker, question, is_first) = (app.clone(), asker.clone(), question.clone(), place.is_none());
            let asked = asked.after(place);
            async move {
                let page = asker.ask(&app, asked);
                if is_first {
                    let ids = |page: &Page<R::Item, R::Place>| ids_in(&page.items);
                    let (Page { items, next }, known) = app.names.beside(&question, page, ids).await?;
                    return Ok(Page { items: with_names(items, &known), next });
                }
                let Page { items, next } = page.await?;
                Ok(Page { items: named(&app.names, items).await, next })
            }
        };
        send(listing, form, fetch, move |named: &Named<R::Item>| request.place(&named.item), identity).await
    }

    /// Answers with the list, and adds to each item the name of its actor. The names are requested
    /// for each page.
    pub(super) async fn answer_with_actors<R: ListRequest, U>(self, request: R) -> Result<Response, Problem>
    where
        U: From<R::Item> + HasActor + Serialize + Send + 'static,
        R::Place: Clone,
    {
        let Self { app, asker, listing, form } = self;
        let asked = request.clone();
        let fetch = move |place| {
            let (app, asker, request) = (app.clone(), asker.clone(), asked.after(place));
            async move {
                let Page { items, next } = asker.ask(&app, request.clone()).await?;
                let (places, mut items): (Vec<_>, Vec<U>) =
                    items.into_iter().map(|item| (request.place(&item), U::from(item))).unzip();
                name_actors(&app.names, &mut items).await;
                Ok(Page { items: places.into_iter().zip(items).collect(), next })
            }
        };
        send(listing, form, fetch, |(place, _): &(R::Place, U)| place.clone(), |(_, item)| item).await
    }
}

/// Answers with the pages that `fetch` returns, in the format `form`.
pub(super) async fn send<T, C, U, Fut>(
    listing: Listing,
    form: Form,
    fetch: impl Fn(Option<C>) -> Fut + Send + Sync + 'static,
    place: impl Fn(&T) -> C,
    show: impl Fn(T) -> U + Send + Sync + 'static,
) -> Result<Response, Problem>
where
    T: Send + 'static,
    C: Serialize + DeserializeOwned + Send + 'static,
    U: Serialize + 'static,
    Fut: Future<Output = Result<Page<T, C>, Failure>> + Send + 'static,
{
    let (span, origin) = (Span::current(), Origin::current());
    let fetch = move |place| origin.clone().scope(fetch(place)).instrument(span.clone());
    let after = listing.after()?;
    if let Some(limit) = listing.limit {
        let (body, next) = one_page(limit, after, fetch, place, show, &form).await?;
        let link = next.map(|place| listing.link(&place)).transpose()?;
        return Ok((form.headers(), link.map(|link| [(LINK, link)]), body).into_response());
    }
    let first = fetch(after).await?;
    if first.next.is_none() {
        return Ok(form.answer(first.items.into_iter().map(show))?);
    }
    let headers = form.headers();
    let chunks = chunks(first, move |place| fetch(Some(place)), show, form);
    Ok((headers, Body::from_stream(chunks)).into_response())
}

/// Serializes at most `limit` items after a position. Also returns the position of the last of
/// these items, if more items follow.
async fn one_page<T, C, U, Fut>(
    limit: usize,
    after: Option<C>,
    fetch: impl Fn(Option<C>) -> Fut,
    place: impl Fn(&T) -> C,
    show: impl Fn(T) -> U,
    form: &Form,
) -> Result<(Vec<u8>, Option<C>), Failure>
where
    U: Serialize,
    Fut: Future<Output = Result<Page<T, C>, Failure>>,
{
    let (mut body, mut after, mut left) = (Vec::new(), after, limit);
    loop {
        let Page { mut items, mut next } = fetch(after).await?;
        if items.len() > left {
            items.truncate(left);
            next = items.last().map(&place);
        }
        let is_first = left == limit;
        left -= items.len();
        let is_last = left == 0 || next.is_none();
        body.extend(form.chunk(items.into_iter().map(&show), is_first, is_last).map_err(|e| unwritten(&e))?);
        if is_last {
            return Ok((body, next));
        }
        after = next;
    }
}

/// The parts of the body of a whole list: the first page, and then each page that `fetch` returns.
fn chunks<T, C, U, Fut>(
    first: Page<T, C>,
    fetch: impl Fn(C) -> Fut,
    show: impl Fn(T) -> U,
    form: Form,
) -> impl Stream<Item = io::Result<Bytes>>
where
    U: Serialize,
    Fut: Future<Output = Result<Page<T, C>, Failure>>,
{
    let how = Arc::new((fetch, show, form));
    stream::try_unfold(Some(Rest::First(first)), move |rest| {
        let how = how.clone();
        async move {
            let (fetch, show, form) = &*how;
            let (page, is_first) = match rest {
                None => return Ok(None),
                Some(Rest::First(page)) => (page, true),
                Some(Rest::After(place)) => (fetch(place).await.map_err(broken_off)?, false),
            };
            let chunk = form.chunk(page.items.into_iter().map(show), is_first, page.next.is_none())?;
            Ok(Some((Bytes::from(chunk), page.next.map(Rest::After))))
        }
    })
}

fn broken_off(failure: Failure) -> io::Error {
    tracing::warn!(code = ?failure.code, "a list breaks off");
    io::Error::other(failure)
}

#[cfg(test)]
mod tests {
    use contracts::Code;
    use futures::TryStreamExt;

    use super::*;

    /// Returns a page of at most two numbers: those that follow `after` and are below `count`.
    /// Fails if `after` equals `fails`.
    fn page(after: Option<u64>, count: u64, fails: Option<u64>) -> Result<Page<u64, u64>, Failure> {
        if after.is_some() && after == fails {
            return Err(Failure::new(Code::Unavailable, "Away."));
        }
        let from = after.map_or(0, |after| after + 1);
        let items: Vec<u64> = (from..count.min(from + 2)).collect();
        Ok(Page { next: (from + 2 < count).then_some(from + 1), items })
    }

    async fn whole(count: u64, fails: Option<u64>) -> io::Result<String> {
        let first = page(None, count, None).expect("a first page");
        let all = chunks(first, async |after| page(Some(after), count, fails), |item| item, Form::Json);
        all.try_fold(String::new(), async |all, chunk| Ok(all + &String::from_utf8_lossy(&chunk))).await
    }

    #[tokio::test]
    async fn pages_make_one_array() {
        assert_eq!(whole(5, None).await.expect("whole"), "[0,1,2,3,4]");
        assert_eq!(whole(2, None).await.expect("whole"), "[0,1]");
        assert_eq!(whole(0, None).await.expect("whole"), "[]");
    }

    #[tokio::test]
    async fn a_page_that_cannot_be_had_breaks_the_list_off() {
        assert!(whole(5, Some(3)).await.is_err());
    }

    #[tokio::test]
    async fn a_limit_ends_a_page_wherever_those_of_the_services_end() {
        let limited = async |limit, after| {
            let fetch = async |after| page(after, 5, None);
            let show = |item: u64| item;
            let (body, next) = one_page(limit, after, fetch, |n| *n, show, &Form::Json).await.expect("a page");
            (String::from_utf8(body).expect("text"), next)
        };
        assert_eq!(limited(1, None).await, ("[0]".into(), Some(0)));
        assert_eq!(limited(2, None).await, ("[0,1]".into(), Some(1)));
        assert_eq!(limited(3, None).await, ("[0,1,2]".into(), Some(2)));
        assert_eq!(limited(3, Some(1)).await, ("[2,3,4]".into(), None));
        assert_eq!(limited(5, None).await, ("[0,1,2,3,4]".into(), None));
        assert_eq!(limited(9, Some(4)).await, ("[]".into(), None));
    }
}
