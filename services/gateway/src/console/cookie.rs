//! The cookies of the pages: the session cookie, whose token is valid for eight hours and is
//! renewed when pages are opened, and the cookie with the time zone.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use contracts::Secret;

use super::refresh::is_refresh;
use crate::App;

/// The lifetime of the session cookie and of its token, in seconds: eight hours.
pub(super) const SECONDS: i64 = 8 * 3_600;
/// The age, in seconds, that the token in the session cookie must have before it is renewed.
const RENEWED_AFTER: i64 = 600;
/// The name of the cookie with the reader's time zone.
pub(super) const ZONE: &str = "t3-zone";
/// The lifetime of the time zone cookie in seconds: a year.
const ZONE_SECONDS: i64 = 31_536_000;

/// Which name and attributes the session cookie has. The prefix `__Host-` makes sure that no other
/// host can set the cookie and that browsers send it over https only. Browsers refuse this prefix
/// over plain http, so the cookie has another name for a browser that uses plain http on the
/// gateway's own machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    OverHttps,
    OnThisMachine,
}

impl Manner {
    fn of(app: &App, headers: &HeaderMap) -> Self {
        Self::told(app.base.link("").starts_with("https://"), headers)
    }

    /// The manner for a request with these headers. `is_public_https` says whether `PUBLIC_URL` is
    /// https.
    fn told(is_public_https: bool, headers: &HeaderMap) -> Self {
        if is_here(headers) && !is_public_https && !is_https(headers) { Self::OnThisMachine } else { Self::OverHttps }
    }

    fn name(self) -> &'static str {
        match self {
            Self::OverHttps => "__Host-t3",
            Self::OnThisMachine => "t3",
        }
    }

    fn set(self, name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
        let secure = if self == Self::OverHttps { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).ok()
    }
}

/// Whether the browser addresses the gateway by a name or address that always means the browser's
/// own machine.
fn is_here(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Whether a proxy reports in a header that the browser uses https.
fn is_https(headers: &HeaderMap) -> bool {
    let says =
        |name: &str, word: &str| {
            headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).any(|value| {
                value.to_ascii_lowercase().split([',', ';']).any(|part| part.trim().trim_matches('"') == word)
            })
        };
    says("x-forwarded-proto", "https") || says("forwarded", "proto=https") || says("forwarded", "proto=\"https\"")
}

/// Whether browsers would drop the session cookie: they do so over plain http to another machine.
pub(super) fn is_refused(app: &App, headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    Manner::of(app, headers) == Manner::OverHttps && origin.is_some_and(|origin| origin.starts_with("http://"))
}

/// The token in the session cookie of the request.
pub(super) fn token<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    value(headers, Manner::of(app, headers).name())
}

/// The value of the cookie with this name in the request.
pub(super) fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Sets the session cookie to this token.
pub(super) fn give(app: &App, asked: &HeaderMap, response: &mut Response, token: &Secret) {
    let manner = Manner::of(app, asked);
    add(response, manner.set(manner.name(), token.expose(), SECONDS));
}

/// Removes the session cookie.
pub(super) fn take(app: &App, asked: &HeaderMap, response: &mut Response) {
    let manner = Manner::of(app, asked);
    add(response, manner.set(manner.name(), "", 0));
}

/// Sets the cookie with the reader's time zone.
pub(super) fn give_zone(app: &App, asked: &HeaderMap, response: &mut Response, zone: &str) {
    add(response, Manner::of(app, asked).set(ZONE, zone, ZONE_SECONDS));
}

fn add(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Renews the session cookie when a page is opened. A request by which an open page refreshes
/// itself does not renew the cookie, because a person who has left an open page must be logged out
/// in the end.
pub(super) async fn slide(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let asked = request.headers().clone();
    let mut response = next.run(request).await;
    let is_ours = response.status().is_success() && !response.headers().contains_key(header::SET_COOKIE);
    if is_ours
        && !is_refresh(&asked)
        && let Some(token) = token(&app, &asked)
        && let Some(renewed) = app.tokens.renewed(token, SECONDS, RENEWED_AFTER, app.clock.now())
    {
        give(&app, &asked, &mut response, &renewed);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_plain_http_on_this_machine_has_a_cookie_without_the_prefix() {
        for (asked, name) in [
            (&[("host", "127.0.0.1:8000")][..], "t3"),
            (&[("host", "localhost")], "t3"),
            (&[("host", "[::1]:8000")], "t3"),
            (&[("host", "time.example.org")], "__Host-t3"),
            (&[("host", "localhost.example.org")], "__Host-t3"),
            (&[("host", "10.0.0.7:8000")], "__Host-t3"),
            (&[], "__Host-t3"),
            (&[("host", "127.0.0.1:8000"), ("x-forwarded-proto", "https")], "__Host-t3"),
            (&[("host", "127.0.0.1:8000"), ("forwarded", "for=192.0.2.1;proto=https")], "__Host-t3"),
            (&[("host", "127.0.0.1:8000"), ("x-forwarded-proto", "http")], "t3"),
        ] {
            assert_eq!(Manner::told(false, &headers(asked)).name(), name, "{asked:?}");
            assert_eq!(Manner::told(true, &headers(asked)).name(), "__Host-t3", "{asked:?}");
        }
    }

    #[test]
    fn what_others_set_is_not_taken_for_ours() {
        let token = |cookie: &'static str, host| {
            let headers = headers(&[("host", host), ("cookie", cookie)]);
            value(&headers, Manner::told(false, &headers).name()).map(str::to_owned)
        };
        assert_eq!(token("a=1; __Host-t3=x; t3=y", "time.example.org"), Some("x".into()));
        assert_eq!(token("t3=y", "time.example.org"), None);
        assert_eq!(token("t3-zone=UTC; t3=y", "localhost:8000"), Some("y".into()));
        assert_eq!(token("nott3=y", "localhost:8000"), None);
    }

    #[test]
    fn no_script_can_read_it_and_no_other_site_can_use_it() {
        let text = |manner: Manner| {
            let cookie = manner.set(manner.name(), "x", 60).expect("a header");
            cookie.to_str().expect("text").to_owned()
        };
        let plain = "Path=/; Max-Age=60; HttpOnly; SameSite=Lax";
        assert_eq!(text(Manner::OverHttps), format!("__Host-t3=x; {plain}; Secure"));
        assert_eq!(text(Manner::OnThisMachine), format!("t3=x; {plain}"));
    }
}
