use std::fmt;

use contracts::{EmployeeId, LoggedIn, Millis, SECOND, Secret, SessionId};
use jsonwebtoken::{Algorithm as Jwa, DecodingKey, EncodingKey, Header, Validation, decode_header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Algorithm;

/// The value of the claims `iss` and `aud` in tokens of this system.
const ISSUER: &str = "t3";
/// The longest lifetime, in seconds, of a token in a session that has a refresh token.
const REFRESHABLE_SECONDS: i64 = 15 * 60;

/// Signs and verifies access tokens (JWT).
pub(crate) struct Tokens {
    sign: EncodingKey,
    /// The keys of the current secret and, if there is one, of the previous secret.
    keys: Vec<Key>,
    algorithm: Jwa,
    validation: Validation,
    /// The validation of tokens without `kid`, which earlier versions of the gateway issued. Such a
    /// token may also lack `iss` and `aud`.
    nameless: Validation,
    seconds: i64,
}

/// A secret that verifies the signatures of tokens.
struct Key {
    /// The key id (`kid`) in the header of each token that was signed with this secret.
    id: String,
    check: DecodingKey,
}

impl Key {
    fn new(secret: &Secret) -> Self {
        let hash = Sha256::new().chain_update(b"the name of ").chain_update(secret.expose()).finalize();
        let id = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { id, check: DecodingKey::from_secret(secret.expose().as_bytes()) }
    }
}

/// The claims of a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The employee who holds the token.
    pub(crate) sub: EmployeeId,
    /// The epoch of the employee: the number of their deactivations when the token was issued.
    pub(crate) epoch: i64,
    /// The generation of the account's tokens. A token from an earlier version of the gateway has
    /// no generation, which counts as 0.
    #[serde(default)]
    pub(crate) generation: i64,
    /// The session of the token. Tokens from earlier versions of the gateway have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sid: Option<SessionId>,
    /// The issuer of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    /// The audience of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    /// When the token was issued, in seconds since 1970.
    iat: i64,
    /// When the token expires, in seconds since 1970.
    exp: i64,
    /// Until when the token may be renewed, in seconds since 1970. Only tokens of browser sessions
    /// have this claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<i64>,
}

/// A signed token.
pub(crate) struct Issued {
    /// The encoded token.
    pub(crate) token: Secret,
    /// The lifetime of the token, in seconds.
    pub(crate) seconds: i64,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({:?})", self.algorithm)
    }
}

impl Tokens {
    pub(crate) fn new(secret: &Secret, previous: Option<&Secret>, algorithm: Algorithm, minutes: u32) -> Self {
        let algorithm = match algorithm {
            Algorithm::Hs256 => Jwa::HS256,
            Algorithm::Hs384 => Jwa::HS384,
            Algorithm::Hs512 => Jwa::HS512,
        };
        let mut nameless = Validation::new(algorithm);
        nameless.leeway = 0;
        // `verify` compares the expiry with our own clock. The library would use the system clock.
        nameless.validate_exp = false;
        // A token without `kid` may also lack these two claims, because earlier versions of the
        // gateway issued such tokens. A token with other values was issued by or for another
        // system, and is refused.
        nameless.set_issuer(&[ISSUER]);
        nameless.set_audience(&[ISSUER]);
        let mut validation = nameless.clone();
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        let sign = EncodingKey::from_secret(secret.expose().as_bytes());
        let keys = std::iter::once(secret).chain(previous).map(Key::new).collect();
        Self { sign, keys, algorithm, validation, nameless, seconds: i64::from(minutes) * 60 }
    }

    /// The lifetime of a session's tokens, in seconds. It is at most 15 minutes when the session
    /// has a refresh token.
    pub(crate) fn seconds(&self, refresh: bool) -> i64 {
        if refresh { self.seconds.min(REFRESHABLE_SECONDS) } else { self.seconds }
    }

    /// Issues a token for a program that calls the API, after a log-in or a refresh.
    pub(crate) fn issue(&self, who: &LoggedIn, now: Millis) -> anyhow::Result<Issued> {
        let iat = now.0 / SECOND;
        let refreshing = who.session.as_ref().filter(|session| session.refresh_token.is_some());
        let mut exp = iat + self.seconds(refreshing.is_some());
        if let Some(session) = refreshing {
            exp = exp.min(session.expires_at.0 / SECOND);
        }
        let issued = self.sign(&Claims { exp, ..self.claims(who, iat) })?;
        Ok(Issued { token: issued, seconds: exp - iat })
    }

    /// Issues a token for a browser session. The token is valid for `seconds`, and may be renewed
    /// until the session ends.
    pub(crate) fn issue_for(&self, who: &LoggedIn, seconds: i64, now: Millis) -> anyhow::Result<Secret> {
        let iat = now.0 / SECOND;
        let end = who.session.as_ref().map(|session| session.expires_at.0 / SECOND);
        self.sign(&Claims { exp: iat + seconds, end, ..self.claims(who, iat) })
    }

    /// Renews a valid token of [`Self::issue_for`] that is at least `after` seconds old. The new
    /// token is valid for `seconds`, but not beyond the end of its session. Returns `None` when the
    /// token cannot or need not be renewed.
    pub(crate) fn renewed(&self, token: &str, seconds: i64, after: i64, now: Millis) -> Option<Secret> {
        let (claims, iat) = (self.verify(token, now)?, now.0 / SECOND);
        let exp = claims.end?.min(iat + seconds);
        (iat >= claims.iat + after && exp > claims.exp).then(|| self.sign(&Claims { iat, exp, ..claims }).ok())?
    }

    fn claims(&self, who: &LoggedIn, iat: i64) -> Claims {
        Claims {
            sub: who.employee_id,
            epoch: who.epoch,
            generation: who.generation,
            sid: who.session.as_ref().map(|session| session.id),
            iss: Some(ISSUER.to_owned()),
            aud: Some(ISSUER.to_owned()),
            iat,
            exp: iat + self.seconds,
            end: None,
        }
    }

    fn sign(&self, claims: &Claims) -> anyhow::Result<Secret> {
        let header = Header { kid: self.keys.first().map(|key| key.id.clone()), ..Header::new(self.algorithm) };
        Ok(Secret::new(jsonwebtoken::encode(&header, claims, &self.sign)?))
    }

    /// Verifies a token and returns its claims; `None` when the signature or a claim is invalid, or
    /// the token has expired.
    pub(crate) fn verify(&self, token: &str, now: Millis) -> Option<Claims> {
        let named = decode_header(token).ok()?.kid;
        let validation = if named.is_some() { &self.validation } else { &self.nameless };
        let mut keys = self.keys.iter().filter(|key| named.as_ref().is_none_or(|id| *id == key.id));
        let claims = keys.find_map(|key| jsonwebtoken::decode::<Claims>(token, &key.check, validation).ok())?.claims;
        (now < Millis(claims.exp.saturating_mul(SECOND))).then_some(claims)
    }
}

#[cfg(test)]
impl Claims {
    /// Claims for tests: of this employee and epoch, without a session.
    pub(super) fn of(sub: EmployeeId, epoch: i64) -> Self {
        Self { sub, epoch, generation: 0, sid: None, iss: None, aud: None, iat: 0, exp: 0, end: None }
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use contracts::StartedSession;
    use serde_json::{Value, json};

    use super::*;

    const NOW: Millis = Millis(1_760_000_000_000);

    fn tokens(secret: &str, algorithm: Algorithm) -> Tokens {
        Tokens::new(&Secret::new(secret), None, algorithm, 10)
    }

    fn ann(session: Option<StartedSession>) -> LoggedIn {
        LoggedIn { employee_id: kit::new_id(), epoch: 3, generation: 0, session }
    }

    fn issue(tokens: &Tokens) -> String {
        tokens.issue(&ann(None), NOW).expect("a token").token.expose().to_owned()
    }

    /// Decodes the header (`nth` is 0) or the claims (`nth` is 1) of a token.
    fn part(token: &str, nth: usize) -> Value {
        let part = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(nth).expect("three parts")).expect("base64");
        serde_json::from_slice(&part).expect("JSON")
    }

    fn sign(header: Header, claims: &Value, secret: &str) -> String {
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes())).expect("a token")
    }

    #[test]
    fn a_token_is_good_until_its_last_millisecond_and_no_longer() {
        let tokens = tokens("secret", Algorithm::Hs256);
        let token = issue(&tokens);
        assert_eq!(tokens.verify(&token, NOW + 599_999).map(|claims| claims.epoch), Some(3));
        assert!(tokens.verify(&token, NOW + 600_000).is_none());
    }

    #[test]
    fn a_renewed_token_says_the_same_and_is_good_for_longer_until_its_session_ends() {
        let tokens = tokens("secret", Algorithm::Hs256);
        let session = StartedSession { id: kit::new_id(), expires_at: NOW + 1_000_000, refresh_token: None };
        let token = tokens.issue_for(&ann(Some(session)), 600, NOW).expect("a token");
        let renewed = |token: &Secret, at| tokens.renewed(token.expose(), 600, 60, at);
        let claims = |token: &Secret, at| tokens.verify(token.expose(), at).map(|c| (c.sub, c.epoch, c.sid));
        assert!(renewed(&token, NOW + 59_999).is_none());
        let next = renewed(&token, NOW + 60_000).expect("a token");
        assert_eq!(claims(&next, NOW + 659_999), claims(&token, NOW));
        assert!(claims(&next, NOW + 660_000).is_none() && renewed(&token, NOW + 600_000).is_none());
        let last = renewed(&next, NOW + 600_000).expect("a token");
        assert!(claims(&last, NOW + 999_999).is_some() && claims(&last, NOW + 1_000_000).is_none());
        assert!(renewed(&last, NOW + 999_999).is_none());
        // Tokens of desktop apps are not renewed.
        let app = tokens.issue(&ann(None), NOW).expect("a token").token;
        assert!(renewed(&app, NOW + 300_000).is_none());
    }

    #[test]
    fn another_secret_another_algorithm_and_none_are_refused() {
        let own = tokens("secret", Algorithm::Hs256);
        assert!(own.verify(&issue(&tokens("other", Algorithm::Hs256)), NOW).is_none());
        assert!(own.verify(&issue(&tokens("secret", Algorithm::Hs512)), NOW).is_none());
        let token = issue(&own);
        let [_, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
        let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        for unsigned in [format!("{header}.{claims}."), format!("{header}.{claims}.{signature}")] {
            assert!(own.verify(&unsigned, NOW).is_none());
        }
    }

    #[test]
    fn changed_claims_are_refused() {
        let tokens = tokens("secret", Algorithm::Hs384);
        let (one, two) = (issue(&tokens), issue(&tokens));
        let (one, two): (Vec<_>, Vec<_>) = (one.split('.').collect(), two.split('.').collect());
        assert!(tokens.verify(&[one[0], two[1], one[2]].join("."), NOW).is_none());
    }

    #[test]
    fn a_token_names_who_signed_it_with_which_secret_for_whom_and_in_which_session() {
        let (tokens, id) = (tokens("secret", Algorithm::Hs256), kit::new_id());
        let session = StartedSession { id, expires_at: NOW + SECOND, refresh_token: None };
        let issued = tokens.issue(&ann(Some(session)), NOW).expect("a token");
        let (header, claims) = (part(issued.token.expose(), 0), part(issued.token.expose(), 1));
        assert_eq!(header["kid"], tokens.keys[0].id);
        assert_eq!((&claims["iss"], &claims["aud"], &claims["sid"]), (&json!("t3"), &json!("t3"), &json!(id)));
        assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|iat| iat + 600));
        assert_eq!(tokens.verify(issued.token.expose(), NOW).and_then(|claims| claims.sid), Some(id));
    }

    #[test]
    fn a_token_that_a_refresh_token_follows_is_short_and_never_longer_than_its_session() {
        let tokens = Tokens::new(&Secret::new("secret"), None, Algorithm::Hs256, 10_080);
        let seconds = |life, refresh: bool| {
            let refresh_token = refresh.then(|| Secret::new("next"));
            let session = StartedSession { id: kit::new_id(), expires_at: NOW + life, refresh_token };
            tokens.issue(&ann(Some(session)), NOW).expect("a token").seconds
        };
        assert_eq!(seconds(1_000_000_000, true), 900);
        assert_eq!(seconds(60_000, true), 60);
        assert_eq!(seconds(1_000_000_000, false), 604_800);
    }

    #[test]
    fn while_a_secret_is_changed_tokens_of_the_one_before_are_good() {
        let (old, new) = (Secret::new("old"), Secret::new("new"));
        let (before, during, after) = (
            Tokens::new(&old, None, Algorithm::Hs256, 10),
            Tokens::new(&new, Some(&old), Algorithm::Hs256, 10),
            Tokens::new(&new, None, Algorithm::Hs256, 10),
        );
        let (of_old, of_new) = (issue(&before), issue(&during));
        assert!(during.verify(&of_old, NOW).is_some() && during.verify(&of_new, NOW).is_some());
        assert!(after.verify(&of_old, NOW).is_none() && after.verify(&of_new, NOW).is_some());
        // This token has no `kid`, like the tokens from earlier versions of the gateway.
        let claims = json!({ "sub": kit::new_id::<EmployeeId>(), "epoch": 0, "iat": 0, "exp": NOW.0 / SECOND + 1 });
        let nameless = sign(Header::new(Jwa::HS256), &claims, "old");
        assert!(during.verify(&nameless, NOW).is_some() && after.verify(&nameless, NOW).is_none());
    }

    #[test]
    fn a_token_of_another_system_that_has_the_same_secret_is_refused() {
        let tokens = tokens("secret", Algorithm::Hs256);
        let named = Header { kid: Some(tokens.keys[0].id.clone()), ..Header::new(Jwa::HS256) };
        let claims = |also: Value| {
            let mut claims = json!({ "sub": kit::new_id::<EmployeeId>(), "epoch": 0, "iat": 0, "exp": NOW.0 });
            claims.as_object_mut().expect("an object").extend(also.as_object().expect("an object").clone());
            claims
        };
        let good = claims(json!({ "iss": "t3", "aud": "t3" }));
        assert!(tokens.verify(&sign(named.clone(), &good, "secret"), NOW).is_some());
        for other in [json!({}), json!({ "iss": "t3" }), json!({ "aud": "t3" })] {
            assert!(tokens.verify(&sign(named.clone(), &claims(other.clone()), "secret"), NOW).is_none(), "{other}");
        }
        for other in [json!({ "iss": "t4", "aud": "t3" }), json!({ "iss": "t3", "aud": "t4" })] {
            for header in [named.clone(), Header::new(Jwa::HS256)] {
                assert!(tokens.verify(&sign(header, &claims(other.clone()), "secret"), NOW).is_none(), "{other}");
            }
        }
    }
}
