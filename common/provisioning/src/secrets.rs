use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use contracts::{Rights, Secret, Service, User};
use servers::folder;

use crate::nats_users::{nats_users, new_key, public_key};

/// The services that have a database.
const WITH_DATABASE: [Service; 6] =
    [Service::Directory, Service::Projects, Service::Timetrack, Service::Analytics, Service::Mailer, Service::Audit];

/// A folder of secrets, one per file. Only the Unix user that owns the files can read them (mode
/// 0600). Existing secrets are never changed.
#[derive(Clone, Debug)]
pub struct Secrets {
    dir: PathBuf,
}

impl Secrets {
    /// The secrets in a folder that exists.
    pub fn open(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Creates the folder, and all secrets that are missing in it.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn make(dir: &Path) -> Result<Self> {
        let secrets = Self::make_for_servers(dir)?;
        for name in ["admin-api-key", "jwt-secret-key"] {
            secrets.keep(name, random)?;
        }
        Ok(secrets)
    }

    /// Creates the missing secrets of NATS and MongoDB: the keys and passwords of their users, and
    /// the key file of the MongoDB servers. Also writes the NATS configuration of the users, which
    /// contains no secret.
    ///
    /// # Errors
    /// As [`Secrets::make`].
    pub fn make_for_servers(dir: &Path) -> Result<Self> {
        for dir in [dir, &dir.join("nats"), &dir.join("mongo")] {
            folder::create(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        }
        let secrets = Self::open(dir);
        for user in User::ALL {
            secrets.keep(&format!("nats/{user}.nk"), || Ok(new_key()?.0.expose().to_owned()))?;
        }
        for service in WITH_DATABASE {
            secrets.keep(&format!("mongo/{service}.password"), random)?;
        }
        secrets.keep("mongo/root.password", random)?;
        // MongoDB requires a key file of 6 to 1024 base64 characters.
        secrets.keep("mongo/keyfile", || Ok(STANDARD.encode(kit::random_bytes::<96>())))?;
        let users = secrets.dir.join("nats/users.conf");
        folder::write(&users, &nats_users(secrets.users()?))
            .with_context(|| format!("cannot write {}", users.display()))?;
        Ok(secrets)
    }

    /// A secret of 32 random bytes as text. The first call creates the secret.
    ///
    /// # Errors
    /// As [`Secrets::make`].
    pub fn random(&self, name: &str) -> Result<Secret> {
        folder::create(&self.dir).with_context(|| format!("cannot create {}", self.dir.display()))?;
        self.keep(name, random)
    }

    /// The path of the secret of this name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The seed of a NATS user.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn nkey(&self, user: User) -> Result<Secret> {
        self.read(&format!("nats/{user}.nk"))
    }

    /// The password of a service's MongoDB user. None for the gateway, which has no database.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn mongo_password(&self, service: Service) -> Result<Option<Secret>> {
        if !WITH_DATABASE.contains(&service) {
            return Ok(None);
        }
        self.read(&format!("mongo/{service}.password")).map(Some)
    }

    /// The password of MongoDB's `root`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn root_password(&self) -> Result<Secret> {
        self.read("mongo/root.password")
    }

    /// The name, the public key and the rights of each NATS user.
    ///
    /// # Errors
    /// When a key cannot be read.
    pub fn users(&self) -> Result<Vec<(&'static str, String, Rights)>> {
        let of = |user: User| {
            let key = public_key(&self.nkey(user)?).with_context(|| format!("the key of {user}"))?;
            Ok((user.name(), key, Rights::of(user)))
        };
        User::ALL.into_iter().map(of).collect()
    }

    fn read(&self, name: &str) -> Result<Secret> {
        let path = self.path(name);
        let text = fs::read_to_string(&path).with_context(|| {
            format!("cannot read the secret {}: `provision secrets` makes what is missing", path.display())
        })?;
        let secret = text.trim_end();
        ensure!(!secret.is_empty(), "the secret {} is empty: remove the file", path.display());
        Ok(Secret::new(secret))
    }

    /// Reads a secret. If it does not exist, creates it with `generate`.
    fn keep(&self, name: &str, generate: impl FnOnce() -> Result<String>) -> Result<Secret> {
        let path = self.path(name);
        let cannot = || format!("cannot keep the secret {}", path.display());
        match fs::metadata(&path) {
            // If the folder was copied without its modes, other users could read the file.
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                fs::set_permissions(&path, Permissions::from_mode(0o600)).with_context(cannot)?;
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                folder::write(&path, &format!("{}\n", generate()?)).with_context(cannot)?;
            }
            Err(error) => return Err(error).with_context(cannot),
        }
        self.read(name)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a way to make a secret, beside one that can fail")]
fn random() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(kit::random_bytes::<32>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn files(dir: &Path) -> Vec<PathBuf> {
        let (folders, mut files): (Vec<_>, Vec<_>) =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).partition(|path| path.is_dir());
        files.extend(folders.iter().flat_map(|folder| super::tests::files(folder)));
        files.sort();
        files
    }

    #[test]
    fn secrets_are_made_once_and_only_their_user_can_read_them() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("secrets");
        Secrets::make(&dir).unwrap();
        let made: Vec<_> = files(&dir).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
        assert_eq!(made.len(), 2 + 9 + 1 + 6 + 2, "{made:?}");
        for (_, path) in &made {
            assert_eq!(mode(path), 0o600, "{}", path.display());
            fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        }
        fs::remove_file(dir.join("mongo/mailer.password")).unwrap();
        Secrets::make(&dir).unwrap();
        for (text, path) in made {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            assert_eq!(text == fs::read(&path).unwrap(), !path.ends_with("mailer.password"), "{}", path.display());
        }
    }

    #[test]
    fn the_configuration_of_nats_holds_no_seed() {
        let parent = tempfile::tempdir().unwrap();
        let secrets = Secrets::make(parent.path()).unwrap();
        let text = fs::read_to_string(secrets.path("nats/users.conf")).unwrap();
        for user in User::ALL {
            assert!(!text.contains(secrets.nkey(user).unwrap().expose()), "{user}");
        }
    }

    #[test]
    fn a_secret_that_is_empty_is_told_by_its_file() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("jwt-secret-key"), "\n").unwrap();
        let error = Secrets::make(parent.path()).unwrap_err().to_string();
        assert!(error.contains("jwt-secret-key is empty"), "{error}");
    }
}
