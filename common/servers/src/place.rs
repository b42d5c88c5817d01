//! The IP address and the network namespace of a server.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

/// An IP address of this machine, and the network namespace that has this address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The address that the server listens on.
    pub host: Ipv4Addr,
    /// The name of the network namespace in `/run/netns`. None for the namespace of this process.
    pub namespace: Option<String>,
}

impl Default for Place {
    fn default() -> Self {
        Self { host: Ipv4Addr::LOCALHOST, namespace: None }
    }
}

impl Place {
    /// A command that starts the program in this namespace.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let Some(namespace) = &self.namespace else { return Command::new(program) };
        // nsenter replaces itself with the program (`exec`), so its process id becomes the
        // program's.
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{namespace}")).arg(program);
        command
    }
}
