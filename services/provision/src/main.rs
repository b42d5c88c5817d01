//! The program `provision`.

use std::process::ExitCode;

fn main() -> ExitCode {
    provision::main()
}
