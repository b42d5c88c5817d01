//! The headers of every answer: caching, framing, and what the answer depends on.

use axum::http::{HeaderMap, HeaderValue, Method, header};

use crate::etags::tag_coding;

/// For answers that are no pages: nothing in them may run or be framed.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
/// For the interactive documentation, which has its own scripts, styles and pictures.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// What an answer may depend on besides its URL.
const VARY: HeaderValue = HeaderValue::from_static("accept, accept-encoding, authorization, origin, x-api-key");

/// Adds the headers for this path. A policy that the answer has already is kept.
pub(crate) fn complete(method: &Method, path: &str, headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    let policy = if path.starts_with("/docs") { DOCS_POLICY } else { POLICY };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    tag_coding(headers);
    // The answer to a preflight has its own `Vary`.
    if method != Method::OPTIONS {
        headers.insert(header::VARY, VARY);
    }
    // Personal data and tokens must not be cached anywhere.
    if path.starts_with("/api/") {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
