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
use crate::domain::{Cause, Refusal, Step};

/// The time limit of one step of the SMTP dialogue, except for the content of the mail.
const STEP: Duration = Duration::from_secs(10);
/// The time limit of all steps before the content together.
const CONVERSATION: Duration = Duration::from_secs(20);
/// How long the server may take to accept the content. Many servers scan a mail before they answer.
/// A client that stops waiting too early does not learn that the mail is accepted, and sends it
/// again and again (RFC 5321, 4.5.3.2.6).
const ACCEPTANCE: Duration = Duration::from_secs(600);
/// The time limit of QUIT.
const GOODBYE: Duration = Duration::from_secs(1);

/// How the connection is encrypted.
pub(crate) enum Security {
    /// The connection begins without encryption, and is encrypted before anything confidential is
    /// sent.
    Starttls(TlsParameters),
    /// The connection is encrypted from the first byte.
    Tls(TlsParameters),
    /// The connection is not encrypted.
    None,
}

/// A mail server and how to connect to it. Every mail is sent on a connection of its own.
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
    /// Creates the description of a mail server. `hello` is the name of this client in EHLO.
    pub(crate) fn new(
        host: String,
        port: u16,
        security: Security,
        login: Option<Credentials>,
        hello: ClientId,
    ) -> Self {
        Self { host, port, security, login, hello }
    }

    /// Sends a mail.
    pub(crate) async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let slow = || Err(NotSent::new(Cause::Passing, "The mail server takes too long."));
        let mut connection = timeout(CONVERSATION, self.announce(letter)).await.unwrap_or_else(|_| slow())?;
        attempt_within(ACCEPTANCE, "the mail", Step::Content, connection.message(&letter.bytes)).await?;
        // The server has accepted the mail, so a failed QUIT does not matter.
        let _ = timeout(GOODBYE, connection.quit()).await;
        Ok(())
    }

    /// Connects to the server and runs all steps before the content. Returns the connection on
    /// which the content is sent.
    async fn announce(&self, letter: &Letter) -> Result<AsyncSmtpConnection, NotSent> {
        let mut connection = self.connect().await?;
        let (envelope, options) = (&letter.envelope, mail_options(&connection, letter)?);
        let from = Mail::new(envelope.from().cloned(), options);
        attempt("the sender", Step::Sender, connection.command(from)).await?;
        for recipient in envelope.to() {
            let to = Rcpt::new(recipient.clone(), Vec::new());
            attempt("the recipient", Step::Recipient, connection.command(to)).await?;
        }
        attempt("the mail", Step::Content, connection.command(Data)).await?;
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, NotSent> {
        let (address, hello) = ((self.host.as_str(), self.port), &self.hello);
        let wrapped = match &self.security {
            Security::Tls(tls) => Some(tls.clone()),
            Security::Starttls(_) | Security::None => None,
        };
        let greeting = AsyncSmtpConnection::connect_tokio1(address, Some(STEP), hello, wrapped, None);
        let mut connection = attempt("the greeting", Step::Greeting, greeting).await?;
        if let Security::Starttls(tls) = &self.security {
            attempt("STARTTLS", Step::Greeting, connection.starttls(tls.clone(), hello)).await?;
        }
        if let Some(login) = &self.login {
            let auth = connection.auth(&[Mechanism::Plain, Mechanism::Login], login);
            attempt("the login", Step::Login, auth).await?;
        }
        Ok(connection)
    }
}

/// Returns the parameters of MAIL FROM. An address with non-ASCII characters before the @ needs a
/// server with SMTPUTF8 (RFC 6531).
fn mail_options(connection: &AsyncSmtpConnection, letter: &Letter) -> Result<Vec<MailParameter>, NotSent> {
    let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    let (from, to) = (letter.envelope.from(), letter.envelope.to());
    if from.into_iter().chain(to).all(is_ascii) {
        return Ok(Vec::new());
    }
    if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
        let cause = if from.is_none_or(is_ascii) { Cause::Recipient } else { Cause::Ours };
        let why = "The mail server takes no addresses with letters beyond ASCII before the @.";
        return Err(NotSent::new(cause, why));
    }
    Ok(vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)])
}

async fn attempt<T>(name: &str, step: Step, work: impl Future<Output = Result<T, Error>>) -> Result<T, NotSent> {
    attempt_within(STEP, name, step, work).await
}

async fn attempt_within<T>(
    limit: Duration,
    name: &str,
    step: Step,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, NotSent> {
    match timeout(limit, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(not_sent(name, step, &error)),
        Err(_) => {
            let why = format!("The mail server did not answer {name} within {} seconds.", limit.as_secs());
            Err(NotSent::new(Cause::Passing, why))
        }
    }
}

/// Describes an SMTP error without the server's text, which may quote the mail with its token.
fn not_sent(name: &str, step: Step, error: &Error) -> NotSent {
    let Some(code) = error.status() else {
        let why = match error.is_response() {
            true => format!("The mail server's answer to {name} makes no sense."),
            false => format!("The mail server cannot be talked to ({name}): {error}."),
        };
        // Until the login succeeds, most errors come from wrong settings: the name, the port or a
        // certificate.
        let cause = if matches!(step, Step::Greeting | Step::Login) { Cause::Ours } else { Cause::Passing };
        return NotSent::new(cause, why);
    };
    let words = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let refusal = Refusal::read(code.into(), &words);
    let enhanced = refusal.enhanced.map(|(subject, detail)| format!(" {}.{subject}.{detail}", u16::from(code) / 100));
    let why = format!(
        "The mail server answered {name} with {code}{}{}.",
        enhanced.unwrap_or_default(),
        refusal.meaning(step)
    );
    NotSent::new(refusal.cause(step), why)
}
