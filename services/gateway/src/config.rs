use std::{net::SocketAddr, path::PathBuf};

use axum::http::{HeaderName, HeaderValue, Method, header};
use clap::{Args, ValueEnum};
use contracts::Secret;
use kit::config::{Environment, Refused, secret};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{
    auth::{AdminKeys, Tokens},
    client::TrustedProxies,
    extract::APPLIED,
    limits::{self, LimitSettings},
    observe,
    serving::Connections,
};

/// The shortest secret in production, in bytes.
const SECRET_LEAST: usize = 32;

/// The settings of the gateway. Other services do not have them.
#[derive(Args, Clone, Debug)]
// clap names a group after its type. The program `stack`, which runs the whole system, flattens six
// types named `Config`, so their groups would clash.
#[group(skip)]
pub struct Config {
    /// The address on which HTTP is served; port 0 takes a free one.
    #[arg(long, env = "HTTP_ADDR", default_value = "127.0.0.1:8000")]
    pub http_addr: SocketAddr,
    /// The origins of web pages that may use the API, such as `https://app.example.org`, separated
    /// by commas; * allows every page, an empty text none.
    #[arg(long, env = "CORS_ALLOW_ORIGINS", default_value = "")]
    pub cors_allow_origins: String,
    /// The secret with which tokens are signed: at least 32 bytes in production.
    #[arg(long, env = "JWT_SECRET_KEY", hide_env_values = true)]
    pub jwt_secret_key: Option<Secret>,
    /// The path of a file that contains the secret for signing tokens, in place of JWT_SECRET_KEY.
    #[arg(long, env = "JWT_SECRET_KEY_FILE")]
    pub jwt_secret_key_file: Option<PathBuf>,
    /// The previous secret for signing tokens. Tokens that were signed with it are still accepted.
    #[arg(long, env = "JWT_SECRET_KEY_PREVIOUS", hide_env_values = true)]
    pub jwt_secret_key_previous: Option<Secret>,
    /// The path of a file that contains the previous secret, in place of JWT_SECRET_KEY_PREVIOUS.
    #[arg(long, env = "JWT_SECRET_KEY_PREVIOUS_FILE")]
    pub jwt_secret_key_previous_file: Option<PathBuf>,
    /// The algorithm with which tokens are signed. Tokens of another algorithm are refused.
    #[arg(long, env = "JWT_ALGORITHM", value_enum, ignore_case = true, default_value = "HS256")]
    pub jwt_algorithm: Algorithm,
    /// The lifetime of a token, in minutes. With a refresh token it is at most 15 minutes.
    #[arg(long, env = "ACCESS_TOKEN_EXPIRE_MINUTES", default_value = "10080",
          value_parser = clap::value_parser!(u32).range(1..=5_256_000))]
    pub access_token_expire_minutes: u32,
    /// The root API key, which has all rights: at least 32 bytes in production.
    #[arg(long, env = "ADMIN_API_KEY", hide_env_values = true)]
    pub admin_api_key: Option<Secret>,
    /// The path of a file that contains the root API key, in place of ADMIN_API_KEY.
    #[arg(long, env = "ADMIN_API_KEY_FILE")]
    pub admin_api_key_file: Option<PathBuf>,
    /// The previous root API key, which is still accepted while the key is changed.
    #[arg(long, env = "ADMIN_API_KEY_PREVIOUS", hide_env_values = true)]
    pub admin_api_key_previous: Option<Secret>,
    /// The path of a file that contains the previous root API key, in place of
    /// ADMIN_API_KEY_PREVIOUS.
    #[arg(long, env = "ADMIN_API_KEY_PREVIOUS_FILE")]
    pub admin_api_key_previous_file: Option<PathBuf>,
    /// The trusted proxies in front of this gateway, such as `10.0.0.7,10.1.0.0/16`. Only their
    /// headers `Forwarded` or `X-Forwarded-For` name the client's address.
    #[arg(long, env = "TRUSTED_PROXIES", default_value = "")]
    pub trusted_proxies: String,
    /// The rate limits.
    #[command(flatten)]
    pub limits: LimitSettings,
    /// The limits of connections.
    #[command(flatten)]
    pub connections: Connections,
    /// The gateway's URL for browsers, copied from [`Alone`]. In a process that also runs the
    /// mailer, it is copied from the mailer's settings.
    #[arg(skip)]
    pub public_url: Option<String>,
}

/// The settings of a gateway that runs without the mailer in its process.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Alone {
    /// The settings that every gateway has.
    #[command(flatten)]
    pub config: Config,
    /// The gateway's URL for browsers, including the path under which a proxy serves the gateway,
    /// such as `https://example.org/t3`. By default there is no such path.
    #[arg(long, env = "PUBLIC_URL")]
    pub public_url: Option<String>,
}

impl From<Alone> for Config {
    fn from(Alone { config, public_url }: Alone) -> Self {
        Self { public_url, ..config }
    }
}

/// The algorithm with which tokens are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    #[default]
    #[value(name = "HS256")]
    Hs256,
    /// HMAC with SHA-384.
    #[value(name = "HS384")]
    Hs384,
    /// HMAC with SHA-512.
    #[value(name = "HS512")]
    Hs512,
}

impl Config {
    pub(crate) fn admin_keys(&self, environment: Environment) -> Result<AdminKeys, Refused> {
        let (name, previous_name) = ("ADMIN_API_KEY", "ADMIN_API_KEY_PREVIOUS");
        let current = secret(name, self.admin_api_key.as_ref(), self.admin_api_key_file.as_ref())?;
        let previous = &self.admin_api_key_previous;
        let previous = secret(previous_name, previous.as_ref(), self.admin_api_key_previous_file.as_ref())?;
        let current = strong(name, current.ok_or_else(|| missing(name))?, environment)?;
        let previous = previous.map(|key| strong(previous_name, key, environment)).transpose()?;
        Ok(AdminKeys::new(&current, previous.as_ref()))
    }

    pub(crate) fn tokens(&self, environment: Environment) -> Result<Tokens, Refused> {
        let (name, previous_name) = ("JWT_SECRET_KEY", "JWT_SECRET_KEY_PREVIOUS");
        let current = secret(name, self.jwt_secret_key.as_ref(), self.jwt_secret_key_file.as_ref())?;
        let previous = &self.jwt_secret_key_previous;
        let previous = secret(previous_name, previous.as_ref(), self.jwt_secret_key_previous_file.as_ref())?;
        let current = strong(name, current.ok_or_else(|| missing(name))?, environment)?;
        let previous = previous.map(|key| strong(previous_name, key, environment)).transpose()?;
        if previous.as_ref() == Some(&current) {
            return Err(Refused(format!(
                "{previous_name} is the same as {name}: it must be the secret before it, or not be set"
            )));
        }
        Ok(Tokens::new(&current, previous.as_ref(), self.jwt_algorithm, self.access_token_expire_minutes))
    }

    /// Parses the addresses of the trusted proxies.
    pub(crate) fn proxies(&self) -> Result<TrustedProxies, Refused> {
        TrustedProxies::parse(&self.trusted_proxies)
    }

    /// The CORS layer, which defines what web pages of other origins may do; `None` if no origin is
    /// allowed.
    pub(crate) fn cors(&self) -> Result<Option<CorsLayer>, Refused> {
        let named: Vec<&str> = self.cors_allow_origins.split(',').map(str::trim).filter(|o| !o.is_empty()).collect();
        let origins = match named[..] {
            [] => return Ok(None),
            ["*"] => AllowOrigin::any(),
            _ => AllowOrigin::list(named.into_iter().map(origin).collect::<Result<Vec<_>, _>>()?),
        };
        let layer = CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::CONTENT_ENCODING,
                header::IF_MATCH,
                header::IF_NONE_MATCH,
                HeaderName::from_static("prefer"),
                HeaderName::from_static("x-api-key"),
                HeaderName::from_static("traceparent"),
                observe::REQUEST_ID,
            ])
            .expose_headers([
                header::LOCATION,
                header::LINK,
                header::CONTENT_DISPOSITION,
                header::ETAG,
                header::ACCEPT_ENCODING,
                HeaderName::from_static(APPLIED),
                header::RETRY_AFTER,
                limits::HEADER,
                limits::POLICY_HEADER,
                observe::REQUEST_ID,
            ])
            .max_age(std::time::Duration::from_secs(3600));
        Ok(Some(layer))
    }
}

fn missing(name: &str) -> Refused {
    Refused(format!(
        "{name} is missing: set it, or {name}_FILE, to {SECRET_LEAST} or more random bytes, such as `openssl rand -base64 48` prints"
    ))
}

fn strong(name: &str, secret: Secret, environment: Environment) -> Result<Secret, Refused> {
    if environment == Environment::Production && secret.expose().len() < SECRET_LEAST {
        return Err(Refused(format!(
            "{name} is too short for production: it must have at least {SECRET_LEAST} bytes, such as `openssl rand -base64 48` prints"
        )));
    }
    Ok(secret)
}

/// Parses an origin in the form that browsers send: a scheme and a host without a path.
fn origin(text: &str) -> Result<HeaderValue, Refused> {
    let fits = text.split_once("://").is_some_and(|(scheme, host)| {
        !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '*', '?', '#', ' '])
    });
    let value = HeaderValue::from_str(text).ok().filter(|_| fits);
    value.ok_or_else(|| {
        Refused("CORS_ALLOW_ORIGINS must be * or origins such as https://app.example.org, without a path, with commas between".into())
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        config: Config,
    }

    fn config(flags: &[&str]) -> Config {
        Cli::try_parse_from(std::iter::once(&"gateway").chain(flags)).expect("flags that fit").config
    }

    const LONG: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn production_refuses_secrets_that_are_missing_or_short() {
        let refused = |flags: &[&str]| {
            let config = config(flags);
            let keys = config.admin_keys(Environment::Production).err();
            keys.or_else(|| config.tokens(Environment::Production).err()).map(|e| e.0).unwrap_or_default()
        };
        let key = ["--admin-api-key", LONG];
        let secret = ["--jwt-secret-key", LONG];
        assert!(refused(&secret).starts_with("ADMIN_API_KEY is missing"));
        assert!(refused(&key).starts_with("JWT_SECRET_KEY is missing"));
        assert!(refused(&["--admin-api-key", "short"]).starts_with("ADMIN_API_KEY is too short"));
        assert!(refused(&[&key[..], &["--jwt-secret-key", "short"]].concat()).starts_with("JWT_SECRET_KEY is too"));
        let previous = [&key[..], &["--admin-api-key-previous", "short"]].concat();
        assert!(refused(&previous).starts_with("ADMIN_API_KEY_PREVIOUS is too short"));
        let previous = |text| [&key[..], &secret, &["--jwt-secret-key-previous", text]].concat();
        assert!(refused(&previous("short")).starts_with("JWT_SECRET_KEY_PREVIOUS is too short"));
        assert!(refused(&previous(LONG)).starts_with("JWT_SECRET_KEY_PREVIOUS is the same as JWT_SECRET_KEY"));
        assert_eq!(refused(&previous(&LONG.to_uppercase())), "");
        assert_eq!(refused(&[key, secret].concat()), "");
    }

    #[test]
    fn development_takes_short_secrets_but_none_is_none() {
        let short = config(&["--admin-api-key", "a", "--jwt-secret-key", "b"]);
        assert!(short.admin_keys(Environment::Development).is_ok());
        assert!(short.tokens(Environment::Development).is_ok());
        assert!(config(&[]).admin_keys(Environment::Development).is_err());
        assert!(config(&["--jwt-secret-key="]).tokens(Environment::Development).is_err());
    }

    #[test]
    fn a_gateway_alone_reads_the_public_url() {
        #[derive(Parser)]
        struct Cli {
            #[command(flatten)]
            config: Alone,
        }
        let cli = Cli::try_parse_from(["gateway", "--public-url", "https://example.org/t3"]).expect("flags that fit");
        assert_eq!(Config::from(cli.config).public_url.as_deref(), Some("https://example.org/t3"));
    }

    #[test]
    fn origins_are_checked_at_start() {
        let cors = |text| config(&["--cors-allow-origins", text]).cors();
        assert!(cors("").is_ok_and(|layer| layer.is_none()));
        assert!(cors("*").is_ok_and(|layer| layer.is_some()));
        assert!(cors("https://a.example.org, http://localhost:3000").is_ok());
        for bad in ["a.example.org", "https://a.example.org/", "https://*.example.org", "*, https://a.example.org"] {
            assert!(cors(bad).is_err(), "{bad}");
        }
    }
}
