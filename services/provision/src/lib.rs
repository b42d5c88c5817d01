//! Makes what the services find: secrets, streams, consumers, users, collections with their
//! indexes. Can be repeated; changes what may be changed; refuses what would lose data.

mod command;
mod settings;

use kit::Needs;

pub use command::main;
pub use settings::{Command, Settings};

/// What must be there before the six services can work.
pub fn needs() -> [Needs; 6] {
    [directory::needs(), projects::needs(), timetrack::needs(), analytics::needs(), mailer::needs(), gateway::needs()]
}
