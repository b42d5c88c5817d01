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
    /// One process of a service is stopped (SIGSTOP) for longer than the acknowledgement timeout.
    Freeze,
    /// nats-server is killed.
    Nats,
    /// mongod is killed.
    Mongo,
    /// nats-server and mongod are killed.
    Both,
    /// Unreadable messages are published.
    Poison,
    /// All clients send as fast as they can.
    Burst,
    /// Many connections are opened that send nothing.
    Idle,
    /// timetrack is scaled to eight workers, and then to one.
    Workers,
    /// A process of a service goes by a clock that is ten minutes off.
    Clock,
    /// The clocks of employees are off.
    Clients,
    /// The leader of NATS or MongoDB is killed.
    Leader,
    /// A server is cut off from everybody.
    Cut,
    /// A server is cut off from the other servers, and the services still reach it.
    Island,
    /// Nothing reaches a server any more, or nothing that it sends arrives.
    OneWay,
    /// Connections to a server stay, and it does not answer.
    HalfOpen,
    /// A server is reached through a slow network.
    Slow,
    /// All servers but the leader stand still: a write that needs a majority waits.
    Followers,
    /// The disk of a server is full, or those of all servers.
    Full,
    /// A process dies at a point of its program: needs services that are built with kit's feature `mutants`.
    Failpoint,
}

/// A fault with its random values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// The service, for faults of a service.
    pub(crate) service: Service,
    /// The index of the process.
    pub(crate) replica: usize,
    /// The duration, in milliseconds.
    pub(crate) lasts: u64,
    /// The other one of two ways in which it may go wrong.
    pub(crate) other_way: bool,
    /// Where the process dies, where that is not at any moment.
    pub(crate) point: Option<Failpoint>,
}

impl FaultKind {
    /// Those that come unless others are asked for: the services need not be built for them.
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

    /// Those that come as well where there are three servers of each kind.
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

    /// Whether the fault needs three servers of each kind.
    pub const fn needs_cluster(self) -> bool {
        !matches!(self, Self::Clock | Self::Clients | Self::Failpoint) && self as usize > Self::Workers as usize
    }

    /// The longest that recovery may take, in seconds: from the end of the fault or, where others take over, from its
    /// beginning.
    pub(crate) const fn goal(self) -> Option<u64> {
        match self {
            Self::Service | Self::Pair | Self::Failpoint => Some(5),
            Self::Nats | Self::Leader => Some(10),
            Self::Mongo | Self::Both | Self::Cut | Self::Island | Self::OneWay | Self::HalfOpen => Some(15),
            _ => None,
        }
    }

    /// Its frequency relative to the other kinds.
    pub(crate) const fn weight(self) -> u64 {
        match self {
            Self::Service | Self::Failpoint => 10,
            Self::Pair | Self::Nats | Self::Mongo | Self::Leader | Self::Cut | Self::Island | Self::OneWay => 4,
            Self::Freeze => 5,
            Self::Both | Self::Poison => 2,
            Self::HalfOpen | Self::Slow | Self::Followers | Self::Full | Self::Clock => 2,
            Self::Burst | Self::Idle | Self::Workers | Self::Clients => 1,
        }
    }

    /// Its name on the command line.
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
        let all = || Self::ALL.into_iter().chain([Self::Failpoint]).chain(Self::CLUSTER);
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
            FaultKind::OneWay => {
                write!(f, "{kind} {server} {} for {lasts} ms", if *other_way { "mute" } else { "deaf" })
            }
            kind if kind.needs_cluster() => write!(f, "{kind} {server} for {lasts} ms"),
            FaultKind::Pair => write!(f, "{kind} {service} for {lasts} ms"),
            _ => write!(f, "{kind} for {lasts} ms"),
        }
    }
}
