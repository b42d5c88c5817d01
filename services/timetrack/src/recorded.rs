use contracts::{Window, WindowId};
use serde::Deserialize;

use crate::store::StoredWindow;

/// A stored window of any layout, for tools that read the database.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "StoredWindow")]
pub struct Recorded {
    /// The id of the window.
    pub id: WindowId,
    /// The number of changes.
    pub revision: i64,
    /// Whether it was voided.
    pub voided: bool,
    /// The window.
    pub window: Window,
}

impl From<StoredWindow> for Recorded {
    fn from(StoredWindow { id, revision, voided, window, .. }: StoredWindow) -> Self {
        Self { id, revision, voided, window }
    }
}
