//! The `ETag`s of answers, by which a caller recognises changes.
//!
//! A tag ends with a hash of the body. A thing that can be changed conditionally has the tags of its parts in
//! front: `"<part>-…-<body>"`. So `If-None-Match` compares everything that is shown, and `If-Match` only the part
//! that is changed: changes of other parts do not matter.

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

/// A part of a thing that has its own condition for changes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// Everything except the parts below.
    Own,
    /// The permissions of an employee's computers.
    Permissions,
    /// The projects of an employee.
    Projects,
}

impl Part {
    /// The tag of this part in the tag of an answer; none if the answer has no such part.
    pub(crate) fn of(self, tag: &str) -> Option<&str> {
        let (parts, _body) = tag.rsplit_once('-')?;
        parts.split('-').nth(self as usize)
    }
}

/// A thing that is shown with the tags of its parts.
pub(crate) trait Changeable: Serialize {
    /// The tags of its parts, in the order of [`Part`].
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

/// An answer with a thing that can be changed conditionally.
#[derive(Debug)]
pub(crate) struct Seen<T>(pub(crate) T);

/// The tags of the parts, for [`tag_answer`].
#[derive(Clone, Debug)]
struct Parts(Vec<Tag>);

impl<T: Changeable> IntoResponse for Seen<T> {
    fn into_response(self) -> Response {
        (Extension(Parts(self.0.parts())), Json(self.0)).into_response()
    }
}

/// Adds a tag to answers to GET requests of the API, and answers 304 if the caller has the present state.
///
/// A list that is streamed page by page is never complete here, so it has no tag.
pub(crate) async fn tag_answer(request: Request, next: Next) -> Response {
    let is_read = request.method() == Method::GET && request.uri().path().starts_with("/api/");
    if !is_read {
        return next.run(request).await;
    }
    // An unreadable header gets the whole answer, which is always right.
    let known = named(request.headers(), header::IF_NONE_MATCH).unwrap_or_default();
    let (mut head, body) = next.run(request).await.into_parts();
    let Some(length) = body.size_hint().exact().filter(|_| head.status == StatusCode::OK) else {
        return Response::from_parts(head, body);
    };
    let Ok(bytes) = axum::body::to_bytes(body, usize::try_from(length).unwrap_or(usize::MAX)).await else {
        // A body in memory cannot fail. If it ever does, an error is better than a part that looks complete.
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
    // The tag of a compressed answer is recognised too, and sent back as it came.
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

/// Changes the tag of a compressed answer, because its bytes differ from the plain one.
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
