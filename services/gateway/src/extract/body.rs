use std::borrow::Cow;

use axum::{
    body::{Bytes, HttpBody},
    extract::{FromRequest, OptionalFromRequest, Request},
    http::{HeaderMap, header},
};
use contracts::{Code, Failure};
use futures::StreamExt;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{
    charset::{charset, utf8},
    coding, fields,
};
use crate::error::Problem;

/// The default limit of a body: 1 MiB, in bytes.
const MIB: usize = 1 << 20;

/// A JSON body of at most `MOST` bytes, deserialized.
#[derive(Debug)]
pub(crate) struct Body<T, const MOST: usize = MIB>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned, const MOST: usize> FromRequest<S> for Body<T, MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self(parse(&text(request, MOST).await?)?))
    }
}

/// A JSON body of at most `MOST` bytes, converted to UTF-8 and not yet deserialized.
#[derive(Debug)]
pub(crate) struct Text<const MOST: usize>(pub(crate) Bytes);

impl<S: Sync, const MOST: usize> FromRequest<S> for Text<MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self(text(request, MOST).await?))
    }
}

/// A JSON body that is deserialized into two types.
#[derive(Debug)]
pub(crate) struct Bodies<T, U>(pub(crate) T, pub(crate) U);

impl<S: Sync, T: DeserializeOwned, U: DeserializeOwned> FromRequest<S> for Bodies<T, U> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let text = text(request, MIB).await?;
        Ok(Self(parse(&text)?, parse(&text)?))
    }
}

/// Reads a JSON body of at most `most` bytes, and converts it to UTF-8.
async fn text(request: Request, most: usize) -> Result<Bytes, Problem> {
    let kind = content_type(request.headers());
    // A body without content type is taken for JSON.
    let is_json = kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json");
    if !is_json && kind != "text/json" && request.headers().contains_key(header::CONTENT_TYPE) {
        let detail = "The body must be JSON, sent with `Content-Type: application/json`.";
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    let charset = charset(request.headers());
    let bytes = read(request, most).await?;
    let other = match utf8(&bytes, charset.as_deref())? {
        Cow::Borrowed(text) if text.len() == bytes.len() => None,
        text => Some(text.into_owned()),
    };
    Ok(other.map_or(bytes, Bytes::from))
}

/// An optional JSON body: `None` when the request has no body.
impl<S: Sync, T: DeserializeOwned, const MOST: usize> OptionalFromRequest<S> for Body<T, MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        if request.body().is_end_stream() {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

/// The content type in lower case, without parameters.
pub(super) fn content_type(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// How many bytes a compressed body may have above the limit of its content, because compression
/// makes incompressible data a little larger.
const CODING_OVERHEAD: usize = 64 * 1024;

/// Reads a body and decompresses it. The decompressed body may have at most `most` bytes.
pub(super) async fn read(request: Request, most: usize) -> Result<Bytes, Problem> {
    let codings = coding::codings(request.headers())?;
    let sent_most = if codings.is_empty() { most } else { most + CODING_OVERHEAD };
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared > Some(sent_most) {
        return Err(coding::too_large(most));
    }
    let mut chunks = request.into_body().into_data_stream();
    let mut body = Vec::with_capacity(declared.unwrap_or_default());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Failure::field("body", "must be sent to its end"))?;
        if body.len() + chunk.len() > sent_most {
            return Err(coding::too_large(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(coding::decoded(body, &codings, most)?.into())
}

/// Deserializes JSON. An error names the field, and never repeats the field's value.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Failure> {
    // Without this check, serde would accept an array of the field values, in order, in place of an
    // object.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Failure::field("body", "must be an object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        // serde reports `null` for an enum, and numbers too large for f64, as syntax errors
        // although the text is valid JSON. Without this check the error would not name the field.
        let is_json = error.inner().is_data() || serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
        if is_json { fields::misfit(&error) } else { Failure::fields(vec![fields::malformed(error.inner())]) }
    })?;
    json.end().map_err(|error| Failure::fields(vec![fields::malformed(&error)]))?;
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use contracts::{CreateEmployee, CreateProject, EmployeeChanges, SystemPermissions, WindowSent};

    use super::*;

    fn refused<T: DeserializeOwned>(json: &str) -> (String, String) {
        let failure = parse::<T>(json.as_bytes()).err().expect("refused");
        assert_eq!(failure.code, Code::Invalid);
        assert!(!format!("{failure:?}").contains("SECRET"), "{failure:?}");
        let error = failure.errors.into_iter().next().expect("a field");
        (error.field, error.message)
    }

    fn of_employee(json: &str) -> (String, String) {
        refused::<CreateEmployee>(json)
    }

    fn fault(field: &str, message: &str) -> (String, String) {
        (field.to_owned(), message.to_owned())
    }

    #[test]
    fn a_field_that_does_not_fit_is_named_with_what_would() {
        assert_eq!(of_employee(r#"{"email":"a@x.org"}"#), fault("name", "must be given"));
        assert_eq!(of_employee(r#"{"name":5,"email":"a@x.org"}"#), fault("name", "must be a text"));
        assert_eq!(of_employee(r#"{"name":null,"email":"a@x.org"}"#), fault("name", "must be a text"));
        assert_eq!(of_employee(r#"{"name":" ","email":"a@x.org"}"#), fault("name", "must not be empty"));
        assert_eq!(of_employee(r#"{"name":"a","name":"b"}"#), fault("name", "must be given once"));
        assert_eq!(of_employee(r#" ["a","a@x.org"]"#), fault("body", "must be an object"));
        assert_eq!(of_employee(r#""SECRET""#), fault("body", "must be an object"));
        let (field, message) = of_employee(r#"{"name":"a","email":"SECRET"}"#);
        assert_eq!((field.as_str(), message.starts_with("must be an e-mail")), ("email", true));
    }

    #[test]
    fn what_nobody_can_see_or_mail_is_refused_with_the_remedy() {
        let unseen = "must have a letter, a digit or another character that can be seen";
        assert_eq!(of_employee(r#"{"name":"\u200b","email":"a@x.org"}"#), fault("name", unseen));
        assert_eq!(refused::<EmployeeChanges>(r#"{"title":"\u2060"}"#), fault("title", unseen));
        assert_eq!(refused::<CreateProject>(r#"{"name":"Shed","statuses":["\u200b"]}"#), fault("statuses[0]", unseen));
        let typed = "must not contain invisible characters: type the address anew instead of copying it";
        assert_eq!(of_employee(r#"{"name":"a","email":"a\u200b@x.org"}"#), fault("email", typed));
        assert_eq!(refused::<EmployeeChanges>(r#"{"email":"\u202ea@x.org"}"#), fault("email", typed));
        let (field, message) = of_employee("{\"name\":\"a\",\"email\":\"o\u{2019}neil@x.org\"}");
        assert!(field == "email" && message.contains("an apostrophe is '"), "{message}");
    }

    #[test]
    fn null_is_refused_where_a_field_can_only_be_left_out() {
        assert_eq!(refused::<EmployeeChanges>(r#"{"name":null}"#), fault("name", "must be a text"));
        assert!(parse::<EmployeeChanges>(br#"{"title":null}"#).is_ok());
        assert_eq!(refused::<WindowSent>(r#"{"type":null}"#), fault("type", "does not fit"));
    }

    #[test]
    fn a_field_deep_inside_is_named_by_its_path() {
        let json = r#"{"computer":"SECRET","permissions":{"accessibility":"SECRET, expected SECRET"}}"#;
        let (field, message) = refused::<SystemPermissions>(json);
        assert_eq!(field, "permissions.accessibility");
        assert_eq!(message, "must be one of `authorized`, `denied`, `undetermined`");
        let json = r#"{"name":"a","employees":["0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071","SECRET"]}"#;
        assert_eq!(refused::<CreateProject>(json), fault("employees[1]", "must be a UUID"));
    }

    #[test]
    fn the_keys_of_a_payroll_are_the_clients_and_shown_only_where_they_are_ids() {
        let of =
            |key: &str| refused::<CreateProject>(&format!(r#"{{"name":"a","payroll":{{"{key}":{{"billRate":-1}}}}}}"#));
        assert_eq!(of("*").0, "payroll.*.billRate");
        assert_eq!(
            of("0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071").0,
            "payroll.0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071.billRate"
        );
        let (field, message) = of("SECRET");
        assert!(field.starts_with("payroll"), "{field}");
        assert_eq!(message, "must be an employee's id or \"*\"");
        let twice = r#"{"name":"a","payroll":{"*":{"billRate":1},"*":{"billRate":2}}}"#;
        let (field, message) = refused::<CreateProject>(twice);
        assert_eq!((field.as_str(), message.as_str()), ("payroll", "must name each employee, and `*`, once"));
        let (field, _) = refused::<CreateProject>(r#"{"name":"a","payroll":{"*":{"billRate":1,"billRate":2}}}"#);
        assert_eq!(field, "payroll.*.billRate");
    }

    #[test]
    fn numbers_that_are_none_or_too_large_are_refused() {
        for number in ["9223372036854775808", "1e30", "1.5", "\"1.5\"", "\"SECRET\"", "\"\"", "true", "[[[[]]]]"] {
            let (field, message) = refused::<WindowSent>(&format!(r#"{{"start":{number}}}"#));
            assert_eq!((field.as_str(), message.as_str()), ("start", "must be a whole number"), "{number}");
        }
        assert_eq!(refused::<WindowSent>(r#"{"start":1e999}"#), fault("start", "does not fit"));
        for number in ["NaN", "Infinity", "-", "0x10", "01"] {
            assert_eq!(refused::<WindowSent>(&format!(r#"{{"start":{number}}}"#)).0, "body", "{number}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_however_deep_it_is() {
        let deep = "[".repeat(MIB);
        for json in ["", "{", "SECRET", "{\"name\":\"SECRET", "{} SECRET", "\u{feff}{}", &deep] {
            assert!(["body", "name"].contains(&of_employee(json).0.as_str()));
        }
        let ignored = format!(r#"{{"name":"a","email":"a@x.org","x":{deep}"#);
        assert_eq!(of_employee(&ignored).0, "body");
        assert!(parse::<CreateEmployee>(b"{\"name\":\"\xff\",\"email\":\"a@x.org\"}").is_err());
    }

    #[test]
    fn unknown_fields_are_ignored() {
        assert!(parse::<CreateEmployee>(br#"{"name":"a","email":"a@x.org","x":[{"y":1e999}]}"#).is_ok());
    }
}
