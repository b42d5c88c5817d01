use contracts::{Caller, Code, DAY, HOUR, ListSilent, WindowFact};

use crate::fixture::*;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_time_in_one_range_and_none_in_the_other_has_fallen_silent() {
    let (harness, _analytics) = start().await;
    let of_bob = |n, start| WindowFact { employee_id: BOB, ..window(n, start, start + HOUR) };
    let windows = [
        window(1, MIDNIGHT, MIDNIGHT + HOUR),
        of_bob(2, MIDNIGHT),
        of_bob(3, MIDNIGHT + 5 * DAY),
        WindowFact { voided: true, ..window(4, MIDNIGHT + 5 * DAY, MIDNIGHT + 5 * DAY + HOUR) },
    ];
    harness.publish(&recorded(&windows)).await;
    let asked = |days: i64, employees| ListSilent {
        worked: range(MIDNIGHT, MIDNIGHT + DAY),
        silent: range(MIDNIGHT + days * DAY, MIDNIGHT + (days + 1) * DAY),
        employees,
    };
    assert_eq!(harness.ask(&asked(5, vec![])).await.unwrap(), [ANN], "what was voided is no sign of life");
    assert_eq!(harness.ask(&asked(5, vec![BOB])).await.unwrap(), []);
    assert_eq!(harness.ask(&asked(3, vec![])).await.unwrap(), [ANN, BOB], "another range is another question");
    let refused = harness.bus().ask(Caller::Employee(ANN), &asked(5, vec![])).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    harness.finish().await;
}
