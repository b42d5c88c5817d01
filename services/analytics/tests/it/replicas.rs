use std::sync::Arc;

use async_nats::jetstream::consumer::pull;
use contracts::{Code, DAY, Filter, GetProjectTime, HOUR, Rate, Rates, WindowFact, stream};
use futures::StreamExt;
use tokio::task::JoinSet;

use crate::fixture::*;

/// A generator of pseudo-random numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Revisions of windows that overlap, are moved and are voided, in pseudo-random order.
fn history(numbers: &mut Numbers) -> Vec<WindowFact> {
    let mut history = Vec::new();
    for id in 0..150 {
        for revision in 1..=1 + numbers.below(3) as i64 {
            let start = MIDNIGHT + numbers.below(2 * DAY as u64) as i64;
            let end = start + 1 + numbers.below(6 * HOUR as u64) as i64;
            let project_number = 1 + u128::from(numbers.below(3));
            let rate = Rate::from_units(numbers.below(1_000_000) as i64).expect("a rate");
            history.push(WindowFact {
                revision,
                employee_id: if numbers.below(2) == 0 { ANN } else { BOB },
                project_id: project(project_number),
                task_id: task(project_number * 10 + u128::from(numbers.below(2))),
                rates: Rates { bill_rate: Some(rate), pay_rate: Some(rate), ..Rates::default() },
                voided: numbers.below(10) == 0,
                ..window(id, start, end)
            });
        }
    }
    for at in (1..history.len()).rev() {
        history.swap(at, numbers.below(at as u64 + 1) as usize);
    }
    history
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_that_count_the_same_days_at_once_end_up_with_brute_force() {
    let (harness, _first) = start().await;
    let _second = spawn(&harness).await;
    let harness = Arc::new(harness);
    let mut numbers = Numbers(7);
    let history = history(&mut numbers);
    let mut publishing = JoinSet::new();
    for batch in history.chunks(4).map(<[_]>::to_vec) {
        let (harness, twice) = (harness.clone(), numbers.below(3) == 0);
        publishing.spawn(async move {
            if twice {
                harness.publish_twice(&recorded(&batch)).await;
            } else {
                harness.publish(&recorded(&batch)).await;
            }
        });
    }
    publishing.join_all().await;
    let mut asked = vec![week()];
    for _ in 0..10 {
        let start = MIDNIGHT - HOUR + numbers.below(DAY as u64) as i64;
        asked.push(all_of(start, start + 1 + numbers.below(2 * DAY as u64) as i64));
    }
    asked.push(GetProjectTime { filter: Filter { tasks: vec![task(11), task(20)], ..of_one(BOB) }, ..week() });
    for asked in asked {
        assert_eq!(answer(&harness, &asked).await, brute(&history, &asked), "{asked:?}");
    }
    Arc::into_inner(harness).unwrap().finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_replica_that_died_had_in_hand_is_counted_by_another_soon() {
    let harness = testkit::Harness::start().await;
    harness.provision(&analytics::needs()).await;
    let windows = [window(1, MIDNIGHT, MIDNIGHT + HOUR)];
    harness.publish(&recorded(&windows)).await;
    // Another client of the durable consumer fetches the event and never acknowledges it.
    let consumer = harness.bus().jetstream.get_consumer_from_stream::<pull::Config, _, _>("analytics", stream::EVENTS);
    let taken = consumer.await.unwrap().fetch().max_messages(1).messages().await.unwrap();
    assert_eq!(taken.count().await, 1);
    let _alive = spawn(&harness).await;
    // The server redelivers an unacknowledged event after 3 seconds. The limit of 20 seconds is for
    // a slow machine.
    let answer = testkit::eventually_within(std::time::Duration::from_secs(20), "a report", async || {
        harness.ask(&week()).await.ok()
    });
    assert_eq!(answer.await, brute(&windows, &week()));
    harness.finish().await;
}

/// The reply to this request. It is requested again while the service replies that windows are not
/// counted yet, which takes longer on a slow machine.
async fn answer(harness: &testkit::Harness, asked: &GetProjectTime) -> Vec<contracts::ProjectTime> {
    testkit::eventually_within(std::time::Duration::from_secs(60), "everything is counted", async || {
        match harness.ask(asked).await {
            Ok(answer) => Some(answer),
            Err(failure) => {
                assert_eq!(failure.code, Code::Unavailable);
                None
            }
        }
    })
    .await
}
