use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, header::FORWARDED};
use ipnet::IpNet;
use kit::config::Refused;

use super::forwarded::{forwarded, x_forwarded_for};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies that may name the address of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Parses a list of addresses and networks, separated by commas. A network with every address
    /// is refused.
    pub(crate) fn parse(text: &str) -> Result<Self, Refused> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(network).collect::<Option<_>>().map(Self).ok_or_else(|| {
            Refused(
                "TRUSTED_PROXIES must be addresses or networks such as 10.0.0.7 or 10.1.0.0/16, with commas between, \
                 and never every address"
                    .into(),
            )
        })
    }

    /// Whether this address is a trusted proxy.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The address of the client. A peer that is no trusted proxy is the client itself. Otherwise
    /// the client is the last address in the headers that is no trusted proxy, or the first address
    /// if all are trusted, or the peer without such headers. Addresses before the last untrusted
    /// one may be made up by the client, so they are ignored.
    ///
    /// A proxy may set one of the two headers and pass on the other as the client sent it.
    /// Therefore the peer counts as the client when the headers name different clients, or when one
    /// of them is malformed or has an element without an address after the last untrusted address.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.contain(peer) {
            return peer;
        }
        let new = self.named(peer, headers, &FORWARDED, forwarded);
        let old = self.named(peer, headers, &X_FORWARDED_FOR, x_forwarded_for);
        match (new, old) {
            (Some(one), Some(other)) if one != other => peer,
            (Some(Some(named)), _) | (None, Some(Some(named))) => named,
            _ => peer,
        }
    }

    /// The client that a header names. `None` when the header is missing; `Some(None)` when it is
    /// malformed, or when an element without an address comes after the last untrusted address.
    fn named(
        &self,
        peer: IpAddr,
        headers: &HeaderMap,
        name: &HeaderName,
        read: fn(&str) -> Option<Vec<Option<IpAddr>>>,
    ) -> Option<Option<IpAddr>> {
        let lines: Vec<_> = headers.get_all(name).iter().collect();
        if lines.is_empty() {
            return None;
        }
        let mut nearest = peer;
        for line in lines.into_iter().rev() {
            let Some(hops) = line.to_str().ok().and_then(read) else { return Some(None) };
            for hop in hops.into_iter().rev() {
                match hop {
                    None => return Some(None),
                    Some(hop) if !self.contain(hop) => return Some(Some(hop)),
                    Some(hop) => nearest = hop,
                }
            }
        }
        Some(Some(nearest))
    }
}

fn network(text: &str) -> Option<IpNet> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    (network.prefix_len() > 0).then(|| network.trunc())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn client(peer: &str, headers: &[(&'static str, &'static str)]) -> IpAddr {
        let proxies = TrustedProxies::parse("10.0.0.0/8, 192.168.1.1, 2001:db8::/64").expect("proxies");
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .fold(HeaderMap::new(), |mut all, (name, value)| {
                all.append(name, value);
                all
            });
        proxies.client(ip(peer), &headers)
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        let lie = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")];
        assert_eq!(client("192.0.2.9", &lie), ip("192.0.2.9"));
        assert_eq!(client("10.1.2.3", &lie), ip("192.0.2.1"));
        assert_eq!(client("::ffff:10.1.2.3", &lie[..1]), ip("192.0.2.1"));
        assert_eq!(client("2001:db8::1", &lie[1..]), ip("192.0.2.1"));
        assert_eq!(client("10.1.2.3", &[]), ip("10.1.2.3"));
    }

    #[test]
    fn what_the_client_wrote_itself_is_not_believed() {
        let chain = [("x-forwarded-for", "203.0.113.1, 192.0.2.7, 10.0.0.2")];
        assert_eq!(client("192.168.1.1", &chain), ip("192.0.2.7"));
        let lines =
            [("x-forwarded-for", "203.0.113.1"), ("x-forwarded-for", "192.0.2.7"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(client("192.168.1.1", &lines), ip("192.0.2.7"));
        // Anything before the nearest untrusted address is ignored, even when it is malformed.
        assert_eq!(client("10.0.0.1", &[("forwarded", "for=\""), ("forwarded", "for=192.0.2.7")]), ip("192.0.2.7"));
        // A proxy that sets only one of the headers passes on the other as the client sent it. The
        // headers differ, so the peer counts as the client.
        let both = [("forwarded", "for=203.0.113.1"), ("x-forwarded-for", "192.0.2.7")];
        assert_eq!(client("10.0.0.1", &both), ip("10.0.0.1"));
    }

    #[test]
    fn what_cannot_be_made_out_is_the_proxy() {
        for bad in ["192.0.2.1, ann", "192.0.2.1, unknown", ","] {
            assert_eq!(client("10.0.0.1", &[("x-forwarded-for", bad)]), ip("10.0.0.1"), "{bad}");
        }
        assert_eq!(client("10.0.0.1", &[("forwarded", "for=192.0.2.1, for=_hidden")]), ip("10.0.0.1"));
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "10.0.0.9, 10.0.0.8")]), ip("10.0.0.9"));
    }

    #[test]
    fn every_address_cannot_be_trusted() {
        for bad in ["0.0.0.0/0", "::/0", "ann", "10.0.0.0/33", "10.0.0.1 10.0.0.2"] {
            assert!(TrustedProxies::parse(bad).is_err(), "{bad}");
        }
        for good in ["", " 10.0.0.1/8 , ::1,", "127.0.0.1"] {
            assert!(TrustedProxies::parse(good).is_ok(), "{good}");
        }
    }
}
