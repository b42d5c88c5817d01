//! Compares the copies that this service keeps with their owners' data: the memberships, which the
//! service `projects` owns, and the bucket that gateways watch, which this service itself owns.

mod bucket;
mod memberships;

use std::sync::Arc;

use contracts::{ReconcileDirectory, Reconciled};
use kit::{Call, Copies, Error, Reconciler, Tally};

use crate::App;

/// The names of the copies, for metrics and logs.
pub(crate) const COPIES: [&str; 3] = ["memberships", "lists", "revocations"];

impl Copies for App {
    fn reconciler(&self) -> &Reconciler {
        &self.reconciler
    }

    async fn compare_all(&self) -> Result<Vec<(&'static str, Tally)>, Error> {
        let [edges, lists, bucket] = COPIES;
        Ok(vec![
            (edges, self.reconciler.compare(&memberships::Edges(self)).await?),
            (lists, memberships::compare_lists(self).await?),
            (bucket, bucket::compare(self).await?),
        ])
    }
}

/// Compares all copies now, repairs the differences, and returns the result. For admins.
pub(crate) async fn reconcile(app: Arc<App>, call: Call, _: ReconcileDirectory) -> Result<Reconciled, Error> {
    call.require_admin()?;
    Reconciler::now(app).await
}
