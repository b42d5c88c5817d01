//! Checks the query parameters and the conditional headers of each request against the OpenAPI
//! document. Unknown parameters and unsupported conditions are refused. If they were ignored, the
//! wrong data would be shown or changed.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{MatchedPath, Query, Request, State},
    http::{HeaderMap, Method, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contracts::{Code, Failure};
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, ParameterIn, PathItem},
};

use crate::error::Problem;

/// The largest length of a parameter name that an error repeats.
const NAME_MOST: usize = 32;

/// The query parameters and conditions that one operation accepts.
#[derive(Debug, Default)]
struct Accepted {
    names: Vec<String>,
    /// Whether the operation changes something.
    is_change: bool,
    /// Whether the operation supports `If-Match`.
    is_conditional: bool,
    /// Whether the operation needs credentials. If it does, an error about credentials comes before
    /// an error about the query.
    is_secured: bool,
}

/// The query parameters and conditions that each operation accepts, by method and path.
#[derive(Debug)]
pub(crate) struct Queries(HashMap<(Method, String), Accepted>);

/// The error of an invalid query or an unsupported condition, as an extension of the request. It is
/// answered after the caller is authenticated.
#[derive(Clone, Debug)]
struct InvalidQuery(Failure);

impl Queries {
    /// Reads what all operations accept from the OpenAPI document.
    pub(crate) fn described_by(api: &OpenApi) -> Arc<Self> {
        let calls = api.paths.paths.iter().filter(|(path, _)| path.starts_with("/api/"));
        let accepted = calls.flat_map(|(path, item)| {
            operations(item).map(|(method, operation)| {
                let accepted = Accepted::by(&method, operation);
                ((method, path.clone()), accepted)
            })
        });
        Arc::new(Self(accepted.collect()))
    }

    /// Whether an operation requires credentials.
    pub(crate) fn need_credentials(&self, method: &Method, path: &str) -> bool {
        self.of(method, path).is_some_and(|accepted| accepted.is_secured)
    }

    fn of(&self, method: &Method, path: &str) -> Option<&Accepted> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(&(method.clone(), path.to_owned()))
    }

    fn check(&self, method: &Method, path: &str, uri: &Uri, headers: &HeaderMap) -> Option<(Failure, bool)> {
        let accepted = self.of(method, path)?;
        let checked = accepted.check(uri).and_then(|()| accepted.check_conditions(headers));
        checked.err().map(|failure| (failure, accepted.is_secured))
    }
}

impl Accepted {
    fn by(method: &Method, operation: &Operation) -> Self {
        let parameters = operation.parameters.iter().flatten();
        let names = parameters.filter_map(|parameter| match parameter {
            RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter.name.clone()),
            _ => None,
        });
        Self {
            names: names.collect(),
            is_change: method != Method::GET,
            is_conditional: operation.responses.responses.contains_key("412"),
            is_secured: operation.security.is_some(),
        }
    }

    /// Refuses `If-None-Match` on every change, and `If-Match` on changes that do not support it.
    fn check_conditions(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let detail = if !self.is_change {
            return Ok(());
        } else if headers.contains_key(header::IF_NONE_MATCH) {
            "`If-None-Match` is for reading. Leave it out."
        } else if headers.contains_key(header::IF_MATCH) && !self.is_conditional {
            "This call cannot be made on condition: leave `If-Match` out."
        } else {
            return Ok(());
        };
        Err(Failure::new(Code::BadPrecondition, detail))
    }

    /// Requires that every parameter in the query is known and occurs only once.
    fn check(&self, uri: &Uri) -> Result<(), Failure> {
        let malformed = |_| Failure::field("query", "must be parameters such as ?start=1&end=2");
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(malformed)?;
        for (position, (name, _)) in pairs.iter().enumerate() {
            if !self.names.contains(name) {
                return Err(Failure::field(shown(name), self.what_is_accepted()));
            }
            if pairs.iter().take(position).any(|(before, _)| before == name) {
                return Err(Failure::field(name.as_str(), "must be given once; several ids stand with commas between"));
            }
        }
        Ok(())
    }

    fn what_is_accepted(&self) -> String {
        if self.names.is_empty() {
            return "is not taken here: this call has no parameters in its query".to_owned();
        }
        format!("is not taken here; what is taken is {}", self.names.join(", "))
    }
}

/// The name of a parameter for an error; `query` if the name does not look like one, because the
/// client may have sent anything.
fn shown(name: &str) -> &str {
    let is_name = name.len() <= NAME_MOST && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name && !name.is_empty() { name } else { "query" }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    let all = [
        (Method::GET, &item.get),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// Checks the query and the conditions of a request. If the operation needs no credentials, an
/// error is answered at once. Otherwise it is stored for [`fitting_query`].
pub(crate) async fn check_query(State(queries): State<Arc<Queries>>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if let Some(path) = path
        && let Some((failure, is_secured)) = queries.check(request.method(), path, request.uri(), request.headers())
    {
        if !is_secured {
            return Problem::from(failure).into_response();
        }
        request.extensions_mut().insert(InvalidQuery(failure));
    }
    next.run(request).await
}

/// Fails if [`check_query`] found an invalid query or an unsupported condition. Extractors call
/// this function after the caller is authenticated.
pub(crate) fn fitting_query(parts: &Parts) -> Result<(), Failure> {
    parts.extensions.get::<InvalidQuery>().map_or(Ok(()), |InvalidQuery(failure)| Err(failure.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str) -> Option<(String, String)> {
        let accepted = Accepted { names: vec!["start".into(), "employeeId".into()], ..Accepted::default() };
        let uri: Uri = format!("/x?{query}").parse().expect("a path");
        let failure = accepted.check(&uri).err()?;
        let error = failure.errors.into_iter().next().expect("a field");
        Some((error.field, error.message))
    }

    #[test]
    fn what_is_not_taken_is_named_together_with_what_is() {
        for fits in ["", "start=1", "start=1&employeeId=a,b", "employeeId=&start", "&start=1&"] {
            assert_eq!(check(fits), None, "{fits}");
        }
        for (query, field) in [
            ("empoyeeId=a", "empoyeeId"),
            ("start=1&taskId=a", "taskId"),
            ("Start=1", "Start"),
            ("start[]=1", "query"),
            ("hunter2-planted=1", "query"),
            ("=1", "query"),
            (&"a".repeat(33), "query"),
        ] {
            let message = "is not taken here; what is taken is start, employeeId".to_owned();
            assert_eq!(check(query), Some((field.to_owned(), message)), "{query}");
        }
    }

    #[test]
    fn a_change_is_made_on_the_condition_that_it_takes_or_not_at_all() {
        let refused = |is_change, is_conditional, name| {
            let headers = HeaderMap::from_iter([(name, "\"a\"".parse().expect("a header"))]);
            Accepted { is_change, is_conditional, ..Accepted::default() }.check_conditions(&headers).is_err()
        };
        assert!(!refused(false, false, header::IF_MATCH) && !refused(false, false, header::IF_NONE_MATCH));
        assert!(!refused(true, true, header::IF_MATCH) && refused(true, true, header::IF_NONE_MATCH));
        assert!(refused(true, false, header::IF_MATCH));
    }

    #[test]
    fn what_is_given_twice_is_refused() {
        for query in ["start=1&start=1", "employeeId=a&start=1&employeeId=b", "start=1&%73tart=2"] {
            assert!(check(query).is_some_and(|(_, message)| message.starts_with("must be given once")), "{query}");
        }
    }
}
