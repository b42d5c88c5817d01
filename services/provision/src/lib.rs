//! Makes what the services find: secrets, streams, consumers, users, collections with their
//! indexes. Can be repeated; changes what may be changed; refuses what would lose data.

mod command;
mod settings;

use kit::Needs;

pub use command::main;
pub use settings::{Command, Settings};

/// What must be there before the services can work.
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
