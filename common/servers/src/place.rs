//! Where a server runs.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

/// An address of this machine, and the network that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The address that the server listens on.
    pub host: Ipv4Addr,
    /// The network namespace that has the address, by its name in `/run/netns`; ours unless this says otherwise.
    pub namespace: Option<String>,
}

impl Default for Place {
    fn default() -> Self {
        Self { host: Ipv4Addr::LOCALHOST, namespace: None }
    }
}

impl Place {
    /// The program, to be started there.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let Some(namespace) = &self.namespace else { return Command::new(program) };
        // It becomes the program: the same process, with the same number.
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{namespace}")).arg(program);
        command
    }
}
