use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use bson::doc;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

use crate::{Bus, Shutdown, metrics::CONTENT_TYPE};

/// The health of this process: whether it runs, and whether it can do its work.
#[derive(Clone)]
pub struct Health {
    bus: Bus,
    mongo: Arc<Mutex<Option<mongodb::Database>>>,
    dependencies: Arc<Mutex<Vec<Check>>>,
    own_tasks: Arc<Mutex<Vec<Check>>>,
    awaited: Arc<Mutex<Vec<String>>>,
    started: watch::Sender<bool>,
}

/// A condition with its name.
type Check = (&'static str, Box<dyn Fn() -> bool + Send>);

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("started", &*self.started.borrow()).finish_non_exhaustive()
    }
}

impl Health {
    /// The health of a process that runs and is not ready yet.
    pub fn new(bus: Bus) -> Self {
        let (mongo, dependencies, own_tasks, awaited) =
            (Arc::default(), Arc::default(), Arc::default(), Arc::default());
        Self { bus, mongo, dependencies, own_tasks, awaited, started: watch::Sender::new(false) }
    }

    /// Makes MongoDB a dependency: the process is ready only while this database answers.
    pub(crate) fn needs_mongo(&self, database: mongodb::Database) {
        *self.mongo.lock().unwrap_or_else(PoisonError::into_inner) = Some(database);
    }

    /// Adds a dependency: the process is ready only while `is_there` returns true.
    pub fn needs(&self, name: &'static str, is_there: impl Fn() -> bool + Send + 'static) {
        self.dependencies.lock().unwrap_or_else(PoisonError::into_inner).push((name, Box::new(is_there)));
    }

    /// Adds a task of the process itself: the process is ready only while `is_done` returns true.
    /// The metrics do not report the task as a dependency, because the cause is in this process.
    pub fn waits_until(&self, name: &'static str, is_done: impl Fn() -> bool + Send + 'static) {
        self.own_tasks.lock().unwrap_or_else(PoisonError::into_inner).push((name, Box::new(is_done)));
    }

    /// Sets the texts about what the process waits for at its start, such as a missing stream.
    pub(crate) fn waits_for(&self, missing: Vec<String>) {
        *self.awaited.lock().unwrap_or_else(PoisonError::into_inner) = missing;
    }

    /// Marks the process as started: it has set up everything that it answers and consumes.
    pub fn started(&self) {
        self.started.send_replace(true);
    }

    /// Waits until [`Health::started`] was called.
    pub async fn until_started(&self) {
        // An error is impossible: it would mean that the sender was dropped, and `self` owns the
        // sender.
        let _ = self.started.subscribe().wait_for(|started| *started).await;
    }

    /// The names of what this process still needs to do its work. Empty when the process is ready.
    pub async fn missing(&self) -> Vec<String> {
        let mut missing = self.awaited.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut found = vec![("start-up", *self.started.borrow())];
        found.extend(self.dependencies().await);
        found.extend(self.own_tasks());
        missing.extend(found.into_iter().filter(|(_, is_there)| !is_there).map(|(name, _)| name.to_owned()));
        missing
    }

    /// The name of each dependency, and whether the dependency can be reached.
    async fn dependencies(&self) -> Vec<(&'static str, bool)> {
        let mut found = vec![("nats", self.bus.is_connected())];
        let mongo = self.mongo.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(mongo) = mongo {
            let ping = mongo.run_command(doc! { "ping": 1 });
            let answered = tokio::time::timeout(Duration::from_secs(1), ping).await;
            found.push(("mongodb", matches!(answered, Ok(Ok(_)))));
        }
        let dependencies = self.dependencies.lock().unwrap_or_else(PoisonError::into_inner);
        found.extend(dependencies.iter().map(|(name, is_there)| (*name, is_there())));
        found
    }

    /// The name of each task of the process itself, and whether the task is done.
    fn own_tasks(&self) -> Vec<(&'static str, bool)> {
        let own_tasks = self.own_tasks.lock().unwrap_or_else(PoisonError::into_inner);
        own_tasks.iter().map(|(name, is_done)| (*name, is_done())).collect()
    }

    /// The metrics of the service as text. Checks the dependencies and the readiness first.
    async fn metrics(&self) -> String {
        let (dependencies, metrics) = (self.dependencies().await, self.bus.metrics());
        let all = dependencies.iter().copied().chain(self.own_tasks()).all(|(_, is_there)| is_there);
        let is_ready = *self.started.borrow() && all;
        metrics.common().is_ready.set(is_ready.into());
        for (name, is_there) in dependencies {
            metrics.common().is_up.get_or_create(&[("dependency", name)]).set(is_there.into());
        }
        metrics.text()
    }

    /// Serves `/healthz`, `/readyz` and `/metrics` until shutdown.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn serve(&self, addr: SocketAddr, shutdown: &Shutdown) -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind(addr)
            .await
            .with_context(|| format!("OPS_ADDR is {addr}, which cannot be listened on: choose another, or port 0"))?;
        let addr = listener.local_addr()?;
        tracing::debug!(%addr, "health");
        let app = Router::new()
            .route("/healthz", get(|| async { Json(json!({ "status": "ok" })) }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(self.clone());
        let stop = shutdown.clone();
        tokio::spawn(async move {
            let served = axum::serve(listener, app).with_graceful_shutdown(async move { stop.stopping().await }).await;
            if let Err(error) = served {
                tracing::error!(%error, "health is no longer served");
            }
        });
        Ok(addr)
    }
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], health.metrics().await)
}

async fn readyz(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    let missing = health.missing().await;
    if missing.is_empty() {
        (StatusCode::OK, Json(json!({ "status": "ready" })))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "not ready", "missing": missing })))
    }
}
