use axum::http::{header, request::Parts};
use contracts::{Code, KEY_PREFIX};

use crate::error::Problem;

/// The challenge in `WWW-Authenticate` that asks for an API key.
pub(super) const KEY_CHALLENGE: &str = "ApiKey realm=\"t3\", header=\"X-API-Key\"";
/// The challenge in `WWW-Authenticate` that asks for an employee's token.
pub(crate) const TOKEN_CHALLENGE: &str = "Bearer realm=\"t3\"";
/// The challenge in `WWW-Authenticate` after an invalid token.
pub(super) const TOKEN_REFUSED: &str = "Bearer realm=\"t3\", error=\"invalid_token\"";
/// The request header with an API key.
const KEY_HEADER: &str = "x-api-key";

/// The credentials of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credentials<'a> {
    /// The root key, or an API key.
    Key(&'a str),
    /// An access token (JWT), which a log-in or a refresh returned.
    Token(&'a str),
}

/// Reads the credentials from `X-API-Key: <key>` or `Authorization: Bearer <key or token>`. Returns
/// `None` when the request has neither.
///
/// # Errors
/// 400 when both headers are present, because it is unclear which of the two callers acts.
pub(super) fn credentials(parts: &Parts) -> Result<Option<Credentials<'_>>, Problem> {
    let key = parts.headers.get(KEY_HEADER);
    match (key, bearer(parts)) {
        (Some(_), Some(_)) => {
            let detail = "Send either X-API-Key or Authorization: Bearer, not both.";
            Err(Problem::new(Code::TwoCredentials, detail))
        }
        // A header value that is not ASCII text becomes the empty key, which is refused.
        (Some(key), None) => Ok(Some(Credentials::Key(key.to_str().unwrap_or_default()))),
        (None, Some(bearer)) => Ok(Some(match is_token(bearer) {
            true => Credentials::Token(bearer),
            false => Credentials::Key(bearer),
        })),
        (None, None) => Ok(None),
    }
}

/// Whether a bearer value is a token (JWT): three parts with dots between (RFC 7519). A root key
/// with two dots would look like a token, so it must be sent in `X-API-Key`.
fn is_token(text: &str) -> bool {
    !text.starts_with(KEY_PREFIX) && text.split('.').count() == 3
}

/// The value in `Authorization: Bearer <value>`. The name of the scheme is case-insensitive (RFC
/// 9110, 11.1).
fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
