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
    /// Starts the mongod, which does not lag yet.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start() -> Self {
        let folder = crate::folder();
        let mongo = start_mongo_with(folder.path(), &["--setParameter", "enableTestCommands=1"]).await;
        Self { mongo, _folder: folder }
    }

    /// The connection string of the mongod, for [`crate::Harness::start_on`].
    pub fn connection_string(&self) -> String {
        self.mongo.connection_string()
    }

    /// Lets the next `times` commands of this name be carried out, and be answered with a write-concern error besides
    /// their other errors.
    ///
    /// # Panics
    /// When it does not do that.
    pub async fn lag(&self, harness: &crate::Harness, command: &str, times: i32) {
        let error =
            doc! { "code": 64, "codeName": "WriteConcernFailed", "errmsg": "waiting for replication timed out" };
        let data = doc! { "failCommands": [command], "writeConcernError": error };
        Self::set(harness, doc! { "times": times }.into(), data).await;
    }

    /// The next `times` commands of this name on a collection of a service are refused, as by a primary that is
    /// about to stop.
    ///
    /// # Panics
    /// When it does not do that.
    pub async fn refuse(
        &self,
        harness: &crate::Harness,
        (service, collection): (Service, &str),
        command: &str,
        times: i32,
    ) {
        let namespace = format!("{}.{collection}", harness.settings().mongo.database(service));
        // Without a label the driver repeats nothing of a transaction by itself.
        let data = doc! { "failCommands": [command], "namespace": namespace, "errorCode": 91, "errorLabels": Bson::Array(vec![]) };
        Self::set(harness, doc! { "times": times }.into(), data).await;
    }

    /// Ends the lag.
    ///
    /// # Panics
    /// When it does not do that.
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
