use contracts::{HOUR, Millis, MintedToken};
use kit::PublicUrl;

use super::mail::{Mail, Part};

const INVITED: &str = "you are invited to T3, the time tracker of your team. T3 records on which project and task your \
     time goes, so that nobody has to fill in a time sheet.";
const ASK: &str = "To activate your account, open this link and choose a password:";
const MISTAKE: &str = "If you did not expect this mail, you need not do anything.";

/// Writes the mail with an invitation.
pub(crate) fn invitation_mail(minted: &MintedToken, public_url: &PublicUrl, now: Millis) -> Mail {
    let link = public_url.link(&format!("/activate?token={}", minted.token.expose()));
    let hours = (minted.expires_at - now + HOUR / 2) / HOUR;
    let validity =
        format!("The link is valid for {hours} hours and works once. After that, ask your admin for a new one.");
    let parts = [INVITED.into(), ASK.into(), Part::Link(link), Part::Text(format!("{validity} {MISTAKE}"))];
    Mail::write("Your invitation to T3", &minted.name, &parts)
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
        let mail = invitation_mail(&minted, &url, Millis(1_500));
        let link = "https://example.org/t3/activate?token=the-token";
        assert_eq!(mail.link.as_deref(), Some(link));
        for part in [&mail.plain, &mail.html] {
            assert!(part.contains(link) && part.contains("72 hours") && part.contains("time tracker"), "{part}");
        }
        assert!(mail.plain.starts_with("Hello Ann <b>Example</b>,\n"));
        assert!(mail.html.contains("Hello Ann &lt;b&gt;Example&lt;/b&gt;,"), "{}", mail.html);
    }
}
