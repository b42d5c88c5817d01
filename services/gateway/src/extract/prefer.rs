//! The header `Prefer` (RFC 7240).

use axum::http::HeaderMap;

/// The response header that names the preferences that were applied.
pub(crate) const APPLIED: &str = "preference-applied";
/// The preference for a response before the work is done (RFC 7240, 4.1).
pub(crate) const RESPOND_ASYNC: &str = "respond-async";

/// Whether the caller prefers not to wait for the work.
pub(crate) fn prefers_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| split(value, ',')).any(|preference| {
        // The parameters of the preference have no meaning here.
        let preference = split(preference, ';').next().unwrap_or_default();
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        // RFC 7240 defines that an empty value means the same as no value.
        let is_plain = matches!(value.trim(), "" | "\"\"");
        name.trim().eq_ignore_ascii_case(RESPOND_ASYNC) && is_plain
    })
}

/// Splits a text at the separators outside of quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |c: char| {
        if is_quoted {
            let ends = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_quoted = !ends;
            return false;
        }
        is_quoted = c == '"';
        c == separator
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn asks(values: &[&str]) -> bool {
        let value = |value: &&str| (HeaderName::from_static("prefer"), HeaderValue::from_str(value).expect("a header"));
        prefers_async(&values.iter().map(value).collect())
    }

    #[test]
    fn the_preference_is_found_in_any_case_with_parameters_and_among_others() {
        for values in [
            &["respond-async"][..],
            &["Respond-Async"],
            &["respond-async, wait=10"],
            &["wait=10", "respond-async"],
            &["handling=lenient; a=\"b, c\" , respond-async;foo=\"x;y\""],
            &["respond-async ; x"],
            &["respond-async=\"\""],
            &["return=\"a\\\", \", respond-async"],
        ] {
            assert!(asks(values), "{values:?}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_none() {
        for values in [
            &[][..],
            &["return=minimal"],
            &["respond-asynchronously"],
            &["foo=\"respond-async\""],
            &["foo=\"a, respond-async, b\""],
            &["foo; respond-async"],
            &["respond-async=no"],
        ] {
            assert!(!asks(values), "{values:?}");
        }
    }
}
