//! Plumbing without a word of the domain: how a service connects, answers, consumes, commits,
//! logs and stops. Every service is built from these parts in the same way.

mod bus;
mod clock;
pub mod config;
mod database;
mod dead;
mod deps;
mod endpoints;
mod error;
mod events;
mod fetching;
mod health;
mod health_command;
mod ids;
mod in_hand;
mod lifecycle;
pub mod metrics;
pub mod mongo;
mod needs;
mod origin;
mod outbox;
mod page;
mod pull;
pub mod telemetry;
mod trace;
mod transaction;

pub use bus::{Bus, Call, connect_nats};
pub use clock::Clock;
pub use database::Database;
pub use dead::{Dead, bury, dead_at, list_dead, replay_dead};
pub use deps::Deps;
pub use endpoints::Endpoints;
pub use error::Error;
pub use events::{Delivery, Events};
pub use health::Health;
pub use ids::{new_id, random_bytes};
pub use in_hand::InHand;
pub use lifecycle::{Shutdown, run_service, run_service_as, until_signal};
pub use metrics::Metrics;
pub use needs::{Needs, Shape, heard};
pub use origin::{Origin, acts};
pub use page::{PAGE_MOST, page_within};
pub use pull::{MOST_DELIVERIES, Pull, Puller, let_company_come, retry_delay};
pub use trace::{continue_http_trace, continue_traces, follow, link, trace_headers, trace_id, traceparent};
pub use transaction::{Change, Tx};
