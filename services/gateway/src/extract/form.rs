use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{Method, header},
};
use contracts::{Code, Failure};
use serde::de::DeserializeOwned;

use super::body::{content_type, read};
use crate::error::Problem;

/// The kind of a form's body.
const KIND: &str = "application/x-www-form-urlencoded";
/// The most bytes of a form: two texts.
const MOST: usize = 16 * 1024;

/// The fields of an HTML form. Give it optional texts, and ask for each with [`required`]: then
/// nothing in a form can fail to be read, and what is missing is named.
#[derive(Debug)]
pub(crate) struct Form<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if content_type(request.headers()) != KIND {
            let detail = format!("The body must be a form, sent with `Content-Type: {KIND}`.");
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        let misfit = || Failure::field("body", "must be a form with each field once");
        let body = Body::from(read(request, MOST).await?);
        let form = Request::builder().method(Method::POST).header(header::CONTENT_TYPE, KIND).body(body);
        let parsed = axum::extract::Form::from_request(form.map_err(|_| misfit())?, state).await;
        Ok(Self(parsed.map_err(|_| misfit())?.0))
    }
}

/// A field that must be filled in.
pub(crate) fn required<T>(name: &str, field: Option<T>) -> Result<T, Failure> {
    field.ok_or_else(|| Failure::field(name, "must be given"))
}
