use contracts::{AdjustmentMade, Name};
use kit::PublicUrl;

use super::{
    mail::{Mail, Part},
    times::{hours, local, stretch},
};

/// Writes the mail about admitted hours that had arrived after their day was settled.
pub(crate) fn adjustment_mail(name: &Name, event: &AdjustmentMade, public_url: &PublicUrl) -> Mail {
    let AdjustmentMade { adjustment, timezone } = event;
    let (start, end) = (local(adjustment.start, timezone), local(adjustment.end, timezone));
    let came = format!("your time of {} ({timezone}) came when its day was settled already.", stretch(&start, &end));
    let counts = match adjustment.sum.time {
        0 => "It is admitted, and all that was settled of it was counted before.".to_owned(),
        time => {
            let (hours, day) = (hours(time), local(adjustment.counts_at, timezone).date());
            format!("It is admitted: {hours} hours of it count on {day}, and are paid with the pay period of that day.")
        }
    };
    let own = public_url.link("/me");
    let parts = [Part::Text(format!("{came} {counts}")), Part::Text(format!("Your pay periods are at {own}"))];
    Mail::write(ADMITTED, name, &parts)
}

const ADMITTED: &str = "Your late hours are admitted";

#[cfg(test)]
mod tests {
    use contracts::HOUR;
    use serde_json::json;

    use super::*;

    fn mail(time: i64) -> Mail {
        let (id, start) = ("0198c6f2-7f00-7a31-9c5e-000000000001", 1_772_321_400_000_i64); // 2026-03-01 00:30 in Berlin
        let adjustment = json!({
            "id": id, "employeeId": id, "projectId": id, "taskId": id, "start": start, "end": start + 2 * HOUR,
            "countsAt": start + 40 * 24 * HOUR, "time": time, "costs": 1, "income": 1, "hash": "0".repeat(32),
        });
        let event = json!({ "adjustment": adjustment, "timezone": "Europe/Berlin" });
        let url = PublicUrl::read(Some(&"https://time.example.org".to_owned())).expect("an address");
        let event = serde_json::from_value(event).expect("an adjustment");
        adjustment_mail(&Name::parse("Ann").expect("a name"), &event, &url)
    }

    #[test]
    fn it_says_when_it_was_worked_how_much_of_it_counts_and_when() {
        let written = mail(HOUR + HOUR / 2);
        assert_eq!((written.subject, written.link.as_deref()), (ADMITTED, None));
        for part in [&written.plain, &written.html] {
            assert!(part.contains("your time of 2026-03-01 00:30 to 02:30 (Europe/Berlin)"), "{part}");
            assert!(part.contains("1:30 hours of it count on 2026-04-10,"), "{part}");
            assert!(part.contains("https://time.example.org/me"), "{part}");
        }
        let nothing_new = mail(0).plain;
        assert!(nothing_new.contains("was counted before") && !nothing_new.contains("0:00"), "{nothing_new}");
    }
}
