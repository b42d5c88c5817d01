use std::fmt;

use contracts::{EmployeeId, LoggedIn, Millis, SECOND, Secret};
use jsonwebtoken::{Algorithm as Jwa, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::Algorithm;

/// Signs tokens and checks them.
pub(crate) struct Tokens {
    sign: EncodingKey,
    check: DecodingKey,
    algorithm: Jwa,
    validation: Validation,
    seconds: i64,
}

/// What a token says.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// Whose it is.
    pub(crate) sub: EmployeeId,
    /// How often the employee had been deactivated.
    pub(crate) epoch: i64,
    /// The generation of the account's tokens; tokens of earlier versions have none.
    #[serde(default)]
    pub(crate) generation: i64,
    /// When it was signed, in seconds.
    iat: i64,
    /// When it is over, in seconds.
    exp: i64,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({:?})", self.algorithm)
    }
}

impl Tokens {
    pub(crate) fn new(secret: &Secret, algorithm: Algorithm, minutes: u32) -> Self {
        let algorithm = match algorithm {
            Algorithm::Hs256 => Jwa::HS256,
            Algorithm::Hs384 => Jwa::HS384,
            Algorithm::Hs512 => Jwa::HS512,
        };
        let mut validation = Validation::new(algorithm);
        validation.leeway = 0;
        // `verify` does: the library asks the machine's clock, not ours.
        validation.validate_exp = false;
        let key = secret.expose().as_bytes();
        let (sign, check) = (EncodingKey::from_secret(key), DecodingKey::from_secret(key));
        Self { sign, check, algorithm, validation, seconds: i64::from(minutes) * 60 }
    }

    /// A token for somebody who has just logged in.
    pub(crate) fn issue(&self, who: LoggedIn, now: Millis) -> anyhow::Result<Secret> {
        let iat = now.0 / SECOND;
        let (sub, epoch, generation) = (who.employee_id, who.epoch, who.generation);
        let claims = Claims { sub, epoch, generation, iat, exp: iat + self.seconds };
        Ok(Secret::new(jsonwebtoken::encode(&Header::new(self.algorithm), &claims, &self.sign)?))
    }

    /// What a token says, if it is one of ours and not over.
    pub(crate) fn verify(&self, token: &str, now: Millis) -> Option<Claims> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.check, &self.validation).ok()?.claims;
        (now < Millis(claims.exp.saturating_mul(SECOND))).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::*;

    const NOW: Millis = Millis(1_760_000_000_000);

    fn tokens(secret: &str, algorithm: Algorithm) -> Tokens {
        Tokens::new(&Secret::new(secret), algorithm, 10)
    }

    fn issue(tokens: &Tokens) -> String {
        let who = LoggedIn { employee_id: kit::new_id(), epoch: 3, generation: 0 };
        tokens.issue(who, NOW).expect("a token").expose().to_owned()
    }

    #[test]
    fn a_token_is_good_until_its_last_millisecond_and_no_longer() {
        let tokens = tokens("secret", Algorithm::Hs256);
        let token = issue(&tokens);
        assert_eq!(tokens.verify(&token, NOW + 599_999).map(|claims| claims.epoch), Some(3));
        assert!(tokens.verify(&token, NOW + 600_000).is_none());
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
}
