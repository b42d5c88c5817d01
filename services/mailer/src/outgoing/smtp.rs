use std::{fmt, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
};
use tokio::time::timeout;

use super::{Letter, NotSent};

/// How long the server may take for one step.
const STEP: Duration = Duration::from_secs(10);
/// How long it may take for all of them.
const CONVERSATION: Duration = Duration::from_secs(20);
/// How long we wait for its goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// How the connection is encrypted.
pub(crate) enum Security {
    /// It begins in the clear; without encryption we say nothing of worth.
    Starttls(TlsParameters),
    /// From the first byte.
    Tls(TlsParameters),
    /// Not at all.
    None,
}

/// A mail server, and how to talk to it. Every mail has a connection of its own.
pub(crate) struct Smtp {
    host: String,
    port: u16,
    security: Security,
    login: Option<Credentials>,
    hello: ClientId,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smtp({}:{})", self.host, self.port)
    }
}

impl Smtp {
    pub(crate) fn new(host: String, port: u16, security: Security, login: Option<Credentials>) -> Self {
        Self { host, port, security, login, hello: ClientId::default() }
    }

    /// Hands a mail over to the server.
    pub(crate) async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let slow = || Err(NotSent::Yet("The mail server takes too long.".into()));
        timeout(CONVERSATION, self.converse(letter)).await.unwrap_or_else(|_| slow())
    }

    /// Whatever goes wrong before the recipient is named may be mended by somebody: it passes.
    async fn converse(&self, letter: &Letter) -> Result<(), NotSent> {
        let mut connection = self.connect().await?;
        let (envelope, options) = (&letter.envelope, mail_options(&connection, letter)?);
        let from = Mail::new(envelope.from().cloned(), options);
        step("the sender", connection.command(from)).await?;
        for recipient in envelope.to() {
            last_step("the recipient", connection.command(Rcpt::new(recipient.clone(), Vec::new()))).await?;
        }
        last_step("the mail", connection.command(Data)).await?;
        last_step("the mail", connection.message(&letter.bytes)).await?;
        // The server has it; that it also says goodbye is a courtesy.
        let _ = timeout(GOODBYE, connection.quit()).await;
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, NotSent> {
        let (address, hello) = ((self.host.as_str(), self.port), &self.hello);
        let wrapped = match &self.security {
            Security::Tls(tls) => Some(tls.clone()),
            Security::Starttls(_) | Security::None => None,
        };
        let greeting = AsyncSmtpConnection::connect_tokio1(address, Some(STEP), hello, wrapped, None);
        let mut connection = step("the greeting", greeting).await?;
        if let Security::Starttls(tls) = &self.security {
            step("STARTTLS", connection.starttls(tls.clone(), hello)).await?;
        }
        if let Some(login) = &self.login {
            step("the login", connection.auth(&[Mechanism::Plain, Mechanism::Login], login)).await?;
        }
        Ok(connection)
    }
}

/// An address beyond ASCII needs a server that knows such addresses (RFC 6531).
fn mail_options(connection: &AsyncSmtpConnection, letter: &Letter) -> Result<Vec<MailParameter>, NotSent> {
    let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    let mut options = Vec::new();
    if !letter.envelope.to().iter().chain(letter.envelope.from()).all(is_ascii) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(NotSent::Ever("The mail server takes no addresses with letters beyond ASCII.".into()));
        }
        options.push(MailParameter::SmtpUtfEight);
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(options)
}

/// A step that may work later, whatever the server says.
async fn step<T>(name: &str, work: impl Future<Output = Result<T, Error>>) -> Result<T, NotSent> {
    attempt(name, work).await.map_err(|(sentence, _)| NotSent::Yet(sentence))
}

/// A step about this very mail: what the server refuses for good (5xx), it refuses for good.
async fn last_step<T>(name: &str, work: impl Future<Output = Result<T, Error>>) -> Result<T, NotSent> {
    attempt(name, work).await.map_err(
        |(sentence, is_permanent)| {
            if is_permanent { NotSent::Ever(sentence) } else { NotSent::Yet(sentence) }
        },
    )
}

async fn attempt<T>(name: &str, work: impl Future<Output = Result<T, Error>>) -> Result<T, (String, bool)> {
    match timeout(STEP, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err((sentence(name, &error), error.is_permanent())),
        Err(_) => Err((format!("The mail server did not answer {name} within {} seconds.", STEP.as_secs()), false)),
    }
}

/// Says what went wrong without the server's own words, which may quote the mail with its token.
fn sentence(name: &str, error: &Error) -> String {
    match error.status() {
        Some(code) => format!("The mail server answered {name} with {code}."),
        None if error.is_response() => format!("The mail server's answer to {name} makes no sense."),
        None => format!("The mail server cannot be talked to ({name}): {error}."),
    }
}
