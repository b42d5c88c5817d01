//! A network in which each server has an address, a network namespace and a disk of its own, so
//! that servers can be cut off, slowed down, and run out of disk space. It is made of namespaces,
//! nftables rules, tc queues and tmpfs mounts, which the Linux kernel removes when this process
//! ends. If the machine or the user does not allow it, the servers are on loopback, and the faults
//! that need the network are left out.

use std::{
    fmt::Write as _,
    io::Write,
    net::Ipv4Addr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use bench::fleet::{Cluster, Seat};
use servers::Place;
use tempfile::TempDir;

use super::fault::FaultKind;

/// The number of servers of each kind.
pub(crate) const NODES: usize = 3;
/// The environment variable that is set when the process is in namespaces of its own already.
const ENTERED: &str = "T3_CHAOS_NAMESPACES";
/// The folder in which `ip netns` stores the names of network namespaces, and the folder of the
/// disks. This process has a mount namespace of its own, so other processes do not see the changes
/// in these folders.
const NAMES: &str = "/run/netns";
const DISKS: &str = "/mnt";
/// The name of the bridge between the servers, and the address of this process on it.
const BRIDGE: &str = "t3chaos";
const OURS: Ipv4Addr = Ipv4Addr::new(10, 203, 0, 254);
/// The size of a server's disk. The disk uses memory only for what is written on it.
const DISK: &str = "3g";
/// The free space on a disk that is full, in bytes.
const LEFT: u64 = 64 << 10;
/// The arguments of `tc` for a slow server: 400 kbit/s, and packets wait for at most two seconds.
const SLOW: [&str; 7] = ["tbf", "rate", "400kbit", "burst", "16kb", "latency", "2000ms"];

/// The servers' addresses, networks and disks.
#[derive(Debug)]
pub(crate) struct Network {
    /// The NATS servers, then the MongoDB servers.
    nodes: Vec<Node>,
    /// The kinds of faults that this machine does not allow, and why.
    lacks: Vec<(&'static [FaultKind], String)>,
    /// The temporary folder of the servers, if they are on loopback.
    _folder: Option<TempDir>,
}

#[derive(Clone, Debug)]
struct Node {
    name: String,
    host: Ipv4Addr,
    disk: PathBuf,
    /// Whether the server has a network namespace of its own.
    is_apart: bool,
}

/// The kinds of faults that make packets get lost, that slow packets down, and that fill a disk.
const CUTS: &[FaultKind] = &[FaultKind::Cut, FaultKind::Island, FaultKind::OneWay];
const SLOWS: &[FaultKind] = &[FaultKind::Slow];
const FILLS: &[FaultKind] = &[FaultKind::Full];

/// The packages with the programs that are used here and for disks.
const REMEDY: &str = "on Debian and Ubuntu: apt-get install e2fsprogs iproute2 nftables util-linux xfsprogs";

/// Which packets of a server are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// All packets.
    All,
    /// The packets from and to the other servers of its cluster. The services still reach the
    /// server.
    Peers,
    /// All packets that are sent to the server.
    Deaf,
    /// All packets that the server sends.
    Mute,
}

/// The arguments with which `unshare` creates a mount namespace.
const OWN_MOUNTS: &[&str] = &["--mount", "--propagation", "private", "--"];
/// The same, with a network namespace that has no connection to the outside.
const OWN_NETWORK: &[&str] = &["--net", "--mount", "--propagation", "private", "--"];

/// Moves this process into a mount namespace of its own, and with `network` into a network namespace
/// too. Does nothing if the process is in them already, or if the machine or the user does not allow
/// it.
///
/// # Errors
/// When it is allowed, and then fails.
pub(crate) fn enter(network: bool) -> Result<()> {
    let own = if network { OWN_NETWORK } else { OWN_MOUNTS };
    if has_own_mounts() || run("unshare", &[own, &["true"]].concat()).is_err() {
        return Ok(());
    }
    let error = Command::new("unshare")
        .args(own)
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(ENTERED, "1")
        .exec();
    Err(error).context("cannot run unshare")
}

/// Returns whether this process has a mount namespace of its own, so that nobody else sees what it
/// mounts.
pub(crate) fn has_own_mounts() -> bool {
    std::env::var_os(ENTERED).is_some()
}

impl Network {
    /// Creates the network for three servers of each kind, as far as this machine and user allow.
    ///
    /// # Errors
    /// When not even a folder can be created.
    pub(crate) fn lay() -> Result<Self> {
        let mut network = match Self::lay_apart() {
            Ok(network) => network,
            Err(error) => Self::lay_on_loopback(&error)?,
        };
        if network.lacks.is_empty() {
            network.try_out();
        }
        Ok(network)
    }

    /// Returns why faults of this kind are left out, or `None` if they are possible.
    pub(crate) fn lacks(&self, kind: FaultKind) -> Option<&str> {
        self.lacks.iter().find(|(kinds, _)| kinds.contains(&kind)).map(|(_, why)| why.as_str())
    }

    /// Tries each way of disturbing a server once, with the first server before it is started.
    /// Faults that fail here are left out.
    fn try_out(&mut self) {
        let tried = [
            (CUTS, self.cut(0, Cut::All).and_then(|()| self.mend(0))),
            (SLOWS, self.slow(0).and_then(|()| self.hasten(0))),
            (FILLS, self.fill(0).and_then(|()| self.make_room(0))),
        ];
        let failed = tried.into_iter().filter_map(|(kinds, tried)| Some((kinds, format!("{:#}", tried.err()?))));
        self.lacks.extend(failed);
    }

    fn lay_on_loopback(why: &anyhow::Error) -> Result<Self> {
        let why = format!("the servers are on loopback, as there is no network of our own: {why:#}");
        let folder = tempfile::tempdir()?;
        let node = |(number, name): (u8, String)| Node {
            host: Ipv4Addr::new(127, 203, 0, number),
            disk: folder.path().join(&name),
            name,
            is_apart: false,
        };
        let nodes = (1..).zip(names()).map(node).collect();
        let lacks = [CUTS, SLOWS, FILLS].map(|kinds| (kinds, why.clone())).into();
        Ok(Self { nodes, lacks, _folder: Some(folder) })
    }

    fn lay_apart() -> Result<Self> {
        ensure!(has_own_mounts(), "unshare --net --mount does not work: run as root on Linux, with util-linux");
        // `ip netns` creates files for the names of namespaces. On a tmpfs they disappear with this
        // process, and so do the disks.
        for folder in [NAMES, DISKS] {
            std::fs::create_dir_all(folder)?;
            run("mount", &["-t", "tmpfs", "tmpfs", folder])?;
        }
        run("ip", &["link", "set", "lo", "up"])?;
        run("ip", &["link", "add", BRIDGE, "type", "bridge"])?;
        run("ip", &["addr", "add", &format!("{OURS}/24"), "dev", BRIDGE])?;
        run("ip", &["link", "set", BRIDGE, "up"])?;
        let mut nodes = Vec::new();
        for (number, name) in (1..).zip(names()) {
            let (host, disk) = (Ipv4Addr::new(10, 203, 0, number), Path::new(DISKS).join(&name));
            let node = Node { name, host, disk, is_apart: true };
            node.lay()?;
            nodes.push(node);
        }
        Ok(Self { nodes, lacks: Vec::new(), _folder: None })
    }

    /// Returns the addresses and folders of the servers.
    pub(crate) fn cluster(&self) -> Cluster {
        let seats = |nodes: &[Node]| nodes.iter().map(Node::seat).collect();
        let (nats, mongo) = self.nodes.split_at(NODES);
        Cluster { nats: seats(nats), mongo: seats(mongo) }
    }

    /// Makes these packets of a server get lost, until [`Network::mend`].
    pub(crate) fn cut(&self, place: usize, cut: Cut) -> Result<()> {
        let node = self.node(place)?;
        let peers = self.nodes.chunks(NODES).nth(place / NODES).unwrap_or_default();
        let all = match cut {
            Cut::Peers => peers,
            _ => &self.nodes[..],
        };
        let mut others: Vec<Ipv4Addr> = all.iter().map(|one| one.host).filter(|host| *host != node.host).collect();
        if cut != Cut::Peers {
            others.push(OURS);
        }
        node.inside("nft", &["-f", "-"], &rules(cut, &others))
    }

    /// Ends the loss of a server's packets.
    pub(crate) fn mend(&self, place: usize) -> Result<()> {
        self.node(place)?.inside("nft", &["delete", "table", "inet", "chaos"], "")
    }

    /// Slows down the packets from and to a server, until [`Network::hasten`].
    pub(crate) fn slow(&self, place: usize) -> Result<()> {
        let node = self.node(place)?;
        node.inside("tc", &[&["qdisc", "add", "dev", "eth0", "root"][..], &SLOW].concat(), "")?;
        run("tc", &[&["qdisc", "add", "dev", &node.name, "root"][..], &SLOW].concat())
    }

    /// Ends the slowness of a server's packets.
    pub(crate) fn hasten(&self, place: usize) -> Result<()> {
        let node = self.node(place)?;
        node.inside("tc", &["qdisc", "del", "dev", "eth0", "root"], "")?;
        run("tc", &["qdisc", "del", "dev", &node.name, "root"])
    }

    /// Shrinks the disk of a server until only [`LEFT`] bytes are free.
    pub(crate) fn fill(&self, place: usize) -> Result<()> {
        let disk = &self.node(place)?.disk;
        // If the server writes in between, this size is too small, and the next attempt computes it
        // again.
        for _ in 0..20 {
            let size = format!("remount,size={}", used(disk)? + LEFT);
            if run("mount", &["-o", &size, path(disk)?]).is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        bail!("{} cannot be made smaller", disk.display())
    }

    /// Gives the disk of a server its full size again.
    pub(crate) fn make_room(&self, place: usize) -> Result<()> {
        let disk = &self.node(place)?.disk;
        run("mount", &["-o", &format!("remount,size={DISK}"), path(disk)?])
    }

    fn node(&self, place: usize) -> Result<&Node> {
        self.nodes.get(place).with_context(|| format!("there is no server {place}"))
    }
}

impl Node {
    fn seat(&self) -> Seat {
        let place = Place { host: self.host, namespace: self.is_apart.then(|| self.name.clone()) };
        Seat { place, dir: self.disk.join("server") }
    }

    /// Creates the server's network namespace, address, connection to the bridge, and disk.
    fn lay(&self) -> Result<()> {
        let (name, address) = (self.name.as_str(), format!("{}/24", self.host));
        run("ip", &["netns", "add", name])?;
        run("ip", &["link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name])?;
        run("ip", &["link", "set", name, "master", BRIDGE, "up"])?;
        for link in ["lo", "eth0"] {
            run("ip", &["-n", name, "link", "set", link, "up"])?;
        }
        run("ip", &["-n", name, "addr", "add", &address, "dev", "eth0"])?;
        std::fs::create_dir_all(&self.disk)?;
        run("mount", &["-t", "tmpfs", "-o", &format!("size={DISK},mode=700"), "tmpfs", path(&self.disk)?])
    }

    fn inside(&self, program: &str, args: &[&str], input: &str) -> Result<()> {
        let network = format!("--net={NAMES}/{}", self.name);
        run_with("nsenter", &[&[network.as_str(), program][..], args].concat(), input)
    }
}

/// Returns the names of the servers: those of NATS, then those of MongoDB.
fn names() -> impl Iterator<Item = String> {
    ["nats", "mongo"].into_iter().flat_map(|kind| (1..=NODES).map(move |n| format!("{kind}-{n}")))
}

/// Returns the nftables rules that drop the packets of this cut.
fn rules(cut: Cut, others: &[Ipv4Addr]) -> String {
    let others: Vec<String> = others.iter().map(Ipv4Addr::to_string).collect();
    let others = others.join(", ");
    let mut text = String::from("add table inet chaos\n");
    for (hook, whose, is_cut) in [("input", "saddr", cut != Cut::Mute), ("output", "daddr", cut != Cut::Deaf)] {
        if is_cut {
            // The results are ignored, because writing to a string cannot fail.
            let _ = writeln!(text, "add chain inet chaos {hook} {{ type filter hook {hook} priority 0 ; }}");
            let _ = writeln!(text, "add rule inet chaos {hook} ip {whose} {{ {others} }} drop");
        }
    }
    text
}

fn used(disk: &Path) -> Result<u64> {
    let done = Command::new("df").args(["--output=used", "-B1"]).arg(disk).output().context("cannot run df")?;
    let text = String::from_utf8_lossy(&done.stdout);
    text.lines().last().and_then(|line| line.trim().parse().ok()).with_context(|| format!("df says {text}"))
}

pub(crate) fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}

pub(crate) fn run(program: &str, args: &[&str]) -> Result<()> {
    run_with(program, args, "")
}

fn run_with(program: &str, args: &[&str], input: &str) -> Result<()> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot run {program}: install it ({REMEDY})"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let done = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{program} {}: {}", args.join(" "), said.trim());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_one_way_loses_what_goes_that_way_only() {
        let others = [Ipv4Addr::new(10, 203, 0, 2), OURS];
        let deaf = rules(Cut::Deaf, &others);
        assert!(
            deaf.contains("input ip saddr { 10.203.0.2, 10.203.0.254 } drop") && !deaf.contains("output"),
            "{deaf}"
        );
        let mute = rules(Cut::Mute, &others);
        assert!(
            mute.contains("output ip daddr { 10.203.0.2, 10.203.0.254 } drop") && !mute.contains("input"),
            "{mute}"
        );
        let all = rules(Cut::All, &others);
        assert!(all.contains("saddr") && all.contains("daddr"), "{all}");
    }
}
