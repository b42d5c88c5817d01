//! The `ETag`s of responses, by which a caller recognises changes.
//!
//! A tag ends with a hash of the body. For an item that can be changed conditionally, the tags of
//! its parts come before this hash: `"<part>-…-<body>"`. `If-None-Match` compares the whole tag,
//! and thereby everything that is shown. `If-Match` compares only the tag of the part that is to be
//! changed, so changes of other parts do not matter.

use axum::{
    Extension, Json,
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contracts::{Employee, Project, Settings, Tag, Task, Team};
use serde::Serialize;

use crate::{
    error::Problem,
    extract::{Named, named},
};

/// A part of an item. Each part can be changed on its own condition.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// The fields of the item itself: everything except the other parts.
    Own,
    /// The permissions of an employee's computers.
    Permissions,
    /// The projects of an employee.
    Projects,
}

impl Part {
    /// The tag of this part in the tag of a response; `None` if the response has no such part.
    pub(crate) fn of(self, tag: &str) -> Option<&str> {
        let (parts, _body) = tag.rsplit_once('-')?;
        parts.split('-').nth(self as usize)
    }
}

/// An item whose responses contain the tags of its parts.
pub(crate) trait Changeable: Serialize {
    /// The tags of the item's parts, in the order of [`Part`].
    fn parts(&self) -> Vec<Tag>;
}

impl Changeable for Employee {
    fn parts(&self) -> Vec<Tag> {
        vec![self.tag(), self.permissions_tag(), self.projects_tag()]
    }
}

impl Changeable for Project {
    fn parts(&self) -> Vec<Tag> {
        vec![self.tag()]
    }
}

impl Changeable for Task {
    fn parts(&self) -> Vec<Tag> {
        vec![self.tag()]
    }
}

impl Changeable for Settings {
    fn parts(&self) -> Vec<Tag> {
        vec![self.tag()]
    }
}

impl Changeable for Team {
    fn parts(&self) -> Vec<Tag> {
        vec![self.tag()]
    }
}

/// A response with an item that can be changed conditionally.
#[derive(Debug)]
pub(crate) struct Seen<T>(pub(crate) T);

/// The tags of the parts, as an extension of the response that [`tag_answer`] reads.
#[derive(Clone, Debug)]
struct Parts(Vec<Tag>);

impl<T: Changeable> IntoResponse for Seen<T> {
    fn into_response(self) -> Response {
        (Extension(Parts(self.0.parts())), Json(self.0)).into_response()
    }
}

/// Adds an `ETag` to responses to GET requests of the API. Answers 304 if the caller already has
/// the current state.
///
/// A list that is streamed page by page gets no tag, because its body is never complete here.
pub(crate) async fn tag_answer(request: Request, next: Next) -> Response {
    let is_read = request.method() == Method::GET && request.uri().path().starts_with("/api/");
    if !is_read {
        return next.run(request).await;
    }
    // A malformed `If-None-Match` is ignored. The caller then gets the whole response, which is
    // always correct.
    let known = named(request.headers(), header::IF_NONE_MATCH).unwrap_or_default();
    let (mut head, body) = next.run(request).await.into_parts();
    let Some(length) = body.size_hint().exact().filter(|_| head.status == StatusCode::OK) else {
        return Response::from_parts(head, body);
    };
    let Ok(bytes) = axum::body::to_bytes(body, usize::try_from(length).unwrap_or(usize::MAX)).await else {
        // Reading a body that is in memory should not fail. If it does, the caller gets an error
        // instead of an incomplete response.
        return Problem::new(contracts::Code::Internal, "Something went wrong on our side.").into_response();
    };
    let Parts(mut tags) = head.extensions.remove::<Parts>().unwrap_or(Parts(Vec::new()));
    tags.push(Tag::of_bytes(&bytes));
    let tag = tags.iter().map(Tag::as_str).collect::<Vec<_>>().join("-");
    let known = match known {
        Some(Named::Any) => Some(tag.clone()),
        Some(Named::Tags(known)) => known.into_iter().find(|known| known.plain() == tag).map(|known| known.text),
        None => None,
    };
    // A caller may send the tag of a compressed response, which ends with the coding. It is
    // recognised too, and sent back unchanged.
    if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", known.as_ref().unwrap_or(&tag))) {
        head.headers.insert(header::ETAG, value);
    }
    if known.is_none() {
        return Response::from_parts(head, Body::from(bytes));
    }
    head.status = StatusCode::NOT_MODIFIED;
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_DISPOSITION] {
        head.headers.remove(name);
    }
    Response::from_parts(head, Body::empty())
}

/// Adds the coding to the tag of a compressed response, because its bytes differ from those of the
/// plain response.
pub(crate) fn tag_coding(headers: &mut HeaderMap) {
    let coding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let tag = headers.get(header::ETAG).and_then(|value| value.to_str().ok());
    if let (Some(coding), Some(plain)) = (coding, tag.and_then(|tag| tag.strip_suffix('"')))
        && let Ok(value) = HeaderValue::from_str(&format!("{plain}.{coding}\""))
    {
        headers.insert(header::ETAG, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_of_a_compressed_answer_is_another() {
        let mut headers = HeaderMap::from_iter([(header::ETAG, HeaderValue::from_static("\"a\""))]);
        tag_coding(&mut headers);
        assert_eq!(headers[header::ETAG], "\"a\"");
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        tag_coding(&mut headers);
        assert_eq!(headers[header::ETAG], "\"a.gzip\"");
    }

    #[test]
    fn only_a_part_that_is_there_is_found() {
        assert_eq!(Part::Projects.of("a-b-c-body"), Some("c"));
        assert_eq!(Part::Own.of("a-body"), Some("a"));
        assert_eq!((Part::Projects.of("a-body"), Part::Own.of("body"), Part::Own.of("")), (None, None, None));
    }
}
