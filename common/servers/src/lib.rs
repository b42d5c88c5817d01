//! Finds, downloads, starts and stops `nats-server` and `mongod` on this machine.
//!
//! For a first run (`services/stack`) and for tests (`common/testkit`), also on machines where
//! these programs are not installed:
//!
//! 1. [`Programs`] finds the programs on PATH or in the user's cache, or downloads them into the
//!    cache once.
//! 2. [`Nats`] and [`Mongo`] run them on loopback addresses, each in a folder of its own. The
//!    servers end with this process, however this process ends.
//! 3. [`DataDir`] is the folder with the servers' data and the secrets. One process uses it at a
//!    time.

mod data_dir;
mod fetch;
pub mod folder;
mod log_file;
mod mongo;
mod nats;
mod place;
mod port;
mod process;
mod program;
mod programs;
mod progress;
mod server;
mod spawner;

pub use data_dir::DataDir;
pub use mongo::{Access, Mongo, MongoOptions, connection_string as mongo_connection_string};
pub use nats::{Nats, NatsOptions};
pub use place::Place;
pub use port::some_free as free_ports;
pub use process::Exited;
pub use programs::Programs;
pub use progress::{Progress, on_stderr};
pub use server::Server;
pub use spawner::spawn;
