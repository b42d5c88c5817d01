use std::{fmt, str::FromStr};

use contracts::Service;

use super::failpoint::Failpoint;

/// What kind of thing goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// One process of a service is killed.
    Service,
    /// Both processes of a service are killed.
    Pair,
    /// One process of a service stands still for longer than an acknowledgement may take.
    Freeze,
    /// nats-server is killed.
    Nats,
    /// mongod is killed.
    Mongo,
    /// Both are killed.
    Both,
    /// Messages that nobody can read come in.
    Poison,
    /// Everybody sends as fast as they can.
    Burst,
    /// Many connections that send nothing.
    Idle,
    /// timetrack has eight workers, and then one.
    Workers,
    /// A process dies at a point of its program: needs services that are built with kit's feature `mutants`.
    Failpoint,
}

/// A fault with all that chance decides about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// Whose process, where it is a service's.
    pub(crate) service: Service,
    /// Which of the two.
    pub(crate) replica: usize,
    /// How long it lasts, in milliseconds.
    pub(crate) lasts: u64,
    /// Where the process dies, where that is not at any moment.
    pub(crate) point: Option<Failpoint>,
}

impl FaultKind {
    /// All that the services need not be built for.
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

    /// How often it comes, beside the others.
    pub(crate) const fn weight(self) -> u64 {
        match self {
            Self::Service | Self::Failpoint => 10,
            Self::Pair | Self::Nats | Self::Mongo => 4,
            Self::Freeze => 5,
            Self::Both | Self::Poison => 2,
            Self::Burst | Self::Idle | Self::Workers => 1,
        }
    }

    /// The word for it.
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
        let kinds = || Self::ALL.into_iter().chain([Self::Failpoint]);
        let names = || kinds().map(Self::name).collect::<Vec<_>>().join(", ");
        kinds().find(|kind| kind.name() == word).ok_or_else(|| format!("must be one of {}", names()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, service, replica, lasts, point } = self;
        if let Some(point) = point {
            return write!(f, "{kind} {service} {replica} at {point}");
        }
        match kind {
            FaultKind::Service | FaultKind::Freeze => write!(f, "{kind} {service} {replica} for {lasts} ms"),
            FaultKind::Pair => write!(f, "{kind} {service} for {lasts} ms"),
            _ => write!(f, "{kind} for {lasts} ms"),
        }
    }
}
