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

/// Below the ports (32768 and up) that Linux gives to outgoing connections. From that range a
/// server that is started again could find its port taken by somebody's connection, and a client
/// that keeps trying a dead server there can end up connected to itself.
const RANGE: std::ops::Range<u16> = 20_000..32_768;

/// How far into the range the next port is; a process begins anywhere, and never takes one twice
/// before it has been through all.
static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(RandomState::new().build_hasher().finish() >> 1));

/// A port that nobody listens on now. Somebody may be faster: the caller tries again then.
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

/// Whether nobody listens on the port now.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// As many ports as asked for, on which nobody listens now.
///
/// # Errors
/// When there are none.
pub fn some_free<const N: usize>() -> io::Result<[u16; N]> {
    let mut ports = [0; N];
    for port in &mut ports {
        *port = free()?;
    }
    Ok(ports)
}

/// The ports of the last start in the folder, if they are free now.
pub(crate) fn remembered<const N: usize>(folder: &Path) -> Option<[u16; N]> {
    let text = std::fs::read_to_string(folder.join("ports")).ok()?;
    let ports: Vec<u16> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let ports = <[u16; N]>::try_from(ports).ok()?;
    ports.iter().all(|port| is_free(*port)).then_some(ports)
}

/// Keeps the ports for the next start, so that addresses stay what they were.
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
