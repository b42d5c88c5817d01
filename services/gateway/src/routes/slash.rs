use axum::{Router, extract::Request, http::Uri};
use kit::PublicUrl;
use tower::{Layer, util::MapRequestLayer};

use super::under_path::{stripped, with_path};

/// Serves the routes also under paths that end with a slash, which some scripts send.
pub(super) fn with_and_without(url: &PublicUrl, router: Router) -> Router {
    // A layer that is added to the router runs only after the route was chosen. The path must be
    // changed before that.
    let base = url.base().to_owned();
    let layer = MapRequestLayer::new(move |request| without_slash(&base, request));
    Router::new().fallback_service(layer.layer(router))
}

fn without_slash(base: &str, mut request: Request) -> Request {
    if let Some(uri) = trimmed(base, request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

/// The URI without the slashes at the end of its path; `None` if nothing changes. Paths of the
/// documentation keep their slash, because its pages need it.
fn trimmed(base: &str, uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let shorter = path.trim_end_matches('/');
    let ours = stripped(base, shorter).unwrap_or(shorter);
    if shorter.len() == path.len() || shorter.is_empty() || ours.starts_with("/docs") {
        return None;
    }
    with_path(uri, shorter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_of_the_documentation_keep_theirs_under_the_path_of_a_proxy_too() {
        let trimmed = |uri: &'static str| trimmed("/t3", &Uri::from_static(uri)).map(|uri| uri.to_string());
        assert_eq!(trimmed("/t3/docs/"), None);
        assert_eq!(trimmed("/docs/"), None);
        assert_eq!(trimmed("/t3/api/auth/me/").as_deref(), Some("/t3/api/auth/me"));
        assert_eq!(trimmed("/t3/").as_deref(), Some("/t3"));
    }

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
            assert_eq!(trimmed("", &uri).map(|uri| uri.to_string()).as_deref(), expected, "{uri}");
        }
    }
}
