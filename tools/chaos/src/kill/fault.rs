use std::{fmt, str::FromStr};

use contracts::Service;

use super::failpoint::Failpoint;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// One process of a service is killed.
    Service,
    /// Both processes of a service are killed.
    Pair,
    /// One process of a service is suspended (SIGSTOP) for longer than the acknowledgement timeout.
    Freeze,
    /// nats-server is killed.
    Nats,
    /// mongod is killed.
    Mongo,
    /// nats-server and mongod are killed.
    Both,
    /// Messages that cannot be deserialized are published.
    Poison,
    /// All clients send as fast as they can.
    Burst,
    /// Many connections are opened on which nothing is sent.
    Idle,
    /// Timetrack is scaled to eight workers, and then to one.
    Workers,
    /// The wall clock of one process of a service is wrong by ten minutes.
    Clock,
    /// The clocks of the employees' computers are wrong.
    Clients,
    /// The leader of NATS, or the primary of MongoDB, is killed.
    Leader,
    /// A server is cut off from the other servers and from the services.
    Cut,
    /// A server is cut off from the other servers, and the services still reach it.
    Island,
    /// A server does not receive anything any more, or nothing that it sends arrives.
    OneWay,
    /// Connections to a server stay open, but the server does not answer.
    HalfOpen,
    /// A server is reachable only through a slow network.
    Slow,
    /// All servers except the leader are suspended, so a write that needs a majority waits.
    Followers,
    /// The disk of one server is full, or the disks of all servers of its kind.
    Full,
    /// The disk of NATS or of MongoDB loses its power, or both do: what is not synced is lost.
    Power,
    /// A process ends at a failpoint. The services must be built with kit's feature `mutants`.
    Failpoint,
}

/// A fault with its randomly chosen values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// The service that is hit, for faults of a service.
    pub(crate) service: Service,
    /// The index of the process that is hit. For a fault of a cluster or a disk, 0 hits NATS and 1
    /// hits MongoDB.
    pub(crate) replica: usize,
    /// The duration of the fault, in milliseconds.
    pub(crate) lasts: u64,
    /// Whether the second of two variants of the fault is meant, for example the disks of all
    /// servers instead of one.
    pub(crate) other_way: bool,
    /// The failpoint at which the process ends. Without one, the process is killed at any moment.
    pub(crate) point: Option<Failpoint>,
}

impl FaultKind {
    /// The kinds of faults that a campaign uses by default. The services need no special build for
    /// these.
    pub const ALL: [Self; 10] = [
        Self::Service,
        Self::Pair,
        Self::Freeze,
        Self::Nats,
        Self::Mongo,
        Self::Both,
        Self::Poison,
        Self::Burst,
        Self::Idle,
        Self::Workers,
    ];

    /// The kinds of faults that a campaign also uses when there are three servers of each kind.
    pub const CLUSTER: [Self; 10] = [
        Self::Clock,
        Self::Clients,
        Self::Leader,
        Self::Cut,
        Self::Island,
        Self::OneWay,
        Self::HalfOpen,
        Self::Slow,
        Self::Followers,
        Self::Full,
    ];

    /// Returns whether the fault needs three servers of each kind.
    pub const fn needs_cluster(self) -> bool {
        !matches!(self, Self::Clock | Self::Clients | Self::Power | Self::Failpoint)
            && self as usize > Self::Workers as usize
    }

    /// Returns the longest allowed time until recovery, in seconds. It counts from the end of the
    /// fault, but from its beginning for [`FaultKind::Leader`].
    pub(crate) const fn goal(self) -> Option<u64> {
        match self {
            Self::Service | Self::Pair | Self::Failpoint => Some(5),
            Self::Nats | Self::Leader => Some(10),
            Self::Mongo | Self::Both | Self::Power | Self::Cut | Self::Island | Self::OneWay | Self::HalfOpen => {
                Some(15)
            }
            _ => None,
        }
    }

    /// Returns how often this kind is chosen, relative to the other kinds.
    pub(crate) const fn weight(self) -> u64 {
        match self {
            Self::Service | Self::Failpoint => 10,
            Self::Pair | Self::Nats | Self::Mongo | Self::Power => 4,
            Self::Leader | Self::Cut | Self::Island | Self::OneWay => 4,
            Self::Freeze => 5,
            Self::Both | Self::Poison => 2,
            Self::HalfOpen | Self::Slow | Self::Followers | Self::Full | Self::Clock => 2,
            Self::Burst | Self::Idle | Self::Workers | Self::Clients => 1,
        }
    }

    /// Returns the name of this kind on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Pair => "pair",
            Self::Freeze => "freeze",
            Self::Nats => "nats",
            Self::Mongo => "mongo",
            Self::Both => "both",
            Self::Poison => "poison",
            Self::Burst => "burst",
            Self::Idle => "idle",
            Self::Workers => "workers",
            Self::Clock => "clock",
            Self::Clients => "clients",
            Self::Leader => "leader",
            Self::Cut => "cut",
            Self::Island => "island",
            Self::OneWay => "oneway",
            Self::HalfOpen => "halfopen",
            Self::Slow => "slow",
            Self::Followers => "followers",
            Self::Full => "full",
            Self::Power => "power",
            Self::Failpoint => "failpoint",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FaultKind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let all = || Self::ALL.into_iter().chain([Self::Power, Self::Failpoint]).chain(Self::CLUSTER);
        let names = || all().map(Self::name).collect::<Vec<_>>().join(", ");
        all().find(|kind| kind.name() == word).ok_or_else(|| format!("must be one of {}", names()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, service, replica, lasts, other_way, point } = self;
        if let Some(point) = point {
            return write!(f, "{kind} {service} {replica} at {point}");
        }
        let server = if *replica == 0 { "NATS" } else { "MongoDB" };
        match kind {
            FaultKind::Service | FaultKind::Freeze => write!(f, "{kind} {service} {replica} for {lasts} ms"),
            FaultKind::Clock | FaultKind::Clients => {
                let minutes = if *other_way { "-10" } else { "+10" };
                let whose = if *kind == FaultKind::Clock { format!(" of {service} {replica}") } else { String::new() };
                write!(f, "{kind}{whose} {minutes} minutes for {lasts} ms")
            }
            FaultKind::Full => {
                write!(f, "{kind} disk of {server}{} for {lasts} ms", if *other_way { ", all" } else { "" })
            }
            FaultKind::Power => {
                write!(f, "{kind} of {} for {lasts} ms", if *other_way { "both" } else { server })
            }
            FaultKind::OneWay => {
                write!(f, "{kind} {server} {} for {lasts} ms", if *other_way { "mute" } else { "deaf" })
            }
            kind if kind.needs_cluster() => write!(f, "{kind} {server} for {lasts} ms"),
            FaultKind::Pair => write!(f, "{kind} {service} for {lasts} ms"),
            _ => write!(f, "{kind} for {lasts} ms"),
        }
    }
}
