use clap::Args;

/// The settings of this service: none so far.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)] // clap names a group after its struct, and `stack` flattens six structs named `Config`
pub struct Config {}
