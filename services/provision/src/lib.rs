//! Makes what services need and cannot make themselves: secrets, streams, consumers, users, collections with
//! their indexes. It can be repeated, and refuses changes that would lose data.

mod command;
mod settings;

use kit::Needs;

pub use command::main;
pub use settings::{Command, Settings};

/// Everything that the services need.
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
