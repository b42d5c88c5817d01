//! Fault campaigns against a system of real processes: services are replaced, scaled or killed
//! while windows arrive. At the end every window is checked: no window is lost or recorded twice,
//! and every answer is one that the API allows.

mod answers;
mod campaign;
mod gateways;
mod kill;
mod load;
pub mod races;
mod report;
mod system;

pub use campaign::{Campaign, Options, run};
pub use kill::{Caught, FaultKind, KillOptions, KillReport, MUTANTS, Mutant, in_own_namespaces, kill, mutants};
pub use report::Report;
