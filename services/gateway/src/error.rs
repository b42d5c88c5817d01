use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{Code, Failure, FieldError};
use serde::Serialize;
use tracing::Span;
use utoipa::ToSchema;

use crate::extract::ACCEPTED;

/// The content type of all error responses (RFC 9457).
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// An error response of the API.
#[derive(Debug)]
pub(crate) struct Problem {
    failure: Failure,
    status: u16,
    challenges: Vec<&'static str>,
    is_of_coding: bool,
}

impl Problem {
    /// An error with this code and this sentence for people.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Failure::new(code, detail).into()
    }

    /// The code of the error.
    pub(crate) fn code(&self) -> Code {
        self.failure.code
    }

    /// The failure in this error, for pages that show errors as HTML.
    pub(crate) fn into_failure(self) -> Failure {
        self.failure
    }

    /// The error 401, with a challenge for each kind of credentials that the route accepts.
    pub(crate) fn unauthorized(detail: &str, challenges: Vec<&'static str>) -> Self {
        Self { challenges, ..Failure::new(Code::Unauthorized, detail).into() }
    }

    /// The error 401 for an invalid refresh token. The same error code has the status 400 for an
    /// invalid token from a link in a mail.
    pub(crate) fn invalid_token(detail: &str, challenges: Vec<&'static str>) -> Self {
        let status = Code::Unauthorized.status();
        Self { status, challenges, ..Failure::new(Code::InvalidToken, detail).into() }
    }

    /// The error 415 for an unknown `Content-Encoding`. Its response names the known ones in
    /// `Accept-Encoding`.
    pub(crate) fn unknown_coding() -> Self {
        let detail = "The body must be plain, or compressed with gzip, zstd or deflate, as `Content-Encoding` says.";
        Self { is_of_coding: true, ..Failure::new(Code::UnsupportedMediaType, detail).into() }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self { status: failure.code.status(), failure, challenges: Vec::new(), is_of_coding: false }
    }
}

/// An error (RFC 9457).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Always `about:blank`: `code` identifies the kind of error.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// The HTTP status as text.
    #[schema(example = "Unprocessable Entity")]
    title: &'static str,
    /// The HTTP status code.
    #[schema(example = 422)]
    status: u16,
    /// A sentence for people, with the remedy if there is one.
    #[schema(example = "end must be after start.")]
    detail: String,
    /// The stable code, for programs.
    #[schema(value_type = String, example = "invalid")]
    code: Code,
    /// The id of the trace, under which the log has more details.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    trace_id: Option<String>,
    /// The wrong fields of a body or query.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Field>)]
    errors: Vec<FieldError>,
}

/// An invalid field.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form of contracts::FieldError, for the documentation")]
pub(crate) struct Field {
    /// The path of the field.
    #[schema(example = "end")]
    field: String,
    /// What the field must be.
    #[schema(example = "must be after start")]
    message: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { failure: Failure { code, detail, errors, retry_after: seconds }, status, challenges, is_of_coding } =
            self;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = ProblemBody {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail,
            code,
            trace_id: kit::trace_id(&Span::current()),
            errors,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        for challenge in challenges {
            headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        // The header tells clients to try another coding, which would be misleading for other
        // causes of a 415 (RFC 9110, 12.5.3).
        if is_of_coding {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
        }
        if matches!(code, Code::TooManyRequests | Code::TooManyAttempts | Code::Unavailable) {
            headers.insert(header::RETRY_AFTER, seconds.map_or_else(retry_after, HeaderValue::from));
        }
        response
    }
}

/// The value of `Retry-After`: 1 to 3 seconds at random, so that clients do not all retry at the
/// same time.
pub(crate) fn retry_after() -> HeaderValue {
    let [random] = kit::random_bytes::<1>();
    HeaderValue::from(u16::from(random % 3) + 1)
}
