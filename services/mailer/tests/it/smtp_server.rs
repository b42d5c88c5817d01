//! Runs aiosmtpd as a child process (see `smtp_server.py`), with a certificate from a root of our
//! own.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use contracts::Secret;
use mailer::Config;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

/// A mail server that accepts mail to everybody except `gone@…`. It refuses `later@…` once, and
/// answers 12 seconds late for `slow@…`.
pub struct SmtpServer {
    pub port: u16,
    folder: TempDir,
    child: Child,
    // The server ends when its standard input closes. That happens when this value is dropped, or
    // when this process ends.
    _stdin: ChildStdin,
}

impl SmtpServer {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write_certificates(folder.path());
        fs::create_dir(at("mails")).unwrap();
        let mut child = Command::new("python3")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/smtp_server.py"))
            .args([packages(), at("mails"), at("server.pem"), at("server.key")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let port = said.trim().parse().expect("the port that it listens on");
        let stdin = child.stdin.take().unwrap();
        Self { port, folder, child, _stdin: stdin }
    }

    /// Returns the settings of a mailer that sends to this server.
    pub fn config(&self) -> Config {
        let some = |text: &str| Some(text.to_owned());
        Config {
            email_host: some("localhost"),
            email_port: Some(self.port.to_string()),
            email_username: some("t3"),
            email_password: Some(Secret::new("planted-smtp-password")),
            email_from: some("T3 <no-reply@t3.example.org>"),
            email_ca_file: Some(self.folder.path().join("ca.pem")),
            public_url: some("https://time.example.org"),
            ..Config::default()
        }
    }

    /// Makes the server refuse every mail by policy, or stop doing so.
    pub fn refuse(&self, refuses: bool) {
        let file = self.folder.path().join("mails/refuse");
        if refuses { fs::write(file, "").unwrap() } else { fs::remove_file(file).unwrap() }
    }

    /// Makes the server accept addresses with non-ASCII characters before the @.
    pub fn take_utf8(&self) {
        fs::write(self.folder.path().join("mails/utf8"), "").unwrap();
    }

    /// Returns the mails that were received, in their order.
    pub fn mails(&self) -> Vec<Value> {
        let files = fs::read_dir(self.folder.path().join("mails")).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
        files.sort();
        files.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
    }

    /// Waits until at least this many mails were received, and returns all.
    pub async fn until_mails(&self, number: usize) -> Vec<Value> {
        let within = std::time::Duration::from_secs(60);
        testkit::eventually_within(within, "the mails", async || {
            let mails = self.mails();
            (mails.len() >= number).then_some(mails)
        })
        .await
    }
}

impl SmtpServer {
    /// Returns the received mails with this subject.
    pub fn mails_about(&self, subject: &str) -> Vec<Value> {
        let mut mails = self.mails();
        mails.retain(|mail| mail["headers"]["subject"] == subject);
        mails
    }

    /// Waits until at least this many mails with this subject were received for this address, and
    /// returns them.
    pub async fn until_mails_to(&self, email: &str, subject: &str, number: usize) -> Vec<Value> {
        let within = std::time::Duration::from_secs(60);
        testkit::eventually_within(within, &format!("{number} mails to {email}: {subject}"), async || {
            let mut mails = self.mails_about(subject);
            mails.retain(|mail| mail["to"][0] == email);
            (mails.len() >= number).then_some(mails)
        })
        .await
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        // The error is ignored, because the child may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a root certificate of our own, and a certificate for localhost with its key.
fn write_certificates(folder: &Path) {
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &root).unwrap();
    fs::write(folder.join("ca.pem"), root.pem()).unwrap();
    fs::write(folder.join("server.pem"), server.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

/// Returns the folder of the Python package aiosmtpd, which is downloaded once into the user's
/// cache.
fn packages() -> PathBuf {
    const PACKAGES: [&str; 3] = ["aiosmtpd==1.4.6", "atpublic==5.1", "attrs==25.3.0"];
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".cache"));
    let cache = absolute("XDG_CACHE_HOME").or_else(home).expect("HOME").join("t3");
    let here = cache.join("aiosmtpd-1.4.6");
    fs::create_dir_all(&cache).unwrap();
    let lock = fs::File::create(cache.join("aiosmtpd-1.4.6.lock")).unwrap();
    lock.lock().unwrap();
    // A folder that exists is complete, because it gets this name only after the download.
    if !here.is_dir() {
        let new = cache.join("aiosmtpd-1.4.6.new");
        // An interrupted download may have left this folder. Usually it does not exist.
        let _ = fs::remove_dir_all(&new);
        let fetched = [&["python3", "-m", "pip"][..], &["uv", "pip"]].into_iter().any(|installer| {
            let mut command = Command::new(installer[0]);
            command.args(&installer[1..]).args(["install", "--quiet", "--no-deps", "--only-binary", ":all:"]);
            command
                .arg("--target")
                .arg(&new)
                .args(PACKAGES)
                .env("PIP_USER", "0")
                .env("PIP_ROOT_USER_ACTION", "ignore")
                .current_dir(&cache);
            command.status().is_ok_and(|status| status.success())
        });
        assert!(fetched, "neither pip nor uv fetches {PACKAGES:?}");
        fs::rename(&new, &here).unwrap();
    }
    here
}
