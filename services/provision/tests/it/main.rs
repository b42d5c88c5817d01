//! The rights of all users, and what `provision` makes, on real servers.

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
