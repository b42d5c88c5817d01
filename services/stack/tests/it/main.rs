//! The whole system: as a process of its own, and over HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;
mod actors;
mod analytics;
mod api;
mod audit;
mod backup;
mod batches;
mod bindings;
mod callers;
mod collector;
mod concurrency;
mod conditions;
mod employees;
mod etags;
mod faults;
mod grouped;
mod hostile;
mod import;
mod keys;
mod leniency;
mod lifecycle;
mod locations;
mod metrics;
mod names;
mod office;
mod page;
mod program;
mod projects;
mod proxied;
mod proxy;
mod readme;
mod revocation;
mod secrets;
mod sessions;
mod shapes;
mod support;
mod tasks;
mod throttling;
mod time;
mod traces;
mod updates;
mod volume;
mod walk;
