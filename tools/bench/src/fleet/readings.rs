//! Reads the counters of a running fleet, and what it has stored.

use anyhow::{Context, Result};
use bson::{Document, doc};
use contracts::Service;

use super::Fleet;
use crate::asked::Asked;

impl Fleet {
    /// Returns the requests that the first gateway has sent to services since its start.
    ///
    /// # Errors
    /// When there is no gateway, or the gateway does not answer.
    pub(crate) async fn asked(&self) -> Result<Asked> {
        let gateway = self.replicas.iter().find(|replica| replica.service == Service::Gateway);
        let ops = &gateway.context("no gateway runs")?.ops;
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Asked::read(&http.get(format!("{ops}/metrics")).send().await?.error_for_status()?.text().await?))
    }

    /// Returns the counters of the first NATS server since its start.
    pub(crate) async fn nats_counters(&self) -> Result<serde_json::Value> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let first = self.nats.first().context("there is no NATS")?;
        Ok(http.get(format!("{}/varz", first.monitor_url())).send().await?.json().await?)
    }

    /// Returns the size of the files that contain the messages of a stream, in bytes.
    pub(crate) fn stream_bytes(&self, stream: &str) -> Result<u64> {
        let accounts = self.nats.first().context("there is no NATS")?.dir().join("jetstream");
        let mut bytes = 0;
        for account in std::fs::read_dir(accounts)? {
            let messages = account?.path().join("streams").join(stream).join("msgs");
            for file in messages.read_dir().into_iter().flatten() {
                bytes += file?.metadata()?.len();
            }
        }
        Ok(bytes)
    }

    /// Returns the number of stored windows.
    pub(crate) async fn stored(&self) -> Result<u64> {
        let windows = self.mongo().await?.database("t3_db_timetrack").collection::<Document>("windows");
        Ok(windows.count_documents(doc! {}).await?)
    }
}
