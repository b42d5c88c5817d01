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

/// The kind of a form's body.
const KIND: &str = "application/x-www-form-urlencoded";
/// The other kind, as some programs send every form.
const PARTS_KIND: &str = "multipart/form-data";
/// The most bytes of a form, unless said otherwise: two texts.
const TWO_TEXTS: usize = 16 * 1024;
/// The most bytes of a form with a description and lists, each character in its longest spelling.
const DESCRIPTION_AND_LISTS: usize = 1 << 20;

/// A form in which people may write at length.
pub(crate) type LongForm<T> = Form<T, DESCRIPTION_AND_LISTS>;

/// The fields of an HTML form. Give it optional texts, and ask for each with [`required`]: then
/// nothing in a form can fail to be read, and what is missing is named.
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

/// The fields of a body in parts, as the other kind has them.
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

/// Also of a body that is not what its header says (RFC 9110, 15.5.16).
fn of_another_kind() -> Problem {
    let detail = format!("The body must be a form, sent with `Content-Type: {KIND}` or `{PARTS_KIND}`.");
    Problem::new(Code::UnsupportedMediaType, detail)
}

/// A field that must be filled in.
pub(crate) fn required<T>(name: &str, field: Option<T>) -> Result<T, Failure> {
    field.ok_or_else(|| Failure::field(name, "must be given"))
}
