//! Analytics with a real NATS and a real MongoDB: events in, answers out.

mod arriving;
mod asking;
mod counting;
mod fixture;
mod grouping;
mod replicas;
