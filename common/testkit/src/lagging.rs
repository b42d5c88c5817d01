use bson::{Bson, Document, doc};
use contracts::Service;
use servers::Mongo;
use tempfile::TempDir;

use crate::servers::start_mongo_with;

/// A mongod for one test, which can be made to answer as if its secondaries lagged.
pub struct LaggingMongo {
    mongo: Mongo,
    _folder: TempDir,
}

impl LaggingMongo {
    /// Starts the mongod. It does not lag at first.
    ///
    /// # Panics
    /// When mongod cannot be started.
    pub async fn start() -> Self {
        let folder = crate::folder();
        let mongo = start_mongo_with(folder.path(), &["--setParameter", "enableTestCommands=1"]).await;
        Self { mongo, _folder: folder }
    }

    /// The connection string of the mongod, for [`crate::Harness::start_on`].
    pub fn connection_string(&self) -> String {
        self.mongo.connection_string()
    }

    /// Makes mongod answer the next `times` commands of this name with a write-concern error, in
    /// addition to their other errors. The commands are still executed.
    ///
    /// # Panics
    /// When mongod cannot be reached, or refuses the failpoint.
    pub async fn lag(&self, harness: &crate::Harness, command: &str, times: i32) {
        let error =
            doc! { "code": 64, "codeName": "WriteConcernFailed", "errmsg": "waiting for replication timed out" };
        let data = doc! { "failCommands": [command], "writeConcernError": error };
        Self::set(harness, doc! { "times": times }.into(), data).await;
    }

    /// Makes mongod refuse the next `times` commands of this name on a collection of a service, as
    /// a primary does that is about to stop.
    ///
    /// # Panics
    /// When mongod cannot be reached, or refuses the failpoint.
    pub async fn refuse(
        &self,
        harness: &crate::Harness,
        (service, collection): (Service, &str),
        command: &str,
        times: i32,
    ) {
        let namespace = format!("{}.{collection}", harness.settings().mongo.database(service));
        // Without an error label, the driver repeats no part of a transaction by itself.
        let data = doc! { "failCommands": [command], "namespace": namespace, "errorCode": 91, "errorLabels": Bson::Array(vec![]) };
        Self::set(harness, doc! { "times": times }.into(), data).await;
    }

    /// Ends the lag and the refusals: mongod answers normally again.
    ///
    /// # Panics
    /// When mongod cannot be reached, or refuses the failpoint.
    pub async fn catch_up(&self, harness: &crate::Harness) {
        Self::set(harness, "off".into(), Document::new()).await;
    }

    async fn set(harness: &crate::Harness, mode: Bson, data: Document) {
        let url = &harness.settings().mongo.mongo_connection_string;
        let client = kit::mongo::connect(url.expose(), None, "lag").await.expect("an address");
        let fails = doc! { "configureFailPoint": "failCommand", "mode": mode, "data": data };
        client.database("admin").run_command(fails).await.expect("a mongod that takes test commands");
    }
}
