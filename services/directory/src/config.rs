use clap::Args;

/// The settings of this service: none so far.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)] // the whole system has this name six times
pub struct Config {}
