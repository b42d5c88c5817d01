//! What the import does as an admin.

use std::{env, fs, path::Path};

use anyhow::{Context, Result};
use reqwest::{Method, StatusCode};
use serde::{Serialize, de::DeserializeOwned};

use crate::client::{Again, Client};

/// A client with the admin key.
#[derive(Debug)]
pub struct Admin<'a> {
    /// The client.
    pub client: &'a Client,
    key: String,
}

impl<'a> Admin<'a> {
    /// With the key of the environment, or that which the stack keeps in its data folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(client: &'a Client, data: &Path) -> Result<Self> {
        let key = match env::var("ADMIN_API_KEY") {
            Ok(key) if !key.is_empty() => key,
            _ => {
                let path = data.join("secrets/admin-api-key");
                fs::read_to_string(&path).with_context(|| {
                    format!("no admin key: neither ADMIN_API_KEY is set nor can {} be read", path.display())
                })?
            }
        };
        Ok(Self { client, key: key.trim().to_owned() })
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Asks for a list, or anything that can be asked for twice.
    ///
    /// # Errors
    /// What the system says.
    pub async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let request = self.client.request(Method::GET, path).header("X-API-Key", &self.key);
        self.client.send(request, Again::Always).await?.ok().with_context(|| format!("GET {path}"))
    }

    /// The same; nothing where the system does not know what is asked for.
    ///
    /// # Errors
    /// What the system says otherwise.
    pub async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let request = self.client.request(Method::GET, path).header("X-API-Key", &self.key);
        let answer = self.client.send(request, Again::Always).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        answer.ok().map(Some).with_context(|| format!("GET {path}"))
    }

    /// Creates something.
    ///
    /// # Errors
    /// What the system says.
    pub async fn create<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let request = self.client.request(Method::POST, path).header("X-API-Key", &self.key).json(body);
        self.client.send(request, Again::Refused).await?.ok().with_context(|| format!("POST {path}"))
    }

    /// Says so, without more words.
    ///
    /// # Errors
    /// What the system says.
    pub async fn post(&self, path: &str) -> Result<()> {
        let request = self.client.request(Method::POST, path).header("X-API-Key", &self.key);
        self.client.send(request, Again::Refused).await?.check().with_context(|| format!("POST {path}"))
    }
}
