//! The requests that the import sends as an admin.

use std::{env, fs, path::Path};

use anyhow::{Context, Result};
use reqwest::{Method, StatusCode};
use serde::{Serialize, de::DeserializeOwned};

use crate::client::{Client, Retry};

/// A client that sends the admin key.
#[derive(Debug)]
pub struct Admin<'a> {
    /// The client.
    pub client: &'a Client,
    key: String,
}

impl<'a> Admin<'a> {
    /// Takes the admin key from ADMIN_API_KEY, or else from the file that the stack writes into its
    /// data folder.
    ///
    /// # Errors
    /// When there is no admin key.
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

    /// Returns the admin key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Sends a GET and returns the body.
    ///
    /// # Errors
    /// When the system refuses the request.
    pub async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let request = self.client.request(Method::GET, path).header("X-API-Key", &self.key);
        self.client.send(request, Retry::Always).await?.ok().with_context(|| format!("GET {path}"))
    }

    /// Sends a GET and returns the body, or `None` after 404.
    ///
    /// # Errors
    /// When the system refuses the request with another status.
    pub async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let request = self.client.request(Method::GET, path).header("X-API-Key", &self.key);
        let answer = self.client.send(request, Retry::Always).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        answer.ok().map(Some).with_context(|| format!("GET {path}"))
    }

    /// Sends a POST that creates an object, and returns the body.
    ///
    /// # Errors
    /// When the system refuses the request.
    pub async fn create<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let request = self.client.request(Method::POST, path).header("X-API-Key", &self.key).json(body);
        self.client.send(request, Retry::WhenRefused).await?.ok().with_context(|| format!("POST {path}"))
    }

    /// Sends a POST without a body.
    ///
    /// # Errors
    /// When the system refuses the request.
    pub async fn post(&self, path: &str) -> Result<()> {
        let request = self.client.request(Method::POST, path).header("X-API-Key", &self.key);
        self.client.send(request, Retry::WhenRefused).await?.check().with_context(|| format!("POST {path}"))
    }
}
