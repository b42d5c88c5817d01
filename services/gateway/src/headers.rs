//! The headers of every response, about security, caching, and what the response depends on.

use axum::http::{HeaderMap, HeaderValue, Method, header};

use crate::etags::tag_coding;

/// The content security policy of responses that are no pages: nothing in them may run, and no page
/// may embed them in a frame.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
/// The content security policy of the interactive API documentation, which has its own scripts,
/// styles and images.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// The request headers on which a response may depend.
const VARY: HeaderValue = HeaderValue::from_static("accept, accept-encoding, authorization, origin, x-api-key");

/// Adds the headers to the response for this path. A policy that the response already has is kept.
pub(crate) fn complete(method: &Method, path: &str, headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    let policy = if path.starts_with("/docs") { DOCS_POLICY } else { POLICY };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    tag_coding(headers);
    // The CORS layer sets the `Vary` of the response to a preflight request.
    if method != Method::OPTIONS {
        headers.insert(header::VARY, VARY);
    }
    // Responses of the API contain personal data and tokens, which must not be stored in any cache.
    if path.starts_with("/api/") {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
