//! NATS and MongoDB programs on this machine: found, fetched, started, stopped.
//!
//! Real servers for a first run (`services/stack`) and for tests (`common/testkit`), on a machine
//! that has neither:
//!
//! 1. [`Programs`] finds `nats-server` and `mongod` on PATH or in the user's cache, or fetches
//!    them into the cache, once.
//! 2. [`Nats`] and [`Mongo`] start them on loopback, in a folder of ours, and stop them. They die
//!    with this process, however it ends.
//! 3. [`DataDir`] is the folder that keeps their data and our secrets, for one process at a time.

mod data_dir;
mod fetch;
pub mod folder;
mod log_file;
mod mongo;
mod nats;
mod place;
mod port;
mod process;
mod programs;
mod progress;
mod spawner;

pub use data_dir::DataDir;
pub use mongo::{Access, Mongo, MongoOptions, connection_string as mongo_connection_string};
pub use nats::{Nats, NatsOptions};
pub use place::Place;
pub use port::some_free as free_ports;
pub use process::Exited;
pub use programs::Programs;
pub use progress::{Progress, on_stderr};
