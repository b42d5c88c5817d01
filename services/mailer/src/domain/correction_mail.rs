use contracts::{CorrectionDecided, CorrectionStatus, Name};
use kit::PublicUrl;

use super::{
    mail::{Mail, Part},
    times::{local, stretch},
};

/// Writes the mail about the decision on a requested correction.
pub(crate) fn correction_mail(name: &Name, event: &CorrectionDecided, public_url: &PublicUrl) -> Mail {
    let (correction, zone) = (&event.correction, &event.timezone);
    let (start, end) = (local(correction.start, zone), local(correction.end, zone));
    let time = stretch(&start, &end);
    let is_accepted = correction.status == CorrectionStatus::Accepted;
    let (subject, what) = match (is_accepted, correction.void, correction.window_id.is_some()) {
        (true, true, _) => (ACCEPTED, format!("your time of {time} ({zone}) counts no longer, as you have asked.")),
        (true, false, true) => {
            (ACCEPTED, format!("your time is corrected as you have asked: it is {time} ({zone}) now."))
        }
        (true, false, false) => (ACCEPTED, format!("the time that you have asked for is recorded: {time} ({zone}).")),
        (false, true, _) => {
            (REFUSED, format!("you have asked that your time of {time} ({zone}) should not count. It stays."))
        }
        (false, false, _) => (REFUSED, format!("you have asked for the time {time} ({zone}). It is not recorded.")),
    };
    let mut parts = vec![Part::Text(what)];
    if let Some(reason) = &correction.decision_reason {
        parts.push(Part::Text(format!("The reason: {reason}")));
    }
    let day = public_url.link(&format!("/me?day={}", start.date()));
    parts.push(Part::Text(format!("Your day is at {day}")));
    Mail::write(subject, name, &parts)
}

const ACCEPTED: &str = "Your correction is made";
const REFUSED: &str = "Your correction was refused";

#[cfg(test)]
mod tests {
    use contracts::{CorrectionRequest, HOUR};
    use serde_json::json;

    use super::*;

    fn mail(status: &str, void: bool, window: bool, hours: i64) -> Mail {
        let id = "0198c6f2-7f00-7a31-9c5e-000000000001";
        let start = 1_772_321_400_000; // 2026-03-01 00:30 in Berlin
        let mut correction = json!({
            "id": id, "employeeId": id, "status": status, "void": void, "start": start, "end": start + hours * HOUR,
            "projectId": id, "taskId": id, "reason": "I forgot.", "askedAt": 0, "decisionReason": "<b>Fine</b>\nby me.",
        });
        if window {
            correction["windowId"] = json!(id);
        }
        let correction: CorrectionRequest = serde_json::from_value(correction).expect("a correction");
        let event = CorrectionDecided { correction, timezone: "Europe/Berlin".parse().expect("a zone") };
        let url = PublicUrl::read(Some(&"https://time.example.org".to_owned())).expect("an address");
        correction_mail(&Name::parse("Ann").expect("a name"), &event, &url)
    }

    #[test]
    fn each_decision_says_what_becomes_of_the_time_and_why() {
        for (status, void, window, subject, says) in [
            ("accepted", false, false, ACCEPTED, "is recorded: 2026-03-01 00:30 to 02:30 (Europe/Berlin)"),
            ("accepted", false, true, ACCEPTED, "it is 2026-03-01 00:30 to 02:30 (Europe/Berlin) now"),
            ("accepted", true, true, ACCEPTED, "counts no longer"),
            ("refused", false, false, REFUSED, "It is not recorded."),
            ("refused", true, true, REFUSED, "It stays."),
        ] {
            let mail = mail(status, void, window, 2);
            assert_eq!((mail.subject, mail.link.as_deref()), (subject, None));
            for part in [&mail.plain, &mail.html] {
                assert!(part.contains(says), "{says}: {part}");
                assert!(part.contains("https://time.example.org/me?day=2026-03-01"), "{part}");
            }
            assert!(mail.plain.contains("The reason: <b>Fine</b>\nby me."), "{}", mail.plain);
            assert!(mail.html.contains("&lt;b&gt;Fine&lt;/b&gt;"), "{}", mail.html);
        }
        assert!(mail("accepted", false, false, 24).plain.contains("2026-03-01 00:30 to 2026-03-02 00:30"));
    }

    #[test]
    fn a_reason_that_nobody_has_given_is_not_told() {
        let id = "0198c6f2-7f00-7a31-9c5e-000000000001";
        let correction = json!({
            "id": id, "employeeId": id, "status": "accepted", "void": false, "start": 0, "end": HOUR, "projectId": id,
            "taskId": id, "reason": "I forgot.", "askedAt": 0,
        });
        let correction = serde_json::from_value(correction).expect("a correction");
        let event = CorrectionDecided { correction, timezone: contracts::Zone::default() };
        let url = PublicUrl::read(None).expect("an address");
        assert!(!correction_mail(&Name::parse("Ann").expect("a name"), &event, &url).plain.contains("reason"));
    }
}
