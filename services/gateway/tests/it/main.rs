//! The gateway over real HTTP and real NATS. What needs the other services is tested in `stack`.

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
