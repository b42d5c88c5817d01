use clap::Args;

/// The settings of this service: none so far.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)] // in the stack, six services would each add an argument group of this name
pub struct Config {}
