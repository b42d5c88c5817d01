//! The address of the client: the peer address of the connection, or the address that a trusted
//! proxy names in a header.

mod forwarded;
mod proxies;

use std::net::IpAddr;

pub(crate) use proxies::TrustedProxies;

/// The address of the client, as an extension of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);
