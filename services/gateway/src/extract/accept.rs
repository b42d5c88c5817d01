//! The header `Accept` (RFC 9110, 12.5.1).

use axum::http::{HeaderMap, header};

/// The quality value that `Accept` gives to a media type; `None` when the header does not name the
/// type explicitly.
pub(super) fn quality(headers: &HeaderMap, kind: &str) -> Option<f32> {
    let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    ranges.flat_map(|value| value.split(',')).find_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_it = parts.next()?.eq_ignore_ascii_case(kind);
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        is_it.then_some(quality.unwrap_or(1.0))
    })
}

/// Whether the response should be HTML: `Accept` names HTML, and gives it no lower quality than
/// JSON. Browsers name HTML; other programs usually do not.
pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    let json = ["application/json", "application/problem+json"].map(|kind| quality(headers, kind).unwrap_or(0.0));
    quality(headers, "text/html").is_some_and(|html| html > 0.0 && json.iter().all(|json| html >= *json))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_page_comes_only_to_those_who_name_html() {
        for (accept, html) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("Text/HTML", true),
            ("application/json;q=0.5, text/html", true),
            ("*/*", false),
            ("", false),
            ("application/json", false),
            ("application/json, text/html;q=0.9", false),
            ("text/html;q=0", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(wants_html(&headers), html, "{accept}");
        }
    }
}
