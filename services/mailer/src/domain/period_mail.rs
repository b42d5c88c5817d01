use contracts::{Name, PeriodDecided, PeriodDecision};
use kit::PublicUrl;

use super::{
    mail::{Mail, Part},
    times::{hours, local},
};

/// Writes the mail about the decision on a pay period.
pub(crate) fn period_mail(name: &Name, event: &PeriodDecided, public_url: &PublicUrl) -> Mail {
    let PeriodDecided { period, decision, timezone, .. } = event;
    // The end is exclusive, so the last day of the period is the day of its last millisecond.
    let days = format!("{} to {}", period.id.first, local(period.end - 1, timezone).date());
    let own = public_url.link("/me");
    let (subject, what) = match decision {
        PeriodDecision::Approved => {
            let late = period.adjusted.map_or(0, |adjusted| adjusted.time);
            let late = if late == 0 { String::new() } else { format!(" and {} that came late", hours(late)) };
            let sum = period.sum.map_or(String::new(), |sum| format!(" with {} hours{late}", hours(sum.time)));
            (APPROVED, format!("your pay period {days} is approved{sum}. Nothing in it changes any more."))
        }
        PeriodDecision::SentBack => {
            let what = "before it can be approved, something is to be done about it. Submit it again then";
            (SENT_BACK, format!("your pay period {days} came back: {what}, at {own}"))
        }
        PeriodDecision::Reopened => {
            let what = "it was approved before, and its hours may change now. Submit it once it is complete";
            (REOPENED, format!("your pay period {days} is open again: {what}, at {own}"))
        }
    };
    let mut parts = vec![Part::Text(what)];
    match (&period.note, decision) {
        (Some(note), PeriodDecision::SentBack) => parts.push(Part::Text(format!("What is to be done: {note}"))),
        (Some(reason), PeriodDecision::Reopened) => parts.push(Part::Text(format!("The reason: {reason}"))),
        _ => {}
    }
    if *decision == PeriodDecision::Approved {
        parts.push(Part::Text(format!("Your hours are at {own}")));
    }
    Mail::write(subject, name, &parts)
}

const APPROVED: &str = "Your pay period is approved";
const SENT_BACK: &str = "Your pay period came back";
const REOPENED: &str = "Your pay period is open again";

#[cfg(test)]
mod tests {
    use contracts::HOUR;
    use serde_json::{Value, json};

    use super::*;

    fn mail(decision: &str, change: impl FnOnce(&mut Value)) -> Mail {
        // March 2026 in Berlin, which is one hour shorter because summer time begins.
        let mut period = json!({
            "id": "0198c6f2-7f00-7a31-9c5e-000000000001_2026-03-01", "status": "open", "start": 1_772_319_600_000_i64,
            "end": 1_774_994_400_000_i64, "note": "<b>Friday</b>\nis missing.",
        });
        change(&mut period);
        let event = json!({ "period": period, "version": 3, "decision": decision, "timezone": "Europe/Berlin" });
        let event: PeriodDecided = serde_json::from_value(event).expect("a decision");
        let url = PublicUrl::read(Some(&"https://time.example.org".to_owned())).expect("an address");
        period_mail(&Name::parse("Ann").expect("a name"), &event, &url)
    }

    #[test]
    fn each_decision_says_which_days_what_becomes_of_them_and_where_to_look() {
        for (decision, subject, says, why) in [
            ("approved", APPROVED, "is approved", None),
            ("sent_back", SENT_BACK, "came back", Some("What is to be done: ")),
            ("reopened", REOPENED, "is open again", Some("The reason: ")),
        ] {
            let mail = mail(decision, |_| {});
            assert_eq!((mail.subject, mail.link.as_deref()), (subject, None));
            for part in [&mail.plain, &mail.html] {
                assert!(part.contains(&format!("your pay period 2026-03-01 to 2026-03-31 {says}")), "{part}");
                assert!(part.contains("https://time.example.org/me"), "{part}");
            }
            match why {
                Some(why) => {
                    assert!(mail.plain.contains(&format!("{why}<b>Friday</b>\nis missing.")), "{}", mail.plain);
                    assert!(mail.html.contains("&lt;b&gt;Friday&lt;/b&gt;"), "{}", mail.html);
                }
                None => assert!(!mail.plain.contains("Friday"), "{}", mail.plain),
            }
        }
    }

    #[test]
    fn an_approval_says_what_it_comes_out_at_and_what_came_late() {
        let with = |late: i64| {
            mail("approved", |period| {
                let hash = "0".repeat(32);
                period["sum"] = json!({ "time": 160 * HOUR + HOUR / 2, "costs": 1, "income": 1, "hash": hash });
                period["adjusted"] = json!({ "time": late, "costs": 1, "income": 1 });
            })
            .plain
        };
        assert!(with(0).contains("is approved with 160:30 hours. Nothing"), "{}", with(0));
        assert!(with(HOUR).contains("is approved with 160:30 hours and 1:00 that came late."), "{}", with(HOUR));
    }
}
