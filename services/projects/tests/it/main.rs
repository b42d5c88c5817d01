//! Tests of the service `projects` with a real nats-server, a real mongod, and the service
//! `directory`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod consistency;
mod deactivation;
mod events;
mod fixture;
mod large;
mod members;
mod memberships;
mod names;
mod projects;
mod races;
mod rates;
mod reconciling;
mod tasks;
mod visibility;
