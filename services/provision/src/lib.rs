//! Creates what services need and may not create themselves: secrets, streams, consumers, users,
//! and collections with their indexes. It can be run again at any time, and refuses changes that
//! would lose data.

mod command;
mod settings;

use kit::Needs;

pub use command::main;
pub use settings::{Command, Settings};

/// Returns the needs of the gateway and of the six services.
pub fn needs() -> [Needs; 7] {
    [
        directory::needs(),
        projects::needs(),
        timetrack::needs(),
        analytics::needs(),
        mailer::needs(),
        audit::needs(),
        gateway::needs(),
    ]
}
