//! Stores windows on disk, one file each: in one folder the windows to be sent, and in another the
//! refused ones.

use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
};

use anyhow::{Context, Result};
use serde_json::Value;
use uuid::Uuid;

/// The largest number of windows in a batch that the server accepts.
const BATCH: usize = 500;

/// A store of windows in a folder.
#[derive(Debug)]
pub struct Store {
    waiting: PathBuf,
    refused: PathBuf,
}

impl Store {
    /// Opens the store, and creates its folders if they do not exist.
    ///
    /// # Errors
    /// When a folder cannot be created.
    pub fn open(folder: PathBuf) -> Result<Self> {
        let store = Self { waiting: folder.join("waiting"), refused: folder.join("refused") };
        fs::create_dir_all(&store.waiting)?;
        fs::create_dir_all(&store.refused)?;
        Ok(store)
    }

    /// Adds a window, and returns its id.
    ///
    /// # Errors
    /// When the window is not an object, its id is not a UUID, or the file cannot be written.
    #[expect(clippy::disallowed_methods, reason = "a client has no clock of a service")]
    pub fn add(&self, mut window: Value) -> Result<String> {
        let fields = window.as_object_mut().context("a window is an object")?;
        let id = fields.entry("id").or_insert_with(|| Uuid::now_v7().to_string().into());
        let id = id.as_str().context("an id is a text")?.parse::<Uuid>()?.to_string();
        let new = self.waiting.join(format!("{id}.new"));
        let mut file = File::create(&new)?;
        file.write_all(window.to_string().as_bytes())?;
        // The file is synced before it gets its final name. So a file with such a name is complete,
        // even after a power failure.
        file.sync_all()?;
        fs::rename(new, self.waiting.join(&id))?;
        File::open(&self.waiting)?.sync_all()?;
        Ok(id)
    }

    /// Returns the windows of the next batch: of the windows to be sent, those with the smallest
    /// ids. Ids that the store has made begin with the time, so older windows are sent first.
    pub(crate) fn waiting(&self) -> Result<Vec<Value>> {
        let names = fs::read_dir(&self.waiting)?.map(|entry| Ok(entry?.path()));
        let mut names = names.collect::<Result<Vec<_>>>()?;
        names.retain(|path| path.extension().is_none());
        names.sort();
        names.iter().take(BATCH).map(|path| Ok(serde_json::from_slice(&fs::read(path)?)?)).collect()
    }

    /// Removes a recorded window, and moves a refused one to the folder of refused windows. A
    /// window with another status, such as `queued`, stays.
    pub(crate) fn settle(&self, item: &Value) -> Result<()> {
        let Some(id) = item["id"].as_str() else { return Ok(()) };
        let path = self.waiting.join(id);
        match item["status"].as_str() {
            Some("stored" | "duplicate") => fs::remove_file(path)?,
            Some("rejected" | "conflict") => {
                eprintln!("refused, and kept: {id}: {}", item["detail"].as_str().unwrap_or("no reason was given"));
                fs::rename(path, self.refused.join(id))?;
            }
            _ => {}
        }
        Ok(())
    }
}
