//! The secrets that the settings do not contain. They are generated once and kept in the data
//! folder.

use std::path::PathBuf;

use anyhow::Result;
use contracts::Secret;
use kit::config::Environment;
use provisioning::Secrets;
use servers::DataDir;

use crate::Settings;

/// Where the user finds the admin key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminKey {
    /// In the settings.
    Settings,
    /// In a file of the data folder.
    File(PathBuf),
}

/// Generates the secrets that are missing, in development only. In production the gateway refuses
/// to start without them.
pub fn fill_in(settings: &mut Settings, data: &DataDir) -> Result<AdminKey> {
    if settings.common.environment == Environment::Production {
        return Ok(AdminKey::Settings);
    }
    let (gateway, secrets) = (&mut settings.gateway, Secrets::open(data.path().join("secrets")));
    if is_missing(gateway.jwt_secret_key.as_ref(), gateway.jwt_secret_key_file.as_ref()) {
        gateway.jwt_secret_key = Some(secrets.random("jwt-secret-key")?);
    }
    if is_missing(gateway.admin_api_key.as_ref(), gateway.admin_api_key_file.as_ref()) {
        let name = "admin-api-key";
        gateway.admin_api_key = Some(secrets.random(name)?);
        return Ok(AdminKey::File(secrets.path(name)));
    }
    Ok(AdminKey::Settings)
}

fn is_missing(value: Option<&Secret>, file: Option<&PathBuf>) -> bool {
    let no_value = value.is_none_or(|secret| secret.expose().is_empty());
    no_value && file.is_none_or(|path| path.as_os_str().is_empty())
}
