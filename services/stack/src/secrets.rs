//! The secrets that nobody has set: made once, kept in the data folder.

use std::path::PathBuf;

use anyhow::Result;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contracts::Secret;
use kit::config::Environment;
use servers::DataDir;

use crate::Settings;

/// Where somebody finds the admin key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminKey {
    /// In the settings.
    Settings,
    /// In a file of the data folder.
    File(PathBuf),
}

/// Fills in what is missing in development; production refuses to start without.
pub fn fill_in(settings: &mut Settings, data: &DataDir) -> Result<AdminKey> {
    if settings.common.environment == Environment::Production {
        return Ok(AdminKey::Settings);
    }
    let gateway = &mut settings.gateway;
    if is_missing(gateway.jwt_secret_key.as_ref(), gateway.jwt_secret_key_file.as_ref()) {
        gateway.jwt_secret_key = Some(kept(data, "jwt-secret-key")?);
    }
    if is_missing(gateway.admin_api_key.as_ref(), gateway.admin_api_key_file.as_ref()) {
        let name = "admin-api-key";
        gateway.admin_api_key = Some(kept(data, name)?);
        return Ok(AdminKey::File(data.path().join("secrets").join(name)));
    }
    Ok(AdminKey::Settings)
}

fn is_missing(value: Option<&Secret>, file: Option<&PathBuf>) -> bool {
    let no_value = value.is_none_or(|secret| secret.expose().is_empty());
    no_value && file.is_none_or(|path| path.as_os_str().is_empty())
}

/// The secret of that name, 32 random bytes the first time.
fn kept(data: &DataDir, name: &str) -> Result<Secret> {
    let secret = data.secret(name, || URL_SAFE_NO_PAD.encode(kit::random_bytes::<32>()))?;
    Ok(Secret::new(secret))
}
