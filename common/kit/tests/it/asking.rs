use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_nats::HeaderMap;
use contracts::{
    Actor, Caller, Code, DeactivateEmployee, EmployeeId, Failure, GetTaskTime, Request, Service, TaskTime, header,
};
use kit::{Call, Endpoints, Error, Origin, Shutdown};
use testkit::Harness;

fn question() -> GetTaskTime {
    GetTaskTime { employee_id: kit::new_id(), task_id: kit::new_id() }
}

async fn answers(_: Arc<()>, _: Call, asked: GetTaskTime) -> Result<TaskTime, Error> {
    Ok(TaskTime { employee_id: asked.employee_id, task_id: asked.task_id, total_time_millis: 7 })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_back_and_the_handler_knows_who_asked() {
    let harness = Harness::start().await;
    let own: EmployeeId = kit::new_id();
    let table = Endpoints::new(Service::Analytics, Arc::new(())).on(async |_, call: Call, asked: GetTaskTime| {
        call.require_sight_of(asked.employee_id)?;
        Ok(TaskTime { employee_id: asked.employee_id, task_id: asked.task_id, total_time_millis: 7 })
    });
    table.serve(harness.bus(), &Shutdown::new()).await.unwrap();
    let asked = GetTaskTime { employee_id: own, task_id: kit::new_id() };
    assert_eq!(harness.bus().ask(Caller::Employee(own), &asked).await.unwrap().total_time_millis, 7);
    let refused = harness.bus().ask(Caller::Employee(kit::new_id()), &asked).await;
    assert_eq!(refused.unwrap_err().code, Code::Forbidden);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_is_known_at_once_and_is_back_when_it_is_back() {
    let harness = Harness::start().await;
    let started = Instant::now();
    assert_eq!(harness.ask(&question()).await.unwrap_err().code, Code::Unavailable);
    assert!(started.elapsed() < Duration::from_secs(1), "nobody had to wait for that");
    let shutdown = Shutdown::new();
    Endpoints::new(Service::Analytics, Arc::new(())).on(answers).serve(harness.bus(), &shutdown).await.unwrap();
    assert!(harness.ask(&question()).await.is_ok());
    shutdown.stop();
    shutdown.drained().await;
    testkit::eventually("it is away again", async || {
        harness.ask(&question()).await.is_err_and(|f| f.code == Code::Unavailable).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_can_be_asked_twice_is_asked_again() {
    let harness = Harness::start().await;
    let (reads, writes) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let silent =
        Endpoints::new(Service::Analytics, reads.clone()).on(async |count: Arc<AtomicUsize>, _, _: GetTaskTime| {
            count.fetch_add(1, Ordering::SeqCst);
            std::future::pending().await
        });
    silent.serve(harness.bus(), &Shutdown::new()).await.unwrap();
    let silent = Endpoints::new(Service::Directory, writes.clone()).on(
        async |count: Arc<AtomicUsize>, _, _: DeactivateEmployee| {
            count.fetch_add(1, Ordering::SeqCst);
            std::future::pending().await
        },
    );
    silent.serve(harness.bus(), &Shutdown::new()).await.unwrap();
    let patience = Duration::from_millis(400);
    let read = harness.bus().ask_within(patience, Caller::Admin, &question()).await;
    let write = harness.bus().ask_within(patience, Caller::Admin, &DeactivateEmployee { id: kit::new_id() }).await;
    assert_eq!((read.unwrap_err().code, write.unwrap_err().code), (Code::Timeout, Code::Timeout));
    assert_eq!((reads.load(Ordering::SeqCst), writes.load(Ordering::SeqCst)), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_question_does_not_hold_up_the_next_one() {
    let harness = Harness::start().await;
    let first = Arc::new(AtomicUsize::new(0));
    let table = Endpoints::new(Service::Analytics, first).on(async |count: Arc<AtomicUsize>, call, asked| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            std::future::pending::<()>().await;
        }
        answers(Arc::new(()), call, asked).await
    });
    table.serve(harness.bus(), &Shutdown::new()).await.unwrap();
    let bus = harness.bus().clone();
    let slow = tokio::spawn(async move { bus.ask_within(Duration::from_secs(8), Caller::Admin, &question()).await });
    assert!(harness.ask(&question()).await.is_ok());
    slow.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn our_fault_is_an_answer_that_does_not_show_its_cause() {
    let harness = Harness::start().await;
    let table = Endpoints::new(Service::Analytics, Arc::new(()))
        .on(async |_, _, _: GetTaskTime| Err(Error::Other(std::io::Error::other("the secret cause").into())));
    table.serve(harness.bus(), &Shutdown::new()).await.unwrap();
    let failure: Failure = harness.ask(&question()).await.unwrap_err();
    assert_eq!(failure.code, Code::Internal);
    assert!(!failure.detail.contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handler_knows_who_acts_also_where_an_earlier_version_asks() {
    let harness = Harness::start().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let table = Endpoints::new(Service::Analytics, seen.clone()).on(
        async |seen: Arc<Mutex<Vec<_>>>, call: Call, asked: GetTaskTime| {
            let origin = Origin::current();
            seen.lock().unwrap().push((call.actor, origin.actor(), origin.request_id));
            Ok(TaskTime { employee_id: asked.employee_id, task_id: asked.task_id, total_time_millis: 7 })
        },
    );
    table.serve(harness.bus(), &Shutdown::new()).await.unwrap();
    let (key, request) = (Actor::Key(kit::new_id()), "a-request".to_owned());
    let origin = Origin::of_request(request.clone()).with_actor(Some(key));
    origin.scope(harness.bus().ask(Caller::Admin, &question())).await.unwrap();
    harness.bus().ask(Caller::Service, &question()).await.unwrap();
    harness.bus().ask(Caller::Anonymous, &question()).await.unwrap();
    // A gateway of an earlier version sends no actor.
    let headers = HeaderMap::from_iter([(header::CALLER.parse().unwrap(), "admin".parse().unwrap())]);
    let payload = serde_json::to_vec(&question()).unwrap().into();
    harness.bus().client.request_with_headers(GetTaskTime::subject(), headers, payload).await.unwrap();
    let actors: Vec<_> = seen.lock().unwrap().drain(..).collect();
    let service = Actor::Service(harness.bus().service());
    let expected = [(Some(key), Some(request)), (Some(service), None), (None, None), (Some(Actor::Root), None)];
    assert_eq!(actors, expected.map(|(actor, request)| (actor, actor, request)));
}
