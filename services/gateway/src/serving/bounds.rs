use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use kit::client_network;

use super::{Connections, metrics::ConnectionMetrics};
use crate::client::TrustedProxies;

/// The default limit of connections, if the process has enough file descriptors. It also limits the
/// memory that they take.
const MOST: u64 = 10_000;
/// The number of file descriptors that are kept for NATS, for files, and for the other services of
/// a process that runs the whole system.
const RESERVED_DESCRIPTORS: u64 = 512;

/// The number of connections below which returning their memory is not worthwhile.
const LEAST_RELEASED: usize = 256;

/// The reason why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The limit for all connections together is reached.
    ForAll,
    /// The limit for the client's network address is reached.
    ForAddress,
    /// The operating system has no file descriptor or no memory for the connection.
    BySystem,
}

impl Refused {
    /// The names of the reasons, as label values of the metric.
    pub(crate) const ALL: [&'static str; 3] = ["all", "address", "system"];
}

/// The limits of connections, and the number of open connections.
#[derive(Clone, Debug)]
pub(super) struct Bounds(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    /// The limit for one network address; `None` if there is no such limit.
    most_an_address: Option<usize>,
    /// The trusted proxies. The limit for one address does not apply to them, because each has many
    /// clients.
    proxies: TrustedProxies,
    open: Mutex<Open>,
    metrics: ConnectionMetrics,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    /// The largest number of open connections since `most_are_gone` last returned true.
    peak: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Bounds {
    pub(super) fn new(
        settings: &Connections,
        proxies: TrustedProxies,
        descriptors: u64,
        metrics: &ConnectionMetrics,
    ) -> Self {
        // If there are few descriptors, at most half of them are kept for other uses.
        let left = descriptors.saturating_sub(RESERVED_DESCRIPTORS).max(descriptors / 2);
        let most = settings.http_max_connections.map_or(left.min(MOST), |most| u64::from(most).min(left));
        let most = usize::try_from(most.max(1)).unwrap_or(usize::MAX);
        if settings.http_max_connections.is_some_and(|wanted| wanted as usize > most) {
            tracing::warn!(most, descriptors, "HTTP_MAX_CONNECTIONS is more than the limit of open files allows");
        }
        let most_an_address = match settings.http_max_connections_per_address {
            Some(0) => None,
            Some(most) => Some(most as usize),
            None => Some(most.div_ceil(2)),
        };
        metrics.most.set(most as i64);
        Self(Arc::new(Inner { most, most_an_address, proxies, open: Mutex::default(), metrics: metrics.clone() }))
    }

    /// Counts a connection, if the limits allow it. It is counted until the returned [`Place`] is
    /// dropped.
    pub(super) fn place(&self, address: IpAddr) -> Result<Place, Refused> {
        let (inner, is_proxy, address) = (&*self.0, self.0.proxies.contain(address), client_network(address));
        let mut open = inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= inner.most {
            return Err(Refused::ForAll);
        }
        if let Some(most) = inner.most_an_address.filter(|_| !is_proxy) {
            let own = open.by_address.entry(address).or_default();
            if *own >= most {
                return Err(Refused::ForAddress);
            }
            *own += 1;
        }
        open.all += 1;
        open.peak = open.peak.max(open.all);
        inner.metrics.open.inc();
        Ok(Place { bounds: self.clone(), address })
    }

    /// Whether the number of open connections has fallen to at most half of its peak, if the peak
    /// was at least [`LEAST_RELEASED`]. Returns true only once for each such decrease.
    pub(super) fn most_are_gone(&self) -> bool {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        let are_gone = open.peak >= LEAST_RELEASED && open.all <= open.peak / 2;
        if are_gone {
            open.peak = open.all;
        }
        are_gone
    }
}

/// One counted connection, which stops being counted when this value is dropped.
#[derive(Debug)]
pub(super) struct Place {
    bounds: Bounds,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let inner = &*self.bounds.0;
        let mut open = inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        inner.metrics.open.dec();
        if let Some(own) = open.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::Service;
    use kit::Metrics;

    use super::*;

    fn bounds(most: Option<u32>, an_address: Option<u32>, descriptors: u64) -> Bounds {
        let settings = Connections {
            http_max_connections: most,
            http_max_connections_per_address: an_address,
            ..Connections::default()
        };
        let proxies = TrustedProxies::parse("10.9.0.0/16").expect("a network");
        Bounds::new(&settings, proxies, descriptors, &ConnectionMetrics::new(&Metrics::new(Service::Gateway)))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_place_is_free_again_once_its_connection_is_closed() {
        let bounds = bounds(Some(3), Some(2), 10_000);
        let (one, other) = (address("10.0.0.1"), address("10.0.0.2"));
        let first = bounds.place(one).expect("a place");
        let _second = bounds.place(one).expect("a place");
        assert_eq!(bounds.place(one).err(), Some(Refused::ForAddress));
        let _third = bounds.place(other).expect("a place");
        assert_eq!(bounds.place(other).err(), Some(Refused::ForAll));
        drop(first);
        let _fourth = bounds.place(one).expect("a place");
        assert_eq!(bounds.place(other).err(), Some(Refused::ForAll));
    }

    #[test]
    fn that_most_of_many_connections_are_gone_is_told_once() {
        let bounds = bounds(None, Some(0), 10_000);
        let many = |count| (0..count).map(|_| bounds.place(address("10.0.0.1"))).collect::<Result<Vec<_>, _>>();
        drop(many(LEAST_RELEASED - 1).expect("places"));
        assert!(!bounds.most_are_gone(), "too few");
        let mut all = many(2 * LEAST_RELEASED).expect("places");
        assert!(!bounds.most_are_gone());
        all.truncate(LEAST_RELEASED);
        assert!(bounds.most_are_gone());
        assert!(!bounds.most_are_gone());
        drop(all);
        assert!(bounds.most_are_gone());
    }

    #[test]
    fn the_bounds_come_from_the_descriptors_and_one_address_has_half() {
        assert_eq!(bounds(None, None, 1_000_000).0.most, 10_000);
        assert_eq!(bounds(None, None, 4_096).0.most, 3_584);
        assert_eq!(bounds(None, None, 256).0.most, 128);
        assert_eq!(bounds(Some(50_000), None, 4_096).0.most, 3_584);
        assert_eq!(bounds(None, None, 1_000_000).0.most_an_address, Some(5_000));
        assert_eq!(bounds(None, Some(0), 1_000_000).0.most_an_address, None);
    }

    #[test]
    fn a_trusted_proxy_is_held_to_the_bound_of_all_alone() {
        let bounds = bounds(Some(3), Some(1), 10_000);
        let (proxy, other) = (address("10.9.0.1"), address("10.0.0.1"));
        let _places = [bounds.place(proxy).expect("a place"), bounds.place(proxy).expect("a place")];
        let one = bounds.place(other).expect("a place");
        assert_eq!(bounds.place(proxy).err(), Some(Refused::ForAll));
        drop(one);
        let _third = bounds.place(proxy).expect("a place");
    }
}
