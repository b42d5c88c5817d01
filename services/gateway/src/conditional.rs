//! Answers that a caller has already (RFC 9110, 13): they get 304 in place of the same again.

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

/// Tags what a GET of the API answers, and answers 304 where the caller has it already.
///
/// The tag is made of the whole body. A long list that is sent page by page is never whole here, so
/// it has none.
pub(crate) async fn conditional(request: Request, next: Next) -> Response {
    let is_read = request.method() == Method::GET && request.uri().path().starts_with("/api/");
    if !is_read {
        return next.run(request).await;
    }
    let known = tags(request.headers());
    let (mut parts, body) = next.run(request).await.into_parts();
    let Some(length) = body.size_hint().exact().filter(|_| parts.status == StatusCode::OK) else {
        return Response::from_parts(parts, body);
    };
    let Ok(bytes) = axum::body::to_bytes(body, usize::try_from(length).unwrap_or(usize::MAX)).await else {
        // A body in memory cannot break off; should one ever, nobody takes a part for the whole.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let tag = tag(&bytes);
    if let Ok(value) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        parts.headers.insert(header::ETAG, value);
    }
    if known.iter().any(|known| *known == "*" || *known == tag) {
        parts.status = StatusCode::NOT_MODIFIED;
        for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_DISPOSITION] {
            parts.headers.remove(name);
        }
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// Sets the tag of a compressed answer apart from that of the plain one: they are different bytes.
pub(crate) fn tag_coding(headers: &mut HeaderMap) {
    let coding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let tag = headers.get(header::ETAG).and_then(|value| value.to_str().ok());
    if let (Some(coding), Some(plain)) = (coding, tag.and_then(|tag| tag.strip_suffix('"')))
        && let Ok(value) = HeaderValue::from_str(&format!("{plain}.{coding}\""))
    {
        headers.insert(header::ETAG, value);
    }
}

/// The first half of SHA-256 over the body.
fn tag(body: &[u8]) -> String {
    Sha256::digest(body)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The tags of `If-None-Match`, however strong and of whatever coding.
fn tags(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let tags = values.flat_map(|value| value.split(',')).map(|tag| {
        let tag = tag.trim();
        let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
        tag.split('.').next().unwrap_or_default().to_owned()
    });
    tags.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_again_weak_or_strong_and_of_any_coding() {
        let value = HeaderValue::from_static("\"a\", W/\"b\" ,\"c.gzip\",*");
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, value)]);
        assert_eq!(tags(&headers), ["a", "b", "c", "*"]);
    }

    #[test]
    fn the_tag_of_a_compressed_answer_is_another() {
        let mut headers = HeaderMap::from_iter([(header::ETAG, HeaderValue::from_static("\"a\""))]);
        tag_coding(&mut headers);
        assert_eq!(headers[header::ETAG], "\"a\"");
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        tag_coding(&mut headers);
        assert_eq!(headers[header::ETAG], "\"a.gzip\"");
    }
}
