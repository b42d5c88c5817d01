//! Free ports on loopback.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};

use crate::folder;

/// The ports to choose from, below the ports that Linux uses for outgoing connections (32768 and
/// up). There, a connection could take the port of a server that restarts, and a client that
/// retries a dead server could even connect to itself.
const RANGE: std::ops::Range<u16> = 20_000..32_768;

/// The offset in the range at which the next search begins. Each process starts at a random offset,
/// and takes no port a second time before it has tried all ports.
static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(RandomState::new().build_hasher().finish() >> 1));

/// A port without a listener. Another process may take the port before the caller uses it; then the
/// caller must try another one.
fn free() -> io::Result<u16> {
    for _ in 0..1_000 {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed) % u64::from(RANGE.end - RANGE.start);
        let port = RANGE.start + u16::try_from(offset).unwrap_or_default();
        if is_free(port) {
            return Ok(port);
        }
    }
    Err(io::Error::other(format!("no free port between {} and {} on 127.0.0.1", RANGE.start, RANGE.end)))
}

/// Whether the port has no listener.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// `N` ports without listeners.
///
/// # Errors
/// When there are not enough such ports.
pub fn some_free<const N: usize>() -> io::Result<[u16; N]> {
    let mut ports = [0; N];
    for port in &mut ports {
        *port = free()?;
    }
    Ok(ports)
}

/// The ports that the last start in this folder used, if all of them are free.
pub(crate) fn remembered<const N: usize>(folder: &Path) -> Option<[u16; N]> {
    let text = std::fs::read_to_string(folder.join("ports")).ok()?;
    let ports: Vec<u16> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let ports = <[u16; N]>::try_from(ports).ok()?;
    ports.iter().all(|port| is_free(*port)).then_some(ports)
}

/// Stores the ports for the next start in this folder, so that the addresses stay the same.
pub(crate) fn remember(folder: &Path, ports: &[u16]) -> Result<()> {
    let path = folder.join("ports");
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    folder::write(&path, &ports.join(" ")).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_taken_and_is_no_longer_free_then() {
        let port = free().unwrap();
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(RANGE.contains(&port));
        assert!(!is_free(port));
    }

    #[test]
    fn the_ports_of_the_last_start_are_used_again_unless_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(remembered::<1>(folder.path()), None);
        let ports = some_free::<2>().unwrap();
        remember(folder.path(), &ports).unwrap();
        assert_eq!(remembered(folder.path()), Some(ports));
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, ports[1])).unwrap();
        assert_eq!(remembered::<2>(folder.path()), None);
    }
}
