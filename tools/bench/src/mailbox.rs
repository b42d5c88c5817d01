//! The invitations that a system without SMTP leaves in its data folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::{Instant, sleep};

/// A folder of .eml files.
#[derive(Clone, Debug)]
pub struct Mailbox {
    folder: PathBuf,
}

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);

impl Mailbox {
    /// The mails of the system with this data folder.
    pub fn of(data: &Path) -> Self {
        Self { folder: data.join("mail") }
    }

    /// The token of the newest invitation to an address, other than the one given; waits up to
    /// 30 s for it.
    ///
    /// # Errors
    /// When none comes.
    pub async fn invitation(&self, address: &str, not: Option<&str>) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.newest(address)? {
                Some(token) if Some(token.as_str()) != not => return Ok(token),
                _ if Instant::now() > deadline => bail!(
                    "no invitation for {address} came into {}: is this the data folder of the system, and does \
                     it write mails there (without EMAIL_HOST)?",
                    self.folder.display()
                ),
                _ => sleep(LOOK).await,
            }
        }
    }

    fn newest(&self, address: &str) -> Result<Option<String>> {
        // The folder comes with the first mail.
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(None) };
        let mut newest = None;
        for entry in entries {
            let path = entry.with_context(|| format!("cannot list {}", self.folder.display()))?.path();
            if path.extension().is_none_or(|extension| extension != "eml") {
                continue;
            }
            let mail = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let written = fs::metadata(&path).and_then(|found| found.modified()).ok();
            if let Some(token) = token(&mail, address)
                && newest.as_ref().is_none_or(|(before, _)| *before <= written)
            {
                newest = Some((written, token));
            }
        }
        Ok(newest.map(|(_, token)| token))
    }
}

/// The token of the link in a mail to the address.
fn token(mail: &str, address: &str) -> Option<String> {
    const LINK: &str = "/activate?token=";
    let mail = mail.replace("\r\n", "\n");
    let (headers, body) = mail.split_once("\n\n")?;
    let recipient = headers.lines().find(|line| line.to_lowercase().starts_with("to:"))?;
    if !recipient.to_lowercase().contains(&address.to_lowercase()) {
        return None;
    }
    // One part says how it is written in headers of its own, a mail of several in each.
    let parts = body.split("\n--").map(|part| format!("{headers}\n{part}"));
    let readable = parts.map(|part| if is_quoted(&part) { unquoted(&part) } else { part });
    readable.into_iter().find_map(|part| {
        let (_, rest) = part.split_once(LINK)?;
        Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect())
    })
}

fn is_quoted(part: &str) -> bool {
    part.to_lowercase().contains("content-transfer-encoding: quoted-printable")
}

/// Quoted-printable (RFC 2045, 6.7), as far as links go.
fn unquoted(part: &str) -> String {
    part.replace("=\n", "").replace("=3D", "=").replace("=3d", "=")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "To: Ann <Ann@x.org>\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
        --b\r\nContent-Transfer-Encoding: 7bit\r\n\r\nhttp://h/activate?token=3DaB_-9\r\n\r\n--b--\r\n";
    const QUOTED: &str = "To: Ann <ann@x.org>\r\n\r\n--b\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\nh=C3=A9 http://h/activate?tok=\r\nen=3DaB_=\r\n-9 .\r\n--b--\r\n";

    #[test]
    fn the_token_is_found_however_the_mail_is_written() {
        assert_eq!(token(PLAIN, "ann@x.org").as_deref(), Some("3DaB_-9"));
        assert_eq!(token(QUOTED, "ann@x.org").as_deref(), Some("aB_-9"));
        assert_eq!(token(PLAIN, "bob@x.org"), None);
    }

    #[tokio::test]
    async fn a_fresh_invitation_is_waited_for() {
        let data = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::of(data.path());
        fs::create_dir(data.path().join("mail")).unwrap();
        fs::write(data.path().join("mail/1.eml"), PLAIN).unwrap();
        assert_eq!(mailbox.invitation("ann@x.org", None).await.unwrap(), "3DaB_-9");
        let (fresh, ()) = tokio::join!(mailbox.invitation("ann@x.org", Some("3DaB_-9")), async {
            fs::write(data.path().join("mail/2.eml"), QUOTED).unwrap();
        });
        assert_eq!(fresh.unwrap(), "aB_-9");
    }
}
