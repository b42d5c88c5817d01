//! Where a request comes from: the socket's other end, or whom a trusted proxy names.

mod forwarded;
mod proxies;

use std::net::IpAddr;

pub(crate) use proxies::TrustedProxies;

/// The address of the client, as it goes along with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);
