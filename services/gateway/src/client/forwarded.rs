//! Parsers of the headers `Forwarded` (RFC 7239) and `X-Forwarded-For`, in which proxies name the
//! client and the proxies before them.

use std::net::{IpAddr, SocketAddr};

/// Parses a line of `Forwarded` into addresses, the client first. An element is `None` for a node
/// without an address (`unknown`, `_hidden`). The result is `None` when the line is malformed.
pub(super) fn forwarded(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let elements = split(line, ',')?;
    elements.into_iter().filter(|element| !element.is_empty()).map(node).collect()
}

/// Parses a line of `X-Forwarded-For`, with the same kind of result as `forwarded`.
pub(super) fn x_forwarded_for(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let hops = line.split(',').map(str::trim).filter(|hop| !hop.is_empty());
    hops.map(|hop| if hop == "unknown" { Some(None) } else { address(hop).map(Some) }).collect()
}

/// The address in the parameter `for` of an element. The inner value is `None` when there is no
/// address. The outer value is `None` when the element is malformed or has two parameters `for`.
fn node(element: &str) -> Option<Option<IpAddr>> {
    let mut found = None;
    for pair in split(element, ';')? {
        let (name, value) = pair.split_once('=')?;
        if !name.eq_ignore_ascii_case("for") {
            continue;
        }
        if found.is_some() {
            return None;
        }
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"')?,
            None => value,
        };
        let has_address = !value.starts_with('_') && !value.to_ascii_lowercase().starts_with("unknown");
        found = Some(if has_address { Some(address(value)?) } else { None });
    }
    Some(found.flatten())
}

/// Parses an IP address with or without a port. An IPv6 address may be in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    parsed.ok().map(|address| address.to_canonical())
}

/// Splits a text at separators outside of quotes. Returns `None` when a quote is not closed.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            c if c == separator && !is_quoted => {
                parts.push(text[start..at].trim());
                start = at + separator.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    (!is_quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn the_examples_of_rfc_7239_are_read() {
        let read = |line| forwarded(line).expect("well-formed");
        assert_eq!(read("for=\"_gazonk\""), [None]);
        assert_eq!(read("For=\"[2001:db8:cafe::17]:4711\""), [ip("2001:db8:cafe::17")]);
        assert_eq!(read("for=192.0.2.60;proto=http;by=203.0.113.43"), [ip("192.0.2.60")]);
        assert_eq!(read("for=192.0.2.43, for=198.51.100.17"), [ip("192.0.2.43"), ip("198.51.100.17")]);
        assert_eq!(
            read("for=192.0.2.43, for=\"[2001:db8:cafe::17]\",for=unknown"),
            [ip("192.0.2.43"), ip("2001:db8:cafe::17"), None]
        );
        assert_eq!(read("for=\"192.0.2.43:47011\";host=\"a,b;for=1.2.3.4\""), [ip("192.0.2.43")]);
        assert_eq!(read("proto=https"), [None]);
    }

    #[test]
    fn what_is_malformed_is_nothing() {
        for bad in ["for", "for=", "for=ann", "for=\"1.2.3.4", "for=1.2.3.4;for=1.2.3.5", "for=1.2.3.4 for=1.2.3.5"] {
            assert_eq!(forwarded(bad), None, "{bad}");
        }
        for bad in ["ann", "1.2.3", "1.2.3.4;1.2.3.5", "\"1.2.3.4\"", "fe80::1%eth0"] {
            assert_eq!(x_forwarded_for(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_list_of_old_is_read_with_and_without_ports() {
        let read = |line| x_forwarded_for(line).expect("well-formed");
        let hops = read("192.0.2.1, 192.0.2.2:4711, 2001:db8::1, [2001:db8::2], [2001:db8::3]:80,unknown");
        let expected = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8::3"].map(ip);
        assert_eq!(hops[..5], expected);
        assert_eq!(hops[5], None);
        assert_eq!(read("::ffff:192.0.2.1"), [ip("192.0.2.1")]);
        assert_eq!(read(""), []);
    }
}
