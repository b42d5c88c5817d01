use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Result, ensure};
use mailparse::MailHeaderMap;
use tokio::time::{Instant, sleep};

/// How long an invitation may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(40);

/// The mails of a system without an SMTP server. There are many, so each file is deleted after it
/// is read.
#[derive(Debug)]
pub(super) struct Mails {
    folder: PathBuf,
    /// The token of the newest invitation to each address.
    tokens: Arc<Mutex<HashMap<String, String>>>,
    /// The files that were read but could not be deleted.
    reading: Mutex<HashSet<PathBuf>>,
}

impl Mails {
    /// Returns the mails of the system with this data folder.
    pub(super) fn of(data: &Path) -> Self {
        Self { folder: data.join("mail"), tokens: Arc::default(), reading: Mutex::default() }
    }

    /// Waits for an invitation to this address, and returns its token.
    pub(super) async fn invitation(&self, address: &str) -> Result<String> {
        let asked = Instant::now();
        loop {
            if let Some(token) = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).remove(address) {
                return Ok(token);
            }
            ensure!(asked.elapsed() < PATIENCE, "no invitation of {address} after {} s", PATIENCE.as_secs());
            self.read();
            sleep(LOOK).await;
        }
    }

    /// Reads the new mails. A file that cannot be read now is read the next time.
    pub(super) fn read(&self) {
        // If another task reads the mails now, this one need not.
        let Ok(mut gone) = self.reading.try_lock() else { return };
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_none_or(|extension| extension != "eml") || gone.contains(&path) {
                continue;
            }
            let Ok(mail) = fs::read(&path) else { continue };
            if let Some((address, token)) = invitation(&mail) {
                self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(address, token);
            }
            if fs::remove_file(&path).is_err() {
                gone.insert(path);
            }
        }
    }
}

/// Returns the recipient and the token of a mail, if it is an invitation.
fn invitation(mail: &[u8]) -> Option<(String, String)> {
    let mail = mailparse::parse_mail(mail).ok()?;
    let to = mailparse::addrparse_header(mail.headers.get_first_header("To")?).ok()?;
    let address = to.extract_single_info()?.addr.to_lowercase();
    let mut bodies = mail.parts().filter_map(|part| part.get_body().ok());
    bodies.find_map(|body| {
        let (_, rest) = body.split_once("/activate?token=")?;
        let token = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
        Some((address.clone(), token))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_mail_is_read_once_and_deleted_and_gives_its_token() {
        let data = tempfile::tempdir().unwrap();
        let mails = Mails::of(data.path());
        fs::create_dir(data.path().join("mail")).unwrap();
        let mail = b"To: Ann <Ann@x.org>\r\nContent-Type: text/plain\r\n\r\nhttp://h/activate?token=aB_-9\r\n";
        fs::write(data.path().join("mail/1.eml"), mail).unwrap();
        assert_eq!(mails.invitation("ann@x.org").await.unwrap(), "aB_-9");
        assert_eq!(fs::read_dir(data.path().join("mail")).unwrap().count(), 0);
    }
}
