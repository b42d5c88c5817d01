use std::{
    io,
    path::{Path, PathBuf},
};

use contracts::Millis;
use tokio::{fs, io::AsyncWriteExt};

use super::{Letter, NotSent};
use crate::domain::Cause;

/// The folder into which mails are written in development. Each mail is a file `<milliseconds since
/// 1970>-<mail id>.eml`, so that the names sort by time.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) async fn write(&self, letter: &Letter, now: Millis) -> Result<(), NotSent> {
        let path = self.0.join(format!("{now}-{}.eml", letter.id));
        whole(&path, &letter.bytes)
            .await
            .map_err(|error| NotSent::new(Cause::Ours, format!("{} cannot be written: {error}", path.display())))?;
        // Everywhere else a link is secret and never logged. Here nobody receives the mail, so the
        // developer needs the link from the log.
        tracing::info!(link = letter.link, file = %path.display(), "no EMAIL_HOST is set: a mail is written as a file");
        Ok(())
    }
}

/// Writes a file completely or not at all. Only the user of this process may read the file, because
/// it contains a token.
async fn whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).await?;
    let temporary = path.with_extension("new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    fs::rename(&temporary, path).await
}
