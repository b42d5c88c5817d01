//! The program `provision`, which creates what the services need.

use std::process::ExitCode;

fn main() -> ExitCode {
    provision::main()
}
