use contracts::{HOUR, Millis, MintedToken};
use kit::PublicUrl;
use maud::{DOCTYPE, html};

/// What an invitation says, as text and as HTML.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct InvitationMail {
    pub(crate) subject: &'static str,
    /// The way to the page that asks for a password: a secret, as it holds the token.
    pub(crate) link: String,
    pub(crate) plain: String,
    pub(crate) html: String,
}

const ABOUT: &str = "T3 records on which project and task your time goes, so that nobody has to fill in a time sheet.";
const MISTAKE: &str = "If you did not expect this mail, you need not do anything.";

impl InvitationMail {
    /// Writes it.
    pub(crate) fn write(minted: &MintedToken, public_url: &PublicUrl, now: Millis) -> Self {
        let link = public_url.link(&format!("/activate?token={}", minted.token.expose()));
        let hours = (minted.expires_at - now + HOUR / 2) / HOUR;
        let greeting = format!("Hello {},", minted.name);
        let invited = "you are invited to T3, the time tracker of your team.";
        let ask = "To activate your account, open this link and choose a password:";
        let validity =
            format!("The link is valid for {hours} hours and works once. After that, ask your admin for a fresh one.");
        let plain = format!("{greeting}\n\n{invited}\n{ABOUT}\n\n{ask}\n\n{link}\n\n{validity}\n{MISTAKE}\n");
        let html = html! {
            (DOCTYPE)
            html lang="en" {
                head { meta charset="utf-8"; title { "Your invitation to T3" } }
                body style="font-family: sans-serif; line-height: 1.5; max-width: 36em; overflow-wrap: anywhere" {
                    p { (greeting) }
                    p { (invited) " " (ABOUT) }
                    p { (ask) }
                    p { a href=(link) { (link) } }
                    p { (validity) }
                    p { (MISTAKE) }
                }
            }
        };
        Self { subject: "Your invitation to T3", link, plain, html: html.into_string() }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{Email, Name, Secret};

    use super::*;

    #[test]
    fn both_parts_greet_by_name_hold_the_link_and_say_how_long_it_is_good() {
        let minted = MintedToken {
            name: Name::parse("Ann <b>Example</b>").unwrap(),
            email: Email::parse("ann@x.org").unwrap(),
            token: Secret::new("the-token"),
            expires_at: Millis(72 * HOUR),
        };
        let url = PublicUrl::read(Some(&"https://example.org/t3/".to_owned())).unwrap();
        let mail = InvitationMail::write(&minted, &url, Millis(1_500));
        assert_eq!(mail.link, "https://example.org/t3/activate?token=the-token");
        for part in [&mail.plain, &mail.html] {
            assert!(part.contains(&mail.link) && part.contains("72 hours") && part.contains("time tracker"), "{part}");
        }
        assert!(mail.plain.starts_with("Hello Ann <b>Example</b>,\n"));
        assert!(mail.html.contains("Hello Ann &lt;b&gt;Example&lt;/b&gt;,"), "{}", mail.html);
    }
}
