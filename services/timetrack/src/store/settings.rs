use bson::doc;
use contracts::Settings;
use kit::{Database, Error, Shape, Tx};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// The `_id` of the only document.
const ORGANISATION: &str = "organisation";

/// The document of the settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Document {
    #[serde(rename = "_id")]
    id: String,
    settings: Settings,
}

/// The collection with the settings of the organisation. It is empty before the first change.
#[derive(Clone, Debug)]
pub(crate) struct SettingsStore(Collection<Document>);

impl SettingsStore {
    pub(super) fn shape() -> Shape {
        ("settings", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("settings"))
    }

    /// The present settings; the default ones if none are stored.
    pub(crate) async fn get(&self) -> Result<Settings, Error> {
        let stored = self.0.find_one(doc! { "_id": ORGANISATION }).await?;
        Ok(stored.map(|stored| stored.settings).unwrap_or_default())
    }

    /// The present settings, read in a transaction; the default ones if none are stored.
    pub(crate) async fn load(&self, tx: &mut Tx<'_>) -> Result<Settings, Error> {
        let stored = self.0.find_one(doc! { "_id": ORGANISATION }).session(&mut tx.session).await?;
        Ok(stored.map(|stored| stored.settings).unwrap_or_default())
    }

    /// Replaces the settings.
    pub(crate) async fn set(&self, tx: &mut Tx<'_>, settings: &Settings) -> Result<(), Error> {
        let document = Document { id: ORGANISATION.to_owned(), settings: settings.clone() };
        self.0.replace_one(doc! { "_id": ORGANISATION }, document).upsert(true).session(&mut tx.session).await?;
        Ok(())
    }
}
