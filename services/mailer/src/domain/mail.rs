use contracts::Name;
use maud::{DOCTYPE, html};

/// The content of a mail, as plain text and as HTML.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) subject: &'static str,
    /// The link in the mail, if there is one. The link is secret, because it contains a token.
    pub(crate) link: Option<String>,
    pub(crate) plain: String,
    pub(crate) html: String,
}

/// A part of a mail.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// A paragraph of text.
    Text(String),
    /// A link with a token, on a line of its own.
    Link(String),
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Mail {
    /// Writes a mail that greets the recipient by name.
    pub(super) fn write(subject: &'static str, name: &Name, parts: &[Part]) -> Self {
        let greeting = format!("Hello {name},");
        let mut plain = greeting.clone() + "\n";
        for part in parts {
            let (Part::Text(text) | Part::Link(text)) = part;
            plain += &format!("\n{text}\n");
        }
        let html = html! {
            (DOCTYPE)
            html lang="en" {
                head { meta charset="utf-8"; title { (subject) } }
                body style="font-family: sans-serif; line-height: 1.5; max-width: 36em; overflow-wrap: anywhere" {
                    p { (greeting) }
                    @for part in parts {
                        @match part {
                            Part::Text(text) => p { (text) },
                            Part::Link(link) => p { a href=(link) { (link) } },
                        }
                    }
                }
            }
        };
        let link = parts.iter().find_map(|part| match part {
            Part::Link(link) => Some(link.clone()),
            Part::Text(_) => None,
        });
        Self { subject, link, plain, html: html.into_string() }
    }
}
