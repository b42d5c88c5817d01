use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use servers::DataDir;

use crate::{LIMIT, folder, start_mongo, start_nats};

const FOLDER: &str = "SERVERS_TEST_FOLDER";

/// No test of its own: the test `the_servers_die_…` runs this in another process, which starts two
/// servers.
#[test]
fn a_process_that_owns_servers() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let _data = DataDir::open(&folder).unwrap();
    // The servers are started from a thread that ends, as threads of a runtime may end.
    let start = {
        let folder = folder.clone();
        move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let nats = start_nats(folder.join("nats")).await;
                let mongo = start_mongo(folder.join("mongo")).await;
                (nats, mongo)
            })
        }
    };
    let (nats, mongo) = std::thread::spawn(start).join().unwrap();
    let pids = format!("{} {}", nats.pid(), mongo.pid());
    fs::write(folder.join("pids.new"), pids).unwrap();
    fs::rename(folder.join("pids.new"), folder.join("pids")).unwrap();
    std::thread::sleep(2 * LIMIT);
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn runs(pid: &str) -> bool {
    // A zombie counts as ended.
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}

#[test]
fn the_servers_die_when_their_owner_is_killed_and_the_folder_can_be_used_again() {
    let folder = folder();
    let mut owner = Command::new(env::current_exe().unwrap())
        .args(["--exact", "gone_with_us::a_process_that_owns_servers"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("the servers run", || folder.path().join("pids").exists());
    let pids = fs::read_to_string(folder.path().join("pids")).unwrap();
    let pids: Vec<&str> = pids.split(' ').collect();
    // The servers have outlived the thread that started them.
    assert!(pids.iter().all(|pid| runs(pid)));
    let refusal = DataDir::open(folder.path()).unwrap_err().to_string();
    assert!(refusal.contains(&format!("process {}", owner.id())), "{refusal}");

    owner.kill().unwrap();
    owner.wait().unwrap();
    let _data = DataDir::open(folder.path()).unwrap();
    let started = Instant::now();
    until("both are gone", || !pids.iter().any(|pid| runs(pid)));
    eprintln!("gone after {:?}", started.elapsed());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        start_nats(folder.path().join("nats")).await;
        start_mongo(folder.path().join("mongo")).await;
    });
}
