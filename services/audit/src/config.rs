use clap::Args;

/// The settings of this service: none so far.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)] // every service's settings have this name
pub struct Config {}
