//! The test harness. Each test has its own nats-server, its own databases in a real mongod, and a
//! clock that it can move forward. Services run against these as their own users, as in production.
//! All servers use loopback addresses and free ports, so that tests can run in parallel.
//!
//! ```text
//! let harness = testkit::Harness::start().await;
//! let _projects = harness.spawn(projects::needs(), projects::run).await;
//! harness.finish().await; // stops the services, and fails when one has left events unpublished
//! ```

mod audited;
mod clock;
mod eventually;
mod folder;
mod harness;
mod lagging;
mod nats_cluster;
mod servers;

pub use self::servers::{secrets, shared_mongo, start_mongo, start_mongo_with};
pub use clock::TestClock;
pub use eventually::{eventually, eventually_within};
pub use folder::folder;
pub use harness::{Harness, Running};
pub use lagging::LaggingMongo;
pub use nats_cluster::NatsCluster;
