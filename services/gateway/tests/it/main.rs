//! Integration tests of the gateway over HTTP, with a real NATS server. Tests that need all
//! services are in the crate `stack`.

mod activation;
mod batched;
mod connections;
mod console;
mod credentials;
mod docs;
mod edge;
mod headers;
mod input;
mod limits;
mod long_lists;
mod resetting;
mod revocation;
mod scopes;
mod settings;
mod stopping;
mod unavailable;
