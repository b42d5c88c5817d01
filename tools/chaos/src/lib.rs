//! Campaigns against a system of real processes: services are replaced and scaled while windows come
//! in, or killed at random. At the end every window is accounted for: none lost, none doubled, no answer but those that
//! the API promises.

mod answers;
mod campaign;
mod entrance;
mod kill;
mod load;
pub mod races;
mod report;
mod town;

pub use campaign::{Campaign, Options, run};
pub use kill::{Caught, FaultKind, Found, KillOptions, KillReport, MUTANTS, Mutant, in_own_network, kill, mutants};
pub use report::Report;
