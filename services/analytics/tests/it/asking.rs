use async_nats::jetstream::{AckKind, consumer::pull};
use contracts::{Caller, Code, Filter, GetProjectTime, GetTaskTime, HOUR, Service, WindowFact, stream};
use futures::StreamExt;
use kit::Needs;
use testkit::Harness;

use crate::fixture::*;

/// Windows of Ann on two projects and of Bob on one. The part of Ann's third window that her second
/// one covers does not count.
fn history() -> Vec<WindowFact> {
    vec![
        window(1, MIDNIGHT - HOUR, MIDNIGHT + HOUR),
        WindowFact { project_id: project(2), task_id: task(2), ..window(2, MIDNIGHT + 2 * HOUR, MIDNIGHT + 5 * HOUR) },
        WindowFact { task_id: task(3), ..window(3, MIDNIGHT + 4 * HOUR, MIDNIGHT + 7 * HOUR) },
        WindowFact { employee_id: BOB, ..window(4, MIDNIGHT + 4 * HOUR, MIDNIGHT + 8 * HOUR) },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_choose_among_what_counts() {
    let (harness, _analytics) = start().await;
    harness.publish(&recorded(&history())).await;
    let everybody = [vec![], vec![ANN], vec![BOB], vec![ANN, BOB]];
    let projects = [vec![], vec![project(1)], vec![project(1), project(2)], vec![project(9)]];
    let tasks = [vec![], vec![task(1)], vec![task(2), task(3)]];
    // The first range consists of whole days, the second one of parts of two adjoining days.
    for asked in [week(), all_of(MIDNIGHT - HOUR + 5, MIDNIGHT + 6 * HOUR + 7)] {
        for employees in &everybody {
            for projects in &projects {
                for tasks in &tasks {
                    let (employees, projects, tasks) = (employees.clone(), projects.clone(), tasks.clone());
                    let filter = Filter { employees, projects, tasks, shifts: Vec::new() };
                    let asked = GetProjectTime { filter, ..asked.clone() };
                    assert_eq!(harness.ask(&asked).await.unwrap(), brute(&history(), &asked), "{asked:?}");
                }
            }
        }
    }
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_recorded_is_an_empty_answer() {
    let (harness, _analytics) = start().await;
    assert_eq!(times(&harness, &week()).await, []);
    let asked = GetTaskTime { employee_id: ANN, task_id: task(1) };
    assert_eq!(harness.ask(&asked).await.unwrap().total_time_millis, 0);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn task_time_is_all_counted_time_of_one_employee_on_one_task() {
    let (harness, _analytics) = start().await;
    harness.publish(&recorded(&history())).await;
    for (employee_id, task_id, expected) in
        [(ANN, task(1), 2 * HOUR), (ANN, task(3), 2 * HOUR), (BOB, task(1), 4 * HOUR), (BOB, task(3), 0)]
    {
        let answer = harness.ask(&GetTaskTime { employee_id, task_id }).await.unwrap();
        assert_eq!(answer.total_time_millis, expected);
    }
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn employees_see_their_own_task_time_and_nothing_else() {
    let (harness, _analytics) = start().await;
    let of_ann = GetTaskTime { employee_id: ANN, task_id: task(1) };
    let as_employee = |who| Caller::Employee(who);
    assert!(harness.bus().ask(as_employee(ANN), &of_ann).await.is_ok());
    for refused in [
        harness.bus().ask(as_employee(BOB), &of_ann).await.err(),
        harness.bus().ask(Caller::Anonymous, &of_ann).await.err(),
        harness.bus().ask(as_employee(ANN), &week()).await.err(),
    ] {
        assert_eq!(refused.map(|failure| failure.code), Some(Code::Forbidden));
    }
    harness.finish().await;
}

/// Fetches the next event from the durable consumer of analytics, so that the service does not get
/// it.
async fn snatch(harness: &Harness) -> async_nats::jetstream::Message {
    let stream = harness.bus().jetstream.get_stream(stream::EVENTS).await.expect("the stream");
    let consumer = stream.get_consumer::<pull::Config>(Service::Analytics.name()).await.expect("the consumer");
    let mut messages = consumer.fetch().max_messages(1).messages().await.expect("a fetch");
    messages.next().await.expect("a message").expect("the server gives it")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_cannot_be_answered_up_to_date_is_refused_for_now() {
    let (harness, analytics) = start().await;
    analytics.stop().await;
    harness.publish(&recorded(&[window(1, MIDNIGHT, MIDNIGHT + HOUR)])).await;
    // The fetched event stays unacknowledged, so the service cannot count it.
    let held = testkit::eventually("the event comes", async || {
        tokio::time::timeout(std::time::Duration::from_millis(500), snatch(&harness)).await.ok()
    })
    .await;
    let _analytics = spawn(&harness).await;
    harness.publish(&recorded(&[window(2, MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR)])).await;
    assert_eq!(harness.ask(&week()).await.unwrap_err().code, Code::Unavailable);
    held.ack_with(AckKind::Nak(None)).await.unwrap();
    assert_eq!(times(&harness, &week()).await, [(project(1), 2 * HOUR)]);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_has_what_was_recorded_since_the_last_one_whichever_replica_gives_it() {
    let (harness, _first) = start().await;
    let _second = spawn(&harness).await;
    for number in 1..=20 {
        let begin = MIDNIGHT + number * HOUR;
        harness.publish(&recorded(&[window(number as u128, begin, begin + HOUR)])).await;
        // Several answers without anything new between them, from both replicas.
        for _ in 0..6 {
            assert_eq!(times(&harness, &week()).await, [(project(1), number * HOUR)]);
        }
    }
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_stream_was_made_anew_no_answer_lacks_what_was_recorded_since() {
    let (harness, _analytics) = start().await;
    for number in 1..=3 {
        let begin = MIDNIGHT + number * HOUR;
        harness.publish(&recorded(&[window(number as u128, begin, begin + HOUR)])).await;
    }
    // The second answer finds nothing new, so the next one is read before JetStream is asked.
    for _ in 0..2 {
        assert_eq!(times(&harness, &week()).await, [(project(1), 3 * HOUR)]);
    }
    harness.bus().jetstream.delete_stream(stream::EVENTS).await.unwrap();
    // Only the streams are provisioned. The durable consumer does not exist yet, so the next window
    // is not counted.
    harness.provision(&Needs::of(Service::Analytics)).await;
    harness.publish(&recorded(&[window(4, MIDNIGHT, MIDNIGHT + HOUR)])).await;
    assert_eq!(harness.ask(&week()).await.unwrap_err().code, Code::Unavailable);
    harness.provision(&analytics::needs()).await;
    let answer = testkit::eventually("an answer", async || harness.ask(&week()).await.ok()).await;
    assert_eq!(answer[0].time, 4 * HOUR);
    harness.finish().await;
}
