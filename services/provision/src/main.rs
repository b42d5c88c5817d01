//! Makes what the services find: secrets, streams, consumers, users, collections with their
//! indexes.

use std::process::ExitCode;

fn main() -> ExitCode {
    provision::main()
}
