use std::sync::Arc;

use anyhow::Context;
use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store, UpdateErrorKind};
use bytes::Bytes;
use contracts::{Awaited, EmployeeChanged, Revocation};
use kit::{Delivery, Error};

use crate::App;

/// How often a write is tried again that another replica was faster with.
const TRIES: usize = 5;

/// Tells the gateways whose older tokens are over, by the bucket that they watch.
pub(crate) async fn employee_changed(
    app: Arc<App>,
    _delivery: Delivery,
    EmployeeChanged(standing): EmployeeChanged,
) -> Result<Vec<Awaited>, Error> {
    if standing.epoch > 0 {
        revoke(&app.revocations, &Revocation::key(standing.id), Revocation { epoch: standing.epoch }).await?;
    }
    Ok(Vec::new())
}

/// Raises the epoch under a key. An older event that comes later never lowers it: a write counts
/// only on top of the entry that was read.
async fn revoke(bucket: &Store, key: &str, revocation: Revocation) -> Result<(), Error> {
    let value: Bytes = serde_json::to_vec(&revocation)?.into();
    for _ in 0..TRIES {
        let entry = bucket.entry(key).await.map_err(|e| Error::Nats(e.into()))?;
        let is_written = match entry.filter(|entry| entry.operation == Operation::Put) {
            None => match bucket.create(key, value.clone()).await {
                Ok(_) => true,
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => false,
                Err(error) => return Err(Error::Nats(error.into())),
            },
            Some(entry) => {
                let known: Revocation = serde_json::from_slice(&entry.value).context("an entry in the bucket")?;
                if known.epoch >= revocation.epoch {
                    return Ok(());
                }
                match bucket.update(key, value.clone(), entry.revision).await {
                    Ok(_) => true,
                    Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => false,
                    Err(error) => return Err(Error::Nats(error.into())),
                }
            }
        };
        if is_written {
            return Ok(());
        }
    }
    Err(anyhow::anyhow!("others kept writing this revocation").into())
}
