use contracts::{HOUR, MailSays, Millis, MintedMail, SECOND};
use kit::PublicUrl;

use super::mail::{Mail, Part};

/// Writes a mail about an account: a link, or a notice of a change.
pub(crate) fn account_mail(minted: &MintedMail, public_url: &PublicUrl, now: Millis) -> Mail {
    let (subject, parts) = match &minted.says {
        MailSays::Reset { token, expires_at } => {
            let minutes = (*expires_at - now + 30 * SECOND) / (60 * SECOND);
            let link = public_url.link(&format!("/reset?token={}", token.expose()));
            let parts = vec![
                "somebody asked to set a new password for your T3 account. To set it, open this link:".into(),
                Part::Link(link),
                Part::Text(format!(
                    "The link is valid for {minutes} minutes and works once. All devices are logged out by it."
                )),
                "If it was not you, you need not do anything: your password stays as it is.".into(),
            ];
            ("Set a new password for T3", parts)
        }
        MailSays::Confirmation { token, expires_at } => {
            let hours = (*expires_at - now + HOUR / 2) / HOUR;
            let link = public_url.link(&format!("/confirm?token={}", token.expose()));
            let parts = vec![
                "this is the address of your T3 account now: log in with it from now on. To confirm that you read \
                 mails here, open this link and enter your password:"
                    .into(),
                Part::Link(link),
                Part::Text(format!(
                    "The link is valid for {hours} hours. Until the address is confirmed, only your admin can have a \
                     forgotten password reset."
                )),
                "If you have no account at T3, somebody mistyped an address, and you need not do anything.".into(),
            ];
            ("Confirm your address for T3", parts)
        }
        MailSays::PasswordChanged => {
            let parts = vec![
                "the password of your T3 account was changed. If it was you, you need not do anything.".into(),
                Part::Text(format!(
                    "If it was not you, set a new password at once, at {}, and tell your admin.",
                    public_url.link("/forgot")
                )),
            ];
            ("Your T3 password was changed", parts)
        }
        MailSays::AddressChanged => {
            let parts = vec![
                "your T3 account has another e-mail address now, and this one no longer belongs to it. You log in with \
                 the new one."
                    .into(),
                "If you do not know of that, tell your admin at once.".into(),
            ];
            ("The address of your T3 account was changed", parts)
        }
    };
    Mail::write(subject, &minted.name, &parts)
}

#[cfg(test)]
mod tests {
    use contracts::{Email, Name, Secret};

    use super::*;

    fn written(says: MailSays) -> Mail {
        let (name, email) = (Name::parse("Ann <b>Example</b>").unwrap(), Email::parse("ann@x.org").unwrap());
        let url = PublicUrl::read(Some(&"https://time.example.org".to_owned())).unwrap();
        account_mail(&MintedMail { name, email, says }, &url, Millis(1_500))
    }

    #[test]
    fn a_link_stands_in_both_parts_with_how_long_it_is_good() {
        let (token, expires_at) = (Secret::new("the-token"), Millis(30 * 60 * SECOND));
        let reset = written(MailSays::Reset { token: token.clone(), expires_at });
        let confirmation = written(MailSays::Confirmation { token, expires_at: Millis(72 * HOUR) });
        for (mail, link, validity) in [
            (reset, "https://time.example.org/reset?token=the-token", "30 minutes"),
            (confirmation, "https://time.example.org/confirm?token=the-token", "72 hours"),
        ] {
            assert_eq!(mail.link.as_deref(), Some(link));
            for part in [&mail.plain, &mail.html] {
                assert!(part.contains(link) && part.contains(validity), "{part}");
            }
            assert!(mail.plain.starts_with("Hello Ann <b>Example</b>,\n"));
            assert!(mail.html.contains("Hello Ann &lt;b&gt;Example&lt;/b&gt;,"), "{}", mail.html);
        }
    }

    #[test]
    fn word_of_a_change_has_no_link_with_a_token_and_says_what_to_do_about_a_stranger() {
        for says in [MailSays::PasswordChanged, MailSays::AddressChanged] {
            let mail = written(says);
            assert_eq!(mail.link, None);
            for part in [&mail.plain, &mail.html] {
                assert!(part.contains("tell your admin") && !part.contains("token"), "{part}");
            }
        }
        assert!(written(MailSays::PasswordChanged).plain.contains("https://time.example.org/forgot"));
    }
}
