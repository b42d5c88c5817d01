use contracts::{Name, Waiting};
use kit::PublicUrl;

use super::mail::{Mail, Part};

/// Writes the mail about what waits for a manager's decision, or returns `None` if nothing waits.
pub(crate) fn digest_mail(name: &Name, waiting: Waiting, public_url: &PublicUrl) -> Option<Mail> {
    let line = |count: u64, one: &str, several: &str, page: &str| {
        let what = if count == 1 { one } else { several };
        (count > 0).then(|| Part::Text(format!("{count} {what}: {}", public_url.link(page))))
    };
    let lines = [
        line(
            waiting.periods,
            "pay period is submitted, to be approved or sent back",
            "pay periods are submitted, to be approved or sent back",
            "/console/approvals",
        ),
        line(
            waiting.corrections,
            "correction is asked for, to be accepted or refused",
            "corrections are asked for, to be accepted or refused",
            "/console/corrections",
        ),
    ];
    let mut parts = vec![Part::from("of the people in your teams, this waits for you to decide.")];
    parts.extend(lines.into_iter().flatten());
    (parts.len() > 1).then(|| Mail::write(WAITS, name, &parts))
}

const WAITS: &str = "What waits for you in T3";

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(periods: u64, corrections: u64) -> Option<Mail> {
        let url = PublicUrl::read(Some(&"https://time.example.org".to_owned())).expect("an address");
        digest_mail(&Name::parse("Zoe").expect("a name"), Waiting { periods, corrections }, &url)
    }

    #[test]
    fn it_counts_what_waits_and_leads_to_it_and_is_none_where_nothing_does() {
        assert!(mail(0, 0).is_none());
        let both = mail(3, 1).expect("a mail");
        assert_eq!((both.subject, both.link.as_deref()), (WAITS, None));
        for part in [&both.plain, &both.html] {
            assert!(part.contains("3 pay periods are submitted"), "{part}");
            assert!(part.contains("https://time.example.org/console/approvals"), "{part}");
            assert!(part.contains("1 correction is asked for"), "{part}");
            assert!(part.contains("https://time.example.org/console/corrections"), "{part}");
        }
        let one = mail(1, 0).expect("a mail").plain;
        assert!(one.contains("1 pay period is submitted") && !one.contains("correction"), "{one}");
    }
}
