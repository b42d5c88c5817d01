use contracts::{
    Actor, ApiKeyChanged, Code, CreateApiKey, Failure, KeyId, Millis, Name, NewApiKey, Role, Scopes, Secret, key_text,
    read_key,
};

/// An API key. The text of the key is not stored, only its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiKey {
    pub(crate) id: KeyId,
    pub(crate) version: i64,
    pub(crate) name: Name,
    /// The SHA-256 hash of the key's text, in hexadecimal.
    pub(crate) hash: String,
    /// The role of the key. A key has either a role or scopes.
    pub(crate) role: Option<Role>,
    pub(crate) scopes: Option<Scopes>,
    pub(crate) created_at: Millis,
    pub(crate) expires_at: Option<Millis>,
    pub(crate) created_by: Option<Actor>,
    /// The UTC day of the last use, as `YYYY-MM-DD`.
    pub(crate) last_used_on: Option<String>,
    pub(crate) revoked_at: Option<Millis>,
}

impl ApiKey {
    /// Makes a key and its text. The key may allow no more than its maker may do. Otherwise
    /// everybody who may make keys could do everything.
    pub(crate) fn create(
        id: KeyId,
        secret: [u8; 32],
        request: CreateApiKey,
        maker: &Scopes,
        created_by: Option<Actor>,
        now: Millis,
    ) -> Result<(Self, Secret), Failure> {
        let CreateApiKey { name, role, scopes, expires_at } = request;
        let wanted = match (role, &scopes) {
            (Some(Role::Employee | Role::Manager), None) => {
                let must = "must be owner, admin or auditor: a key is no employee and manages no team";
                return Err(Failure::field("role", must));
            }
            (Some(role), None) => role.scopes(),
            (None, Some(scopes)) if !scopes.0.is_empty() => scopes.clone(),
            _ => return Err(Failure::field("scopes", "must be given, at least one, or else a role; never both")),
        };
        if expires_at.is_some_and(|at| at <= now) {
            return Err(Failure::field("expiresAt", "must be in the future, in milliseconds since 1970"));
        }
        if let Some(missing) = wanted.0.iter().find(|scope| !maker.allow(**scope)) {
            let detail = format!("A key may allow no more than its maker may do, and you lack {missing}.");
            return Err(Failure::new(Code::MissingScope, detail));
        }
        let text = key_text(id, secret);
        let (_, hash) = read_key(text.expose()).expect("a key that was just written can be read");
        let hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = Self {
            id,
            version: 1,
            name,
            hash,
            role,
            scopes,
            created_at: now,
            expires_at,
            created_by,
            last_used_on: None,
            revoked_at: None,
        };
        Ok((key, text))
    }

    /// Revokes the key. Does nothing if the key is revoked already.
    pub(crate) fn revoke(&mut self, now: Millis) {
        if self.revoked_at.is_none() {
            self.revoked_at = Some(now);
            self.version += 1;
        }
    }

    /// The event that tells gateways the state of the key.
    pub(crate) fn changed(&self) -> ApiKeyChanged {
        ApiKeyChanged {
            id: self.id,
            version: self.version,
            hash: self.hash.clone(),
            role: self.role,
            scopes: self.scopes.clone(),
            expires_at: self.expires_at,
            revoked: self.revoked_at.is_some(),
        }
    }

    /// The scopes that the key allows at `now`: none if the key is revoked or has expired.
    pub(crate) fn allows(&self, now: Millis) -> Scopes {
        let is_over = self.revoked_at.is_some() || self.expires_at.is_some_and(|at| at <= now);
        if is_over { Scopes::default() } else { self.changed().allows() }
    }

    /// The key as the API shows it, without its text.
    pub(crate) fn shown(self) -> contracts::ApiKey {
        let scopes = self.changed().allows();
        let Self { id, name, role, created_at, expires_at, created_by, last_used_on, .. } = self;
        contracts::ApiKey { id, name, role, scopes, created_at, expires_at, created_by, last_used_on }
    }

    /// The key with its text, for the answer to its maker.
    pub(crate) fn shown_once(self, key: Secret) -> NewApiKey {
        NewApiKey { about: self.shown(), key }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{Resource, Scope};
    use serde_json::json;

    use super::*;

    const NOW: Millis = Millis(1_000);

    fn create(request: serde_json::Value, maker: &Scopes) -> Result<(ApiKey, Secret), Failure> {
        let request = serde_json::from_value(request).expect("a request");
        ApiKey::create(kit::new_id(), [7; 32], request, maker, Some(Actor::Root), NOW)
    }

    #[test]
    fn a_key_keeps_the_hash_of_its_text_and_never_the_text() {
        let (key, text) = create(json!({"name": "CI", "role": "auditor"}), &Scopes::all()).unwrap();
        assert_eq!(key.hash.len(), 64);
        assert!(!format!("{key:?}").contains(text.expose()));
        assert_eq!(key.allows(NOW), Role::Auditor.scopes());
    }

    #[test]
    fn a_key_needs_a_role_or_scopes_and_not_both() {
        let field = |body| create(body, &Scopes::all()).unwrap_err().errors[0].field.clone();
        assert_eq!(field(json!({"name": "CI"})), "scopes");
        assert_eq!(field(json!({"name": "CI", "scopes": []})), "scopes");
        assert_eq!(field(json!({"name": "CI", "role": "admin", "scopes": ["r:time"]})), "scopes");
        assert_eq!(field(json!({"name": "CI", "role": "employee"})), "role");
        assert_eq!(field(json!({"name": "CI", "role": "admin", "expiresAt": NOW})), "expiresAt");
    }

    #[test]
    fn nobody_makes_a_key_that_may_do_more_than_they_may() {
        let maker: Scopes = [Scope::write(Resource::Keys), Scope::read(Resource::Time)].into_iter().collect();
        assert!(create(json!({"name": "CI", "scopes": ["r:time", "rw:keys"]}), &maker).is_ok());
        for more in [json!({"name": "CI", "scopes": ["rw:time"]}), json!({"name": "CI", "role": "auditor"})] {
            assert_eq!(create(more, &maker).unwrap_err().code, Code::MissingScope);
        }
    }

    #[test]
    fn a_key_that_has_ended_allows_nothing() {
        let (mut key, _) = create(json!({"name": "CI", "role": "admin", "expiresAt": 2_000}), &Scopes::all()).unwrap();
        assert!(!key.allows(Millis(1_999)).0.is_empty());
        assert!(key.allows(Millis(2_000)).0.is_empty());
        key.revoke(NOW);
        key.revoke(NOW);
        assert!(key.allows(NOW).0.is_empty() && key.version == 2 && key.changed().revoked);
    }
}
