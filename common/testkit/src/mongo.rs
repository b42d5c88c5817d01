use servers::{Mongo, MongoOptions, Programs};
use tempfile::TempDir;
use tokio::sync::OnceCell;

struct Shared {
    connection_string: String,
    // Both live as long as the test process; the server dies with it.
    _server: Mongo,
    _folder: TempDir,
}

static SHARED: OnceCell<Shared> = OnceCell::const_new();

/// The one mongod of this test process.
///
/// # Panics
/// When it cannot be started.
pub async fn shared_mongo() -> &'static str {
    let shared = SHARED.get_or_init(|| async {
        let program = Programs::mongod(&servers::on_stderr()).await.expect("mongod");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = Mongo::start(MongoOptions::new(program, folder.path())).await.expect("mongod starts");
        Shared { connection_string: server.connection_string(), _server: server, _folder: folder }
    });
    &shared.await.connection_string
}
