//! The program `stack`, which `cargo run --release` starts: the whole system in one process.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack::main()
}
