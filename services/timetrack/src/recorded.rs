use contracts::{Window, WindowId};
use serde::Deserialize;

use crate::store::StoredWindow;

/// A window as it is stored, in whatever layout: for tools that look into the database.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "StoredWindow")]
pub struct Recorded {
    /// Its id.
    pub id: WindowId,
    /// How often it was changed.
    pub revision: i64,
    /// Whether it counts no longer.
    pub voided: bool,
    /// What it says.
    pub window: Window,
}

impl From<StoredWindow> for Recorded {
    fn from(StoredWindow { id, revision, voided, window, .. }: StoredWindow) -> Self {
        Self { id, revision, voided, window }
    }
}
