//! The whole system in one process: what `cargo run --release` starts.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack::main()
}
