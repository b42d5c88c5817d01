//! Reads the tokens of invitations from the folder into which mails are written in development.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

/// How long it may take until an invitation is in the folder.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// The folder of mails.
#[derive(Debug)]
pub struct Mail(PathBuf);

impl Mail {
    /// Returns the folder of mails in this data folder.
    pub fn of(data: &Path) -> Self {
        Self(data.join("mail"))
    }

    /// Waits for the invitation to this address, and returns its token.
    pub async fn invitation(&self, address: &str) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(token) = self.find(address) {
                return Ok(token);
            }
            if Instant::now() > deadline {
                bail!("no invitation for {address} has come into {}", self.0.display());
            }
            sleep(POLL).await;
        }
    }

    fn find(&self, address: &str) -> Option<String> {
        // Before the first mail is written, the folder does not exist.
        let paths = fs::read_dir(&self.0).ok()?.flatten().map(|entry| entry.path());
        let mut mails = paths.filter(|path| path.extension().is_some_and(|extension| extension == "eml"));
        mails.find_map(|path| token(&fs::read_to_string(path).ok()?, address))
    }
}

/// Returns the token in the link of a mail, if the mail is to this address.
fn token(mail: &str, address: &str) -> Option<String> {
    let (head, body) = mail.split_once("\r\n\r\n")?;
    if !head.contains(&format!("<{address}>")) {
        return None;
    }
    // The body is quoted-printable: a line may be broken anywhere, and `=` is written as `=3D`.
    let body = body.replace("=\r\n", "").replace("=3D", "=");
    let (_, rest) = body.split_once("/activate?token=")?;
    Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_however_the_mail_is_written() {
        let plain = "To: Ann <ann@x.example>\r\nSubject: x\r\n\r\nhttp://h/activate?token=aB_-9\r\n";
        let quoted = "To: =?utf-8?b?w4k=?= <ann@x.example>\r\n\r\nh=C3=A9 http://h/activate?tok=\r\nen=3DaB_=\r\n-9 .";
        assert_eq!(token(plain, "ann@x.example").as_deref(), Some("aB_-9"));
        assert_eq!(token(quoted, "ann@x.example").as_deref(), Some("aB_-9"));
        assert_eq!(token(plain, "n@x.example"), None);
    }
}
