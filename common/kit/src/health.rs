use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use bson::doc;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

use crate::{Bus, Shutdown};

/// Whether this process lives, and whether it can do its work.
#[derive(Clone, Debug)]
pub struct Health {
    bus: Bus,
    mongo: Arc<Mutex<Option<mongodb::Database>>>,
    started: watch::Sender<bool>,
}

impl Health {
    /// Alive, not yet ready.
    pub fn new(bus: Bus) -> Self {
        Self { bus, mongo: Arc::default(), started: watch::Sender::new(false) }
    }

    /// From now on MongoDB counts too.
    pub(crate) fn needs_mongo(&self, database: mongodb::Database) {
        *self.mongo.lock().unwrap_or_else(PoisonError::into_inner) = Some(database);
    }

    /// All that the service answers and consumes is set up.
    pub fn started(&self) {
        self.started.send_replace(true);
    }

    /// Waits until [`Health::started`] was said.
    pub async fn until_started(&self) {
        // The sender lives as long as we do.
        let _ = self.started.subscribe().wait_for(|started| *started).await;
    }

    /// What is missing for this process to do its work, by name; empty when it is ready.
    pub async fn missing(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if !*self.started.borrow() {
            missing.push("start-up");
        }
        if !self.bus.is_connected() {
            missing.push("nats");
        }
        let mongo = self.mongo.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(mongo) = mongo {
            let ping = mongo.run_command(doc! { "ping": 1 });
            if !matches!(tokio::time::timeout(Duration::from_secs(1), ping).await, Ok(Ok(_))) {
                missing.push("mongodb");
            }
        }
        missing
    }

    /// Serves `/healthz` and `/readyz` until shutdown.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn serve(&self, addr: SocketAddr, shutdown: &Shutdown) -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind(addr)
            .await
            .with_context(|| format!("OPS_ADDR is {addr}, which cannot be listened on: choose another, or port 0"))?;
        let addr = listener.local_addr()?;
        tracing::debug!(%addr, "health");
        let app = Router::new()
            .route("/healthz", get(|| async { Json(json!({ "status": "ok" })) }))
            .route("/readyz", get(readyz))
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

async fn readyz(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    let missing = health.missing().await;
    if missing.is_empty() {
        (StatusCode::OK, Json(json!({ "status": "ready" })))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "not ready", "missing": missing })))
    }
}
