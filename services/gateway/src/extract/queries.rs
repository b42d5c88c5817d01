//! Which parameters a call takes in its query: those that its description names, each once. Any other
//! is refused, because a filter that does nothing shows or changes what nobody meant.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{MatchedPath, Query, Request, State},
    http::{Method, Uri, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contracts::Failure;
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, ParameterIn, PathItem},
};

use crate::error::Problem;

/// The longest name of a parameter that is shown to whoever sent it.
const NAME_MOST: usize = 32;

/// What one call takes.
#[derive(Debug, Default)]
struct Taken {
    names: Vec<String>,
    /// Whether it needs credentials: whoever has none is told that first.
    is_secured: bool,
}

/// What every call of the API takes, by its method and path.
#[derive(Debug)]
pub(crate) struct Queries(HashMap<(Method, String), Taken>);

/// A query that does not fit, until it is known who asks.
#[derive(Clone, Debug)]
struct Misfit(Failure);

impl Queries {
    /// From the description of the API.
    pub(crate) fn described_by(api: &OpenApi) -> Arc<Self> {
        let calls = api.paths.paths.iter().filter(|(path, _)| path.starts_with("/api/"));
        let taken = calls.flat_map(|(path, item)| {
            operations(item).map(|(method, operation)| ((method, path.clone()), Taken::by(operation)))
        });
        Arc::new(Self(taken.collect()))
    }

    /// Whether a call needs credentials.
    pub(crate) fn need_credentials(&self, method: &Method, path: &str) -> bool {
        self.of(method, path).is_some_and(|taken| taken.is_secured)
    }

    fn of(&self, method: &Method, path: &str) -> Option<&Taken> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(&(method.clone(), path.to_owned()))
    }

    fn check(&self, method: &Method, path: &str, uri: &Uri) -> Option<(Failure, bool)> {
        let taken = self.of(method, path)?;
        taken.check(uri).err().map(|failure| (failure, taken.is_secured))
    }
}

impl Taken {
    fn by(operation: &Operation) -> Self {
        let parameters = operation.parameters.iter().flatten();
        let names = parameters.filter_map(|parameter| match parameter {
            RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter.name.clone()),
            _ => None,
        });
        Self { names: names.collect(), is_secured: operation.security.is_some() }
    }

    /// Every name is one of ours, and stands there once.
    fn check(&self, uri: &Uri) -> Result<(), Failure> {
        let malformed = |_| Failure::field("query", "must be parameters such as ?start=1&end=2");
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(malformed)?;
        for (position, (name, _)) in pairs.iter().enumerate() {
            if !self.names.contains(name) {
                return Err(Failure::field(shown(name), self.what_is_taken()));
            }
            if pairs.iter().take(position).any(|(before, _)| before == name) {
                return Err(Failure::field(name.as_str(), "must be given once; several ids stand with commas between"));
            }
        }
        Ok(())
    }

    fn what_is_taken(&self) -> String {
        if self.names.is_empty() {
            return "is not taken here: this call has no parameters in its query".to_owned();
        }
        format!("is not taken here; what is taken is {}", self.names.join(", "))
    }
}

/// The name of a parameter, where it looks like one: it may be anything.
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

/// Refuses a query that does not fit, at once where anybody may call.
pub(crate) async fn check_query(State(queries): State<Arc<Queries>>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if let (Some(_), Some(path)) = (request.uri().query(), path)
        && let Some((failure, is_secured)) = queries.check(request.method(), path, request.uri())
    {
        if !is_secured {
            return Problem::from(failure).into_response();
        }
        request.extensions_mut().insert(Misfit(failure));
    }
    next.run(request).await
}

/// Refuses it once it is known who asks: for the extractors of callers.
pub(crate) fn fitting_query(parts: &Parts) -> Result<(), Failure> {
    parts.extensions.get::<Misfit>().map_or(Ok(()), |Misfit(failure)| Err(failure.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str) -> Option<(String, String)> {
        let taken = Taken { names: vec!["start".into(), "employeeId".into()], is_secured: true };
        let uri: Uri = format!("/x?{query}").parse().expect("a path");
        let failure = taken.check(&uri).err()?;
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
    fn what_is_given_twice_is_refused() {
        for query in ["start=1&start=1", "employeeId=a&start=1&employeeId=b", "start=1&%73tart=2"] {
            assert!(check(query).is_some_and(|(_, message)| message.starts_with("must be given once")), "{query}");
        }
    }
}
