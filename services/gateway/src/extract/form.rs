use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::header,
};
use contracts::{Code, Failure};
use futures::stream;
use multer::Multipart;
use serde::de::DeserializeOwned;

use super::body::{content_type, read};
use crate::error::Problem;

/// The content type that browsers use for forms by default.
const KIND: &str = "application/x-www-form-urlencoded";
/// The other content type for forms. Some programs use it for every form.
const PARTS_KIND: &str = "multipart/form-data";
/// The default limit of a form in bytes, which is enough for two short texts.
const TWO_TEXTS: usize = 16 * 1024;
/// The limit in bytes of a form with a description and lists. It is enough even if every character
/// is percent-encoded.
const DESCRIPTION_AND_LISTS: usize = 1 << 20;

/// A form with long texts, such as a description.
pub(crate) type LongForm<T> = Form<T, DESCRIPTION_AND_LISTS>;

/// The fields of an HTML form. Declare each field as an `Option` and use [`required`]. Then a form
/// without the field can still be deserialized, and the error names the field.
#[derive(Debug)]
pub(crate) struct Form<T, const MOST: usize = TWO_TEXTS>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned, const MOST: usize> FromRequest<S> for Form<T, MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let kind = content_type(request.headers());
        let body = match kind.as_str() {
            KIND => read(request, MOST).await?,
            PARTS_KIND => from_parts(request, MOST).await?,
            _ => return Err(of_another_kind()),
        };
        let misfit = |_| Failure::field("body", "must be a form with each field once");
        Ok(Self(serde_urlencoded::from_bytes(&body).map_err(misfit)?))
    }
}

/// Converts a multipart form to the default encoding.
async fn from_parts(request: Request, most: usize) -> Result<Bytes, Problem> {
    let named = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let boundary = named.and_then(|kind| multer::parse_boundary(kind).ok()).ok_or_else(of_another_kind)?;
    let body = read(request, most).await?;
    let mut parts = Multipart::new(stream::iter([Ok::<_, std::io::Error>(body)]), boundary);
    let mut fields = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|_| of_another_kind())? {
        let name = part.name().unwrap_or_default().to_owned();
        fields.push((name, part.text().await.map_err(|_| of_another_kind())?));
    }
    let encoded = serde_urlencoded::to_string(&fields).map_err(|_| of_another_kind())?;
    Ok(encoded.into())
}

/// The error 415. It is also for a body that does not match its content type (RFC 9110, 15.5.16).
fn of_another_kind() -> Problem {
    let detail = format!("The body must be a form, sent with `Content-Type: {KIND}` or `{PARTS_KIND}`.");
    Problem::new(Code::UnsupportedMediaType, detail)
}

/// Returns the value of a form field, or fails when the form lacks the field.
pub(crate) fn required<T>(name: &str, field: Option<T>) -> Result<T, Failure> {
    field.ok_or_else(|| Failure::field(name, "must be given"))
}
