//! Tests of the rights of all users, and of what `provision` creates, on real servers.

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
