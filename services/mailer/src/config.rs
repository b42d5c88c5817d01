use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
};

use clap::{
    Args,
    builder::{OsStringValueParser, TypedValueParser},
};
use contracts::{Email, Secret};
use kit::{
    PublicUrl,
    config::{Environment, Refused, given, secret},
};
use lettre::{
    message::Mailbox,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, TlsParameters},
        extension::ClientId,
    },
};

use crate::{
    domain::DigestHour,
    outgoing::{Folder, Outgoing, Security, Smtp},
};

const SENDER: &str = "T3 <no-reply@localhost>";

/// The settings that only mailer has. An empty setting counts as not set.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)] // clap names a group after its struct, and `stack` flattens six structs named `Config`
pub struct Config {
    /// The SMTP server for outgoing mail. Without one, in development, mails are written as files.
    #[arg(long, env = "EMAIL_HOST")]
    pub email_host: Option<String>,
    /// The port of the SMTP server; the default is 587 with starttls, 465 with tls and 25 with
    /// none.
    #[arg(long, env = "EMAIL_PORT")]
    pub email_port: Option<String>,
    /// The name for logging in to the SMTP server, if it requires one.
    #[arg(long, env = "EMAIL_USERNAME")]
    pub email_username: Option<String>,
    /// The password for logging in to the SMTP server.
    #[arg(long, env = "EMAIL_PASSWORD", hide_env_values = true)]
    pub email_password: Option<Secret>,
    /// A file that contains the password, in place of EMAIL_PASSWORD.
    #[arg(long, env = "EMAIL_PASSWORD_FILE", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub email_password_file: Option<PathBuf>,
    /// The sender of the mails; the default is `T3 <no-reply@localhost>`.
    #[arg(long, env = "EMAIL_FROM")]
    pub email_from: Option<String>,
    /// The name in the greeting to the mail server (EHLO): with a dot, such as time.example.org, or
    /// an address in brackets. The default is the host of PUBLIC_URL, or else the domain of
    /// EMAIL_FROM.
    #[arg(long, env = "EMAIL_HELO")]
    pub email_helo: Option<String>,
    /// How the connection is encrypted: starttls, tls or none; the default is starttls.
    #[arg(long, env = "EMAIL_TLS")]
    pub email_tls: Option<String>,
    /// A file of additional trusted certificates (PEM), for a mail server of your own.
    #[arg(long, env = "EMAIL_CA_FILE", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub email_ca_file: Option<PathBuf>,
    /// The hour, from 0 to 23 in the organisation's time zone, from which managers get one mail a
    /// day about what waits for their decision. The value `never` turns these mails off; the
    /// default is 7.
    #[arg(long, env = "EMAIL_DIGEST_HOUR")]
    pub email_digest_hour: Option<String>,
    /// The gateway's address for browsers, with the path that a proxy serves it under. Links in
    /// mails begin with this address. The default is `http://127.0.0.1:8000`.
    #[arg(long, env = "PUBLIC_URL")]
    pub public_url: Option<String>,
}

impl Config {
    /// Returns where mails are sent: to an SMTP server, or into a folder.
    pub(crate) fn outgoing(&self, environment: Environment, data: &Path) -> Result<Outgoing, Refused> {
        match (given(self.email_host.as_ref()), environment) {
            (Some(host), _) => Ok(Outgoing::Smtp(self.smtp(host)?)),
            (None, Environment::Development) => Ok(Outgoing::Folder(Folder::new(data.join("mail")))),
            (None, Environment::Production) => {
                refuse("EMAIL_HOST is missing: set it to the SMTP server that sends the invitations")
            }
        }
    }

    /// Returns the sender of mails.
    pub(crate) fn sender(&self) -> Result<Mailbox, Refused> {
        let text = given(self.email_from.as_ref()).unwrap_or(SENDER);
        let plain = !text.chars().any(char::is_control);
        text.parse().ok().filter(|_| plain).map(for_mail).ok_or_else(|| {
            Refused("EMAIL_FROM must be an address such as no-reply@example.org or T3 <no-reply@example.org>".into())
        })
    }

    /// Returns the hour from which managers get their daily mail, or `None` if these mails are
    /// turned off.
    pub(crate) fn digest_hour(&self) -> Result<Option<DigestHour>, Refused> {
        match given(self.email_digest_hour.as_ref()).map(|text| (text, text.parse())) {
            None => Ok(Some(DigestHour::default())),
            Some(("never", _)) => Ok(None),
            Some((_, Ok(hour))) => Ok(Some(hour)),
            Some((_, Err(()))) => refuse("EMAIL_DIGEST_HOUR must be an hour from 0 to 23, or never"),
        }
    }

    /// Returns the URL with which links in mails begin.
    pub(crate) fn public_url(&self) -> Result<PublicUrl, Refused> {
        PublicUrl::read(self.public_url.as_ref())
    }

    fn smtp(&self, host: &str) -> Result<Smtp, Refused> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_';
        if !host.chars().all(is_name) && host.parse::<IpAddr>().is_err() {
            return refuse(
                "EMAIL_HOST must be a name such as smtp.example.org or an IP address; its port is EMAIL_PORT",
            );
        }
        let (security, port) = match given(self.email_tls.as_ref()).unwrap_or("starttls") {
            "starttls" => (Security::Starttls(self.trust(host)?), 587),
            "tls" => (Security::Tls(self.trust(host)?), 465),
            "none" => (Security::None, 25),
            _ => return refuse("EMAIL_TLS must be starttls, tls or none"),
        };
        let port = match given(self.email_port.as_ref()).map(str::parse) {
            None => port,
            Some(Ok(port)) if port > 0 => port,
            Some(_) => return refuse("EMAIL_PORT must be a number from 1 to 65535"),
        };
        Ok(Smtp::new(host.to_owned(), port, security, self.login()?, self.hello()?))
    }

    /// Returns the name for EHLO. Many servers refuse a name without a dot, such as that of a
    /// container.
    fn hello(&self) -> Result<ClientId, Refused> {
        if let Some(name) = given(self.email_helo.as_ref()) {
            return hello(name).ok_or_else(|| {
                Refused(
                    "EMAIL_HELO must be a full name of this host such as time.example.org, or its address in \
                     brackets such as [192.0.2.1]"
                        .into(),
                )
            });
        }
        let (url, sender) = (self.public_url()?, self.sender()?);
        let names = [url.host(), sender.email.domain()].into_iter().filter(|name| name.parse::<IpAddr>().is_err());
        Ok(names.filter_map(hello).next().unwrap_or(ClientId::Ipv4(Ipv4Addr::LOCALHOST)))
    }

    fn login(&self) -> Result<Option<Credentials>, Refused> {
        let password = secret("EMAIL_PASSWORD", self.email_password.as_ref(), self.email_password_file.as_ref())?;
        match (given(self.email_username.as_ref()), password) {
            (None, None) => Ok(None),
            (Some(name), Some(password)) => Ok(Some(Credentials::new(name.to_owned(), password.expose().to_owned()))),
            (Some(_), None) => refuse("EMAIL_USERNAME is set, but not EMAIL_PASSWORD: set both or neither"),
            (None, Some(_)) => refuse("EMAIL_PASSWORD is set, but not EMAIL_USERNAME: set both or neither"),
        }
    }

    /// Returns TLS parameters that trust the root certificates that browsers trust, and the
    /// certificates in EMAIL_CA_FILE.
    fn trust(&self, host: &str) -> Result<TlsParameters, Refused> {
        let mut tls = TlsParameters::builder(host.to_owned());
        if let Some(path) = self.email_ca_file.as_ref().filter(|path| !path.as_os_str().is_empty()) {
            let shown = path.display();
            let pem = fs::read(path)
                .map_err(|e| Refused(format!("EMAIL_CA_FILE names {shown}, which cannot be read: {e}")))?;
            let holds_one = String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----");
            let root = Certificate::from_pem(&pem).ok().filter(|_| holds_one);
            let no_pem = || Refused(format!("EMAIL_CA_FILE names {shown}, which holds no certificate in PEM"));
            tls = tls.add_root_certificate(root.ok_or_else(no_pem)?);
        }
        tls.build().map_err(|e| Refused(format!("EMAIL_CA_FILE cannot be used: {e}")))
    }
}

/// Returns the sender with the domain in its ASCII form, as in DNS, so that every mail server
/// understands the address.
fn for_mail(sender: Mailbox) -> Mailbox {
    let email = Email::parse(sender.email.as_ref()).ok().and_then(|email| email.for_mail().parse().ok());
    Mailbox { email: email.unwrap_or(sender.email), ..sender }
}

/// Parses the name for EHLO: a name with a dot, or an address in brackets (RFC 5321, 4.1.3).
fn hello(text: &str) -> Option<ClientId> {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let v6 = address.strip_prefix("IPv6:").and_then(|v6| v6.parse().ok()).map(ClientId::Ipv6);
        return v6.or_else(|| address.parse().ok().map(ClientId::Ipv4));
    }
    let fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_full = text.len() <= 253 && text.contains('.') && text.split('.').all(fits);
    (is_full && text.parse::<IpAddr>().is_err()).then(|| ClientId::Domain(text.to_owned()))
}

fn refuse<T>(sentence: &str) -> Result<T, Refused> {
    Err(Refused(sentence.to_owned()))
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

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn with_host() -> Config {
        Config { email_host: some("smtp.example.org"), ..Default::default() }
    }

    fn outgoing(config: &Config, environment: Environment) -> Result<String, String> {
        let outgoing = config.outgoing(environment, Path::new("/data"));
        outgoing.map(|o| format!("{o:?}")).map_err(|e| e.to_string())
    }

    #[track_caller]
    fn refused(config: Config, name: &str) {
        let sentence = outgoing(&config, Environment::Production).unwrap_err();
        assert!(sentence.contains(name), "{sentence}");
    }

    #[test]
    fn production_refuses_to_start_without_a_mail_server_and_development_writes_files() {
        let none = Config { email_host: some(" "), ..Default::default() };
        refused(none.clone(), "EMAIL_HOST");
        assert!(outgoing(&none, Environment::Development).unwrap().contains("/data/mail"));
    }

    #[test]
    fn the_port_follows_from_the_encryption() {
        for (tls, port) in [(None, "587"), (some("starttls"), "587"), (some("tls"), "465"), (some("none"), "25")] {
            let smtp = outgoing(&Config { email_tls: tls, ..with_host() }, Environment::Production).unwrap();
            assert!(smtp.contains(port), "{smtp}");
        }
        let chosen = Config { email_port: some("2525"), ..with_host() };
        assert!(outgoing(&chosen, Environment::Production).unwrap().contains("2525"));
    }

    #[test]
    fn the_greeting_is_the_public_name_and_never_that_of_a_container() {
        let hello = |helo: &str, url: &str, from: &str| {
            let (email_helo, public_url, email_from) = (some(helo), some(url), some(from));
            Config { email_helo, public_url, email_from, ..with_host() }.hello().map(|id| id.to_string())
        };
        for (helo, url, from, expected) in [
            ("", "https://time.example.org:8443/t3", "t3@example.org", "time.example.org"),
            ("", "http://localhost:8000", "t3@example.org", "example.org"),
            ("", "http://192.0.2.1:8000", "t3@example.org", "example.org"),
            ("", "http://[2001:db8::1]:8000", "t3@example.org", "example.org"),
            ("", "", "", "[127.0.0.1]"),
            ("mail.example.org", "https://time.example.org", "t3@example.org", "mail.example.org"),
            ("[192.0.2.1]", "", "", "[192.0.2.1]"),
            ("[IPv6:2001:db8::1]", "", "", "[IPv6:2001:db8::1]"),
        ] {
            assert_eq!(hello(helo, url, from), Ok(expected.to_owned()), "{helo} {url} {from}");
        }
        for bad in ["mailer-7f9c", "x..org", "x.org\r\nQUIT", "192.0.2.1", "[192.0.2]", "-x.org", "ü.org"] {
            let error = hello(bad, "", "").unwrap_err().to_string();
            assert!(error.contains("EMAIL_HELO") && error.contains("time.example.org"), "{bad}: {error}");
            refused(Config { email_helo: some(bad), ..with_host() }, "EMAIL_HELO");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_name_of_the_setting() {
        refused(Config { email_host: some("smtp.example.org:587"), ..Default::default() }, "EMAIL_PORT");
        refused(Config { email_tls: some("ssl"), ..with_host() }, "EMAIL_TLS");
        for port in ["0", "65536", "smtp"] {
            refused(Config { email_port: some(port), ..with_host() }, "EMAIL_PORT");
        }
        refused(Config { email_username: some("ann"), ..with_host() }, "EMAIL_PASSWORD");
        refused(Config { email_password: Some(Secret::new("secret")), ..with_host() }, "EMAIL_USERNAME");
        refused(Config { email_ca_file: Some("/no/such/file".into()), ..with_host() }, "EMAIL_CA_FILE");
        let no_pem = tempfile::NamedTempFile::new().unwrap();
        refused(Config { email_ca_file: Some(no_pem.path().into()), ..with_host() }, "EMAIL_CA_FILE");
        for from in ["T3", "T3 <no-reply>", "T3\r\nBcc: x@y.org <no-reply@x.org>"] {
            let config = Config { email_from: some(from), ..with_host() };
            assert!(config.sender().unwrap_err().0.contains("EMAIL_FROM"), "{from}");
        }
    }

    #[test]
    fn the_mail_of_a_day_has_an_hour_or_there_is_none() {
        let hour = |text| Config { email_digest_hour: some(text), ..Default::default() }.digest_hour();
        assert_eq!((hour(" "), hour("never")), (Ok(Some(DigestHour::default())), Ok(None)));
        assert_eq!(hour("07"), hour("7"));
        for wrong in ["24", "-1", "7:00", "noon"] {
            assert!(hour(wrong).unwrap_err().0.starts_with("EMAIL_DIGEST_HOUR must be"), "{wrong}");
        }
    }

    #[test]
    fn the_sender_has_a_domain_as_it_is_in_the_dns() {
        let sender = |from| Config { email_from: some(from), ..Default::default() }.sender().unwrap().to_string();
        assert_eq!(sender("T3 <no-reply@Müller.de>"), "T3 <no-reply@xn--mller-kva.de>");
        assert_eq!(sender("no-reply@example.org"), "no-reply@example.org");
        let hello = Config { email_from: some("t3@müller.de"), ..with_host() }.hello().unwrap();
        assert_eq!(hello.to_string(), "xn--mller-kva.de");
    }

    #[test]
    fn no_secret_shows_when_settings_are_printed() {
        let config =
            Config { email_username: some("ann"), email_password: Some(Secret::new("planted-secret")), ..with_host() };
        assert!(!format!("{config:?}").contains("planted"));
        assert!(!outgoing(&config, Environment::Production).unwrap().contains("planted"));
    }

    #[test]
    fn empty_settings_count_as_none() {
        let flags = ["--email-host=", "--email-port=", "--email-tls=", "--email-ca-file=", "--email-password-file="];
        let config = Cli::parse_from(["mailer"].into_iter().chain(flags)).config;
        assert!(outgoing(&config, Environment::Development).is_ok());
    }
}
