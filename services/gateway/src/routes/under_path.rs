//! Serves the routes below the path that a proxy gives to the gateway, such as `/t3`.

use axum::{
    Router,
    extract::Request,
    http::{
        HeaderMap, HeaderValue, Uri, header,
        uri::{Parts, PathAndQuery},
    },
    response::Response,
};
use kit::PublicUrl;
use tower::{
    Layer,
    util::{MapRequestLayer, MapResponseLayer},
};

/// Serves the routes below the proxy's path. The proxy may remove this path from requests or leave
/// it in. The path is added to the headers `Location` and `Link` of responses.
pub(super) fn under_path(url: &PublicUrl, router: Router) -> Router {
    if url.base().is_empty() {
        return router;
    }
    let (asked, named) = (url.base().to_owned(), url.base().to_owned());
    let without = MapRequestLayer::new(move |request| without(&asked, request)).layer(router.clone());
    // A path is first matched with the routes as it is. Otherwise, if the proxy's path was `/api`,
    // that part would be removed from `/api/v1/task`, although it belongs to the route.
    let both = router.fallback_service(without);
    let with = MapResponseLayer::new(move |mut response: Response| {
        name(&named, response.headers_mut());
        response
    });
    Router::new().fallback_service(with.layer(both))
}

/// The path without the proxy's path in front; `None` if the path is not below the proxy's path.
pub(super) fn stripped<'a>(base: &str, path: &'a str) -> Option<&'a str> {
    let rest = path.strip_prefix(base)?;
    match rest {
        "" => Some("/"),
        _ => rest.starts_with('/').then_some(rest),
    }
}

fn without(base: &str, mut request: Request) -> Request {
    if let Some(uri) = without_base(base, request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn without_base(base: &str, uri: &Uri) -> Option<Uri> {
    with_path(uri, stripped(base, uri.path())?)
}

/// The URI with another path and the same query.
pub(super) fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts: Parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path_and_query).ok()?);
    Uri::from_parts(parts).ok()
}

fn name(base: &str, headers: &mut HeaderMap) {
    for (header, start) in [(header::LOCATION, "/"), (header::LINK, "</")] {
        let before = start.trim_end_matches('/');
        let named = headers.get(&header).filter(|value| value.as_bytes().starts_with(start.as_bytes()));
        let named = named.map(|value| [before.as_bytes(), base.as_bytes(), &value.as_bytes()[before.len()..]].concat());
        // The conversion cannot fail: the header was valid, and only a valid path is added.
        if let Some(named) = named.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
            headers.insert(header, named);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_the_proxy_is_taken_off_and_nothing_that_only_begins_like_it() {
        for (uri, expected) in [
            ("/t3/api/v1/task?projectId=/t3/x", Some("/api/v1/task?projectId=/t3/x")),
            ("http://example.org/t3/docs/", Some("http://example.org/docs/")),
            ("/t3/", Some("/")),
            ("/t3", Some("/")),
            ("/t3?x=1", Some("/?x=1")),
            ("/t3x/docs", None),
            ("/docs", None),
            ("/x/t3/docs", None),
        ] {
            let uri: Uri = uri.parse().expect("a URI");
            assert_eq!(without_base("/t3", &uri).map(|uri| uri.to_string()).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn headers_name_paths_as_the_proxy_serves_them() {
        let named = |header: header::HeaderName, value: &'static str| {
            let mut headers = HeaderMap::from_iter([(header.clone(), HeaderValue::from_static(value))]);
            name("/t3", &mut headers);
            headers[header].to_str().expect("text").to_owned()
        };
        assert_eq!(named(header::LOCATION, "/api/v1/task/1"), "/t3/api/v1/task/1");
        assert_eq!(named(header::LOCATION, "https://example.org/"), "https://example.org/");
        assert_eq!(
            named(header::LINK, "</api/v1/task?cursor=x>; rel=\"next\""),
            "</t3/api/v1/task?cursor=x>; rel=\"next\""
        );
        assert_eq!(named(header::LINK, "<https://example.org/>; rel=\"help\""), "<https://example.org/>; rel=\"help\"");
    }
}
