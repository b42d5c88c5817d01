//! Reads the mails that a system without an SMTP server writes into its data folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mailparse::MailHeaderMap;
use tokio::time::{Instant, sleep};

/// A folder of .eml files.
#[derive(Clone, Debug)]
pub struct Mailbox {
    folder: PathBuf,
}

const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

impl Mailbox {
    /// Returns the folder of mails in this data folder.
    pub fn of(data: &Path) -> Self {
        Self { folder: data.join("mail") }
    }

    /// Waits up to 30 s for an invitation to this address whose token is not `not`, and returns the
    /// newest token.
    ///
    /// # Errors
    /// When no such mail arrives.
    pub async fn invitation(&self, address: &str, not: Option<&str>) -> Result<String> {
        self.token("activate", address, not).await
    }

    /// Does the same as [`Mailbox::invitation`], for mails with a link to another page.
    ///
    /// # Errors
    /// When no such mail arrives.
    pub async fn token(&self, page: &str, address: &str, not: Option<&str>) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.newest(page, address)? {
                Some(token) if Some(token.as_str()) != not => return Ok(token),
                _ if Instant::now() > deadline => bail!(
                    "no mail for {address} with a link to {page} came into {}: is this the data folder of the system, and does \
                     it write mails there (without EMAIL_HOST)?",
                    self.folder.display()
                ),
                _ => sleep(POLL).await,
            }
        }
    }

    /// Returns the addresses to which an invitation was sent, in lower case.
    ///
    /// # Errors
    /// When a mail cannot be read.
    pub fn invited(&self) -> Result<BTreeSet<String>> {
        let mut addresses: BTreeSet<String> = BTreeSet::new();
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(addresses) };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "eml") {
                continue;
            }
            let bytes = fs::read(&path)?;
            let mail = mailparse::parse_mail(&bytes)?;
            let to = mail.headers.get_first_header("To").and_then(|to| mailparse::addrparse_header(to).ok());
            let address = to.and_then(|to| to.extract_single_info()).map(|to| to.addr);
            addresses.extend(address.filter(|address| token("activate", &bytes, address).is_some()));
        }
        Ok(addresses.into_iter().map(|address| address.to_lowercase()).collect())
    }

    fn newest(&self, page: &str, address: &str) -> Result<Option<String>> {
        // Before the first mail is written, the folder does not exist.
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(None) };
        let mut newest = None;
        for entry in entries {
            let path = entry.with_context(|| format!("cannot list {}", self.folder.display()))?.path();
            if path.extension().is_none_or(|extension| extension != "eml") {
                continue;
            }
            let mail = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let written = fs::metadata(&path).and_then(|found| found.modified()).ok();
            if let Some(token) = token(page, &mail, address)
                && newest.as_ref().is_none_or(|(before, _)| *before <= written)
            {
                newest = Some((written, token));
            }
        }
        Ok(newest.map(|(_, token)| token))
    }
}

/// Returns the token in the link of a mail, if the mail is to this address.
fn token(page: &str, mail: &[u8], address: &str) -> Option<String> {
    let start = format!("/{page}?token=");
    let mail = mailparse::parse_mail(mail).ok()?;
    let to = mailparse::addrparse_header(mail.headers.get_first_header("To")?).ok()?;
    if !to.extract_single_info()?.addr.eq_ignore_ascii_case(address) {
        return None;
    }
    let mut bodies = mail.parts().filter_map(|part| part.get_body().ok());
    bodies.find_map(|body| {
        let (_, rest) = body.split_once(&start)?;
        Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"To: Ann <Ann@x.org>\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
        --b\r\nContent-Transfer-Encoding: 7bit\r\n\r\nhttp://h/activate?token=3DaB_-9\r\n\r\n--b--\r\n";
    // The token contains `_` and `-`, which are characters of base64url, and the link is broken
    // across lines.
    const QUOTED: &[u8] = b"To: Ann <ann@x.org>\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        h=C3=A9 http://h/activate?tok=\r\nen=3DaB_=\r\n--9 .\r\n--b--\r\n";

    #[test]
    fn the_token_is_found_however_the_mail_is_written() {
        assert_eq!(token("activate", PLAIN, "ann@x.org").as_deref(), Some("3DaB_-9"));
        assert_eq!(token("activate", QUOTED, "ann@x.org").as_deref(), Some("aB_--9"));
        assert_eq!(token("activate", PLAIN, "bob@x.org"), None);
        assert_eq!(token("activate", PLAIN, "n@x.org"), None);
        assert_eq!(token("reset", PLAIN, "ann@x.org"), None);
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
        assert_eq!(fresh.unwrap(), "aB_--9");
    }
}
