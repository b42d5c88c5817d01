use contracts::{Window, WindowId};
use serde::Deserialize;

use crate::store::StoredWindow;

/// A stored window in any layout, for tools that read the database.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "StoredWindow")]
pub struct Recorded {
    /// The id of the window.
    pub id: WindowId,
    /// The revision: 1 for a new window, and one more after every change.
    pub revision: i64,
    /// Whether an admin has voided the window.
    pub voided: bool,
    /// The window, with the field names of the API.
    pub window: Window,
}

impl From<StoredWindow> for Recorded {
    fn from(StoredWindow { id, revision, voided, window, .. }: StoredWindow) -> Self {
        Self { id, revision, voided, window }
    }
}
