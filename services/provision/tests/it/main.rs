//! Who may do what, and what is made for the services, on real servers.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod databases;
mod forged;
mod intruder;
mod operator;
mod program;
mod repeated;
mod rights;
mod tls;
mod waiting;
