use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use contracts::{Secret, User};
use servers::{Access, Mongo, MongoOptions, Nats, NatsOptions, Programs};

fn program(settings: &[(&str, &str)], args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    command.env_clear().envs(settings.iter().copied()).args(args);
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), format!("{}{}", String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap()))
}

async fn nats(dir: &Path, sync_always: bool) -> Nats {
    let program = Programs::nats_server(&servers::on_stderr()).await.unwrap();
    let mut options = NatsOptions::new(program, dir.join("nats"));
    options.sync_always = sync_always;
    options.extra = format!("include {:?}", "../secrets/nats/users.conf");
    Nats::start(options).await.unwrap()
}

async fn mongo(dir: &Path) -> Mongo {
    let program = Programs::mongod(&servers::on_stderr()).await.unwrap();
    let mut options = MongoOptions::new(program, dir.join("mongo"));
    let password = fs::read_to_string(dir.join("secrets/mongo/root.password")).unwrap();
    let root_password = Secret::new(password.trim());
    options.access = Some(Access { key_file: dir.join("secrets/mongo/keyfile"), root_password });
    Mongo::start(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_makes_everything_once_and_says_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = dir.path().join("secrets");
    let in_secrets = |name: &str| secrets.join(name).to_str().unwrap().to_owned();
    assert_eq!(program(&[], &["secrets", &in_secrets("")]), (Some(0), String::new()));
    let key = fs::read(secrets.join("nats/gateway.nk")).unwrap();
    assert_eq!(program(&[], &["secrets", &in_secrets("")]), (Some(0), String::new()));
    assert_eq!(fs::read(secrets.join("nats/gateway.nk")).unwrap(), key);

    let (nats, mongo) = tokio::join!(nats(dir.path(), true), mongo(dir.path()));
    let (nats_url, monitor, mongo_url) = (nats.url(), nats.monitor_url(), mongo.connection_string());
    let (nkey, password) = (in_secrets("nats/provision.nk"), in_secrets("mongo/root.password"));
    let dir_of_secrets = in_secrets("");
    let mut settings = vec![
        ("NATS_URL", nats_url.as_str()),
        ("NATS_NKEY_FILE", &nkey),
        ("NATS_MONITOR_URL", &monitor),
        ("MONGO_CONNECTION_STRING", &mongo_url),
        ("MONGO_PASSWORD_FILE", &password),
        ("SECRETS_DIR", &dir_of_secrets),
        ("LOG_LEVEL", "warn"),
    ];
    let (code, said) = program(&settings, &["run", "--check"]);
    assert_eq!(code, Some(1), "{said}");
    for line in
        ["stream INGEST: create", "consumer mailer of EVENTS: create", "user timetrack of t3_db_timetrack: create"]
    {
        assert!(said.lines().any(|one| one == line), "no {line}: {said}");
    }
    assert_eq!(program(&settings, &["run"]), (Some(0), String::new()));
    assert_eq!(program(&settings, &["run"]), (Some(0), String::new()));
    assert_eq!(program(&settings, &["run", "--check"]), (Some(0), String::new()));
    settings.retain(|(name, _)| *name != "NATS_MONITOR_URL");
    let (code, said) = program(&settings, &["run"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("NATS_MONITOR_URL is missing"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_that_does_not_fsync_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = dir.path().join("secrets");
    let made = provisioning::Secrets::make(&secrets).unwrap();
    let nats = nats(dir.path(), false).await;
    let seed = made.nkey(User::Provision).unwrap();
    let (url, monitor) = (nats.url(), nats.monitor_url());
    let settings = [("NATS_URL", url.as_str()), ("NATS_NKEY", seed.expose()), ("NATS_MONITOR_URL", &monitor)];
    let (code, said) = program(&settings, &["run"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("does not fsync what it acknowledges: set `sync_interval: always`"), "{said}");
    assert!(!said.contains(seed.expose()), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_understands_the_configuration_of_its_users() {
    let dir = tempfile::tempdir().unwrap();
    let nats_server = Programs::nats_server(&servers::on_stderr()).await.unwrap();
    provisioning::Secrets::make(dir.path()).unwrap();
    let checked =
        Command::new(nats_server).arg("-t").arg("-c").arg(dir.path().join("nats/users.conf")).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
