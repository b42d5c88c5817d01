//! A world for a test: a real nats-server of its own, a real mongod with databases of its own, each
//! service under its own user as in production, a clock that the test sets, and services that run in
//! it. Everything on loopback and free ports, so that tests run in parallel.
//!
//! ```text
//! let world = testkit::World::start().await;
//! let _projects = world.spawn(projects::needs(), projects::run).await;
//! world.finish().await; // stops what runs, and fails where events were left unsent
//! ```

mod audited;
mod clock;
mod eventually;
mod lagging;
mod servers;
mod world;

pub use self::servers::{secrets, shared_mongo, start_mongo, start_mongo_with};
pub use clock::TestClock;
pub use eventually::{eventually, eventually_within};
pub use lagging::LaggingMongo;
pub use world::{Running, World};
