use std::path::Path;

use contracts::{Account, Rights, Secret, Service, User};
use kit::config;
use provisioning::{Secrets, nats_users, new_key};
use servers::{Access, Mongo, MongoOptions, Nats, NatsOptions, Programs};
use tokio::sync::OnceCell;

use crate::folder::process_folder;

/// What all tests of a process share: the secrets, the keys of the NATS users `tests`, and one
/// mongod.
pub(crate) struct Shared {
    pub(crate) secrets: Secrets,
    mongo: OnceCell<Mongo>,
    /// The seed and the public key of the user `tests` in each NATS account. This user may do
    /// everything in its account.
    keys: [(Secret, String); 2],
}

static SHARED: OnceCell<Shared> = OnceCell::const_new();

pub(crate) async fn shared() -> &'static Shared {
    SHARED
        .get_or_init(|| async {
            let secrets = Secrets::make(&process_folder().join("secrets")).expect("secrets");
            let keys = Account::ALL.map(|_| new_key().expect("a key"));
            Shared { secrets, mongo: OnceCell::new(), keys }
        })
        .await
}

/// Starts the mongod of this process if it does not run yet, with the user `root` of [`secrets`].
/// Returns its connection string.
///
/// # Panics
/// When mongod cannot be started.
pub async fn shared_mongo() -> &'static str {
    static ADDRESS: OnceCell<String> = OnceCell::const_new();
    let started = async {
        let shared = shared().await;
        let start = async || start_mongo(&process_folder().join("mongo")).await;
        shared.mongo.get_or_init(start).await.connection_string()
    };
    ADDRESS.get_or_init(|| started).await
}

/// Starts a mongod for one test, with the user `root` of [`secrets`].
///
/// # Panics
/// When mongod cannot be started.
pub async fn start_mongo(dir: &Path) -> Mongo {
    start_mongo_with(dir, &[]).await
}

/// Makes mongod close a file after 30 seconds without use. Each collection and index is a file,
/// which mongod keeps open for ten minutes by default. All tests of a crate together would then
/// need more open files than a process may have.
const CLOSE_FILES: [&str; 2] = ["--wiredTigerEngineConfigString", "file_manager=(close_idle_time=30)"];

/// Makes mongod hash passwords with the fewest iterations that it allows. Each service of each test
/// logs in, and computing these hashes is slow in the driver's debug build.
const FAST_LOGINS: [&str; 4] =
    ["--setParameter", "scramIterationCount=5000", "--setParameter", "scramSHA256IterationCount=5000"];

/// As [`start_mongo`], with additional arguments, such as those for failpoints.
///
/// # Panics
/// When mongod cannot be started.
pub async fn start_mongo_with(dir: &Path, args: &[&str]) -> Mongo {
    let program = Programs::mongod(&servers::on_stderr()).await.expect("mongod");
    let secrets = &shared().await.secrets;
    let (key_file, root_password) = (secrets.path("mongo/keyfile"), secrets.root_password().expect("a password"));
    let mut options = MongoOptions::new(program, dir);
    options.access = Some(Access { key_file, root_password });
    options.args = CLOSE_FILES.iter().chain(&FAST_LOGINS).chain(args).map(ToString::to_string).collect();
    Mongo::start(options).await.expect("mongod starts")
}

/// The secrets of all NATS and MongoDB users, and the other secrets that a system needs.
pub async fn secrets() -> &'static Secrets {
    &shared().await.secrets
}

/// Starts a nats-server with the users of production and, in each account, the user `tests`, who
/// may do everything there.
pub(crate) async fn start_nats(dir: &Path) -> Nats {
    start_nats_with(dir, "").await
}

/// As [`start_nats`], with additional configuration, such as that of a cluster.
pub(crate) async fn start_nats_with(dir: &Path, more: &str) -> Nats {
    let program = Programs::nats_server(&servers::on_stderr()).await.expect("nats-server");
    let shared = shared().await;
    let tests = shared.keys.iter().zip(Account::ALL);
    let tests = tests.map(|((_, key), account)| ("tests", key.clone(), Rights::all(account)));
    let users = shared.secrets.users().expect("keys").into_iter().chain(tests);
    let mut options = NatsOptions::new(program, dir);
    options.extra = nats_users(users) + "\n" + more;
    Nats::start(options).await.expect("nats-server starts")
}

/// The settings for a connection to NATS as this user.
pub(crate) async fn nats_settings(url: &str, user: User) -> config::Nats {
    with_seed(url, secrets().await.nkey(user).expect("a key"))
}

/// The settings for a connection to NATS as the user `tests`, who may do everything in this
/// account.
pub(crate) async fn nats_settings_of_test(url: &str, account: Account) -> config::Nats {
    let place = Account::ALL.iter().position(|other| *other == account).expect("an account");
    with_seed(url, shared().await.keys[place].0.clone())
}

fn with_seed(url: &str, seed: Secret) -> config::Nats {
    config::Nats { nats_url: url.to_owned(), nats_nkey: Some(seed), nats_nkey_file: None, nats_tls_ca: None }
}

/// The settings for a connection to MongoDB as a service's user, or as `root` if `service` is None.
pub(crate) async fn mongo_settings(connection_string: &str, prefix: &str, service: Option<Service>) -> config::Mongo {
    let secrets = secrets().await;
    let (connection_string, mongo_password) = match service {
        Some(service) => (connection_string.to_owned(), secrets.mongo_password(service).expect("a password")),
        None => {
            let root = format!("mongodb://root:{}@", secrets.root_password().expect("a password").expose());
            (connection_string.replacen("mongodb://", &root, 1) + "&authSource=admin", None)
        }
    };
    config::Mongo {
        mongo_connection_string: Secret::new(connection_string),
        mongo_connection_string_file: None,
        mongo_password,
        mongo_password_file: None,
        mongo_db_name: prefix.to_owned(),
    }
}
