use axum::{
    Router,
    extract::Request,
    http::{
        Uri,
        uri::{Parts, PathAndQuery},
    },
};
use tower::{Layer, util::MapRequestLayer};

/// The same routes with a slash at their end, as scripts write them.
pub(super) fn with_and_without(router: Router) -> Router {
    // A layer of the router itself would come too late: it has chosen the route by then.
    Router::new().fallback_service(MapRequestLayer::new(without_slash).layer(router))
}

fn without_slash(mut request: Request) -> Request {
    if let Some(uri) = trimmed(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

/// Without the slashes at the end of the path, where there are any. The documentation's pages need theirs.
fn trimmed(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let shorter = path.trim_end_matches('/');
    if shorter.len() == path.len() || shorter.is_empty() || shorter.starts_with("/docs") {
        return None;
    }
    let path_and_query = match uri.query() {
        Some(query) => format!("{shorter}?{query}"),
        None => shorter.to_owned(),
    };
    let mut parts: Parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path_and_query).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_is_taken_off_and_nothing_else() {
        for (uri, expected) in [
            ("/api/v1/employee/", Some("/api/v1/employee")),
            ("/api/v1/task//?projectId=%2F", Some("/api/v1/task?projectId=%2F")),
            ("/healthz/", Some("/healthz")),
            ("http://example.org/api/auth/me/?", Some("http://example.org/api/auth/me?")),
            ("/api/v1/employee", None),
            ("/api/v1/task?x=/", None),
            ("/", None),
            ("//", None),
            ("/docs/", None),
        ] {
            let uri: Uri = uri.parse().expect("a URI");
            assert_eq!(trimmed(&uri).map(|uri| uri.to_string()).as_deref(), expected, "{uri}");
        }
    }
}
