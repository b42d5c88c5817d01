//! What every answer says of itself: who may keep it, show it in a frame, and what it depends on.

use axum::http::{HeaderMap, HeaderValue, Method, header};

use crate::etags::tag_coding;

/// For answers that are no pages: nothing of them may run or be shown in a frame.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
/// For the interactive documentation, which has scripts, styles and pictures of its own.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// What an answer may depend on besides its address.
const VARY: HeaderValue = HeaderValue::from_static("accept, accept-encoding, authorization, origin, x-api-key");

/// Adds what an answer at this path has to say; a policy of its own stays.
pub(crate) fn complete(method: &Method, path: &str, headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    let policy = if path.starts_with("/docs") { DOCS_POLICY } else { POLICY };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    tag_coding(headers);
    // The answer to a preflight names what it depends on itself.
    if method != Method::OPTIONS {
        headers.insert(header::VARY, VARY);
    }
    // People's data and tokens: kept nowhere on the way.
    if path.starts_with("/api/") {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
