use std::sync::Arc;

use contracts::{Action, AuditSubject, EmployeeChanged, Service, User, stream};
use kit::{Bus, Clock, Events, Needs, Shutdown, config};
use testkit::{Harness, eventually};

/// Returns a table that handles events of employees. An event that cannot be deserialized is moved
/// to the stream DEAD without another attempt.
fn table() -> Events<()> {
    Events::new(Service::Mailer).on(async |_, _, _: EmployeeChanged| Ok(Vec::new()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_lists_dead_messages_and_puts_them_back_where_they_came_from() {
    let harness = Harness::start().await;
    harness.provision(&Needs::of(Service::Mailer).consumer(table().pull())).await;
    let (mailer, stop) = (harness.deps(Service::Mailer).await, Shutdown::new());
    table().consume(Arc::new(()), &mailer.bus, &stop).await.unwrap();
    let subject = "evt.directory.v1.employee.1.changed";
    harness.bus().jetstream.publish(subject, "{no".into()).await.unwrap().await.unwrap();
    eventually("a dead message", async || (harness.stream_messages(stream::DEAD).await == 1).then_some(())).await;
    stop.stop();

    let seed = testkit::secrets().await.nkey(User::Operator).unwrap();
    let nats = config::Nats { nats_nkey: Some(seed), ..harness.settings().nats.clone() };
    let (environment, clock) = (config::Environment::Production, Clock::system());
    let bus = Bus::connect(&nats, environment, User::Operator, Service::Timetrack, clock).await.unwrap();
    let dead = kit::list_dead(&bus, 0).await.unwrap();
    assert_eq!(dead.iter().map(|dead| dead.subject.as_str()).collect::<Vec<_>>(), [subject]);
    bus.audit(Action::DeadReplayed, AuditSubject::new("dead", dead[0].seq)).await.unwrap();
    kit::replay_dead(&bus, dead[0].seq).await.unwrap();
    assert_eq!(harness.stream_messages(stream::DEAD).await, 0);
    assert_eq!(harness.stream_messages(stream::EVENTS).await, 3, "it, again, and an entry in the trail");
}
