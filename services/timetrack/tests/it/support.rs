//! The harness of the tests of timetrack, in which Ann is on a task of a project. Its helpers send
//! windows as a gateway does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{
    HeaderMap,
    jetstream::{AckKind, Message, consumer::PullConsumer},
};
use contracts::{
    AssignmentChanged, EmployeeChanged, EmployeeId, EmployeeState, Event, Filter, HOUR, INGEST_WINDOWS, IngestAnswer,
    IngestBatch, IngestItem, Label, ListWindows, MemberChanged, Millis, Outcome, Payee, Payroll, PayrollLine,
    ProjectChanged, ProjectId, Rate, Service, TaskChanged, TaskId, TaskTerm, Term, TimeRange, Window, WindowSent,
    content_hash, header, stream, window_id,
};
use futures::StreamExt;
use testkit::{Harness, Running};
use tokio::task::JoinHandle;

/// The moment from which tests count hours: 9 October 2025, 08:53:20 UTC, in milliseconds since
/// 1970.
pub const NOON: i64 = 1_760_000_000_000;

/// A harness in which timetrack runs, with the ids of Ann, her project and her task.
pub struct Fixture {
    pub harness: Harness,
    pub timetrack: Option<Running>,
    pub ann: EmployeeId,
    pub project: ProjectId,
    pub task: TaskId,
}

pub fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

impl Fixture {
    /// Starts timetrack, and puts Ann on the project and the task.
    pub async fn with_ann() -> Self {
        let fixture = Self::empty().await;
        fixture.introduce().await;
        fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
        fixture
    }

    /// Starts timetrack on this mongod, and puts Ann on the project and the task.
    pub async fn with_ann_on(mongo_connection_string: &str) -> Self {
        let fixture = Self::of(Harness::start_on(mongo_connection_string).await).await;
        fixture.introduce().await;
        fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
        fixture
    }

    /// Starts timetrack without any employee or project.
    pub async fn empty() -> Self {
        Self::of(Harness::start().await).await
    }

    async fn of(harness: Harness) -> Self {
        let timetrack = Some(spawn(&harness).await);
        Self { harness, timetrack, ann: kit::new_id(), project: kit::new_id(), task: kit::new_id() }
    }

    /// Starts timetrack while another replica holds an event that it has not acknowledged. So
    /// timetrack knows that its copy is not complete.
    pub async fn behind() -> (Self, InHand) {
        let mut fixture = Self::empty().await;
        fixture.timetrack.take().unwrap().stop().await;
        let somebody = EmployeeState { id: kit::new_id(), version: 1, epoch: 0, deactivated_at: None, active: None };
        fixture.harness.publish(&EmployeeChanged(somebody)).await;
        let in_hand = InHand::take(&fixture.harness).await;
        fixture.timetrack = Some(spawn(&fixture.harness).await);
        (fixture, in_hand)
    }

    /// Publishes the events that put Ann on the project and the task.
    pub async fn introduce(&self) {
        let employee_state = EmployeeState { id: self.ann, version: 1, epoch: 0, deactivated_at: None, active: None };
        self.harness.publish(&EmployeeChanged(employee_state)).await;
        self.harness.publish(&self.project_changed(1)).await;
        self.harness.publish(&self.task_changed(1)).await;
        self.harness.publish(&self.member_changed(1, vec![Term { from: None, until: None }])).await;
        self.harness.publish(&self.assignment_changed(1)).await;
    }

    pub fn project_changed(&self, version: i64) -> ProjectChanged {
        let rate = |amount| Rate::try_from(amount).ok();
        let line = PayrollLine { bill_rate: rate(50.0), overtime_bill_rate: rate(75.0), ..Default::default() };
        let payroll = Payroll([(Payee::Everybody, line)].into());
        ProjectChanged { id: self.project, version, payroll, archived: false, deleted: false, open: None }
    }

    pub fn task_changed(&self, version: i64) -> TaskChanged {
        TaskChanged {
            id: self.task,
            project_id: self.project,
            version,
            billable: true,
            status: label("To Do"),
            priority: label("High"),
            deleted: false,
            projects: None,
        }
    }

    pub fn member_changed(&self, version: i64, terms: Vec<Term>) -> MemberChanged {
        MemberChanged { project_id: self.project, employee_id: self.ann, version, terms }
    }

    pub fn assignment_changed(&self, version: i64) -> AssignmentChanged {
        let terms = vec![TaskTerm { term: Term { from: None, until: None }, member_term: 0 }];
        AssignmentChanged {
            task_id: self.task,
            project_id: self.project,
            employee_id: self.ann,
            version,
            terms,
            former: Vec::new(),
        }
    }

    /// Ends Ann's membership of the project at [`NOON`].
    pub async fn remove_ann(&self) {
        self.change_member(2, Term { from: None, until: Some(Millis(NOON)) }).await;
    }

    /// Puts Ann back on the project, as if she had always been on it.
    pub async fn put_ann_back(&self) {
        self.change_member(3, Term::ALWAYS).await;
    }

    async fn change_member(&self, version: i64, term: Term) {
        self.harness.publish(&self.member_changed(version, vec![term])).await;
        self.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    }

    /// A window of Ann's of one hour, which starts this many hours after [`NOON`].
    pub fn window(&self, hours: i64) -> IngestItem {
        let start = NOON + hours * HOUR;
        let json = serde_json::json!({
            "start": start, "end": start + HOUR, "timezoneOffset": 7_200_000, "projectId": self.project,
            "taskId": self.task, "computer": "mac", "user": "ann", "os": "darwin", "osVersion": "15", "hwid": "hw",
        });
        self.item(serde_json::from_value(json).unwrap())
    }

    pub fn item(&self, window: WindowSent) -> IngestItem {
        let made = window_id(self.ann, &window.hwid, window.start, window.end, window.task_id);
        let id = window.id.unwrap_or(made);
        let (received_at, hash) = (self.harness.clock.now(), content_hash(&window));
        IngestItem { id, employee_id: self.ann, received_at, hash, window, traceparent: None }
    }

    /// Publishes another project with a task, and puts Ann on both. Returns their ids.
    pub async fn another_project(&self) -> (ProjectId, TaskId) {
        let (project, task) = (kit::new_id(), kit::new_id());
        self.harness.publish(&ProjectChanged { id: project, ..self.project_changed(1) }).await;
        self.harness.publish(&TaskChanged { id: task, project_id: project, ..self.task_changed(1) }).await;
        let terms = self.member_changed(1, vec![Term::ALWAYS]);
        self.harness.publish(&MemberChanged { project_id: project, ..terms }).await;
        let assignment = self.assignment_changed(1);
        let assignment = AssignmentChanged { task_id: task, project_id: project, ..assignment };
        self.harness.publish(&assignment).await;
        self.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
        (project, task)
    }

    /// A window of Ann's on this project and task, with this start and end in milliseconds since
    /// 1970, from the computer with this hardware id.
    pub fn worked_on(&self, (project, task): (ProjectId, TaskId), start: i64, end: i64, hwid: &str) -> IngestItem {
        let mut window = self.window(0).window;
        (window.project_id, window.task_id) = (project, task);
        (window.start, window.end, window.hwid) = (Millis(start), Millis(end), label(hwid));
        self.item(window)
    }

    /// A window of Ann's on her first project and task, with this start and end in milliseconds
    /// since 1970, from the computer with this hardware id.
    pub fn hours(&self, from: i64, until: i64, hwid: &str) -> IngestItem {
        self.worked_on((self.project, self.task), from, until, hwid)
    }

    /// Sends windows to the queue, waits for the worker's answer, and returns the outcomes.
    pub async fn send(&self, items: Vec<IngestItem>) -> Vec<Outcome> {
        self.send_payload(serde_json::to_vec(&IngestBatch { items }).unwrap()).await.expect("a worker's word")
    }

    /// Sends a payload to the queue, and waits for the outcomes; none if no answer comes within 30
    /// seconds.
    pub async fn send_payload(&self, payload: Vec<u8>) -> Option<Vec<Outcome>> {
        self.send_on(INGEST_WINDOWS, payload).await
    }

    /// Sends a payload on a subject of the queue, and waits for the outcomes; none if no answer
    /// comes within 30 seconds.
    pub async fn send_on(&self, subject: &'static str, payload: Vec<u8>) -> Option<Vec<Outcome>> {
        let bus = self.harness.bus();
        let inbox = bus.client.new_inbox();
        let mut words = bus.client.subscribe(inbox.clone()).await.unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::ANSWER_TO, inbox);
        let sent = bus.jetstream.publish_with_headers(subject, headers, payload.into()).await;
        sent.unwrap().await.unwrap();
        let word = tokio::time::timeout(Duration::from_secs(30), words.next()).await.ok()??;
        Some(serde_json::from_slice::<IngestAnswer>(&word.payload).unwrap().items)
    }

    /// Sends windows to the queue without waiting for an answer. Returns the sequence number of
    /// their message.
    pub async fn queue(&self, items: Vec<IngestItem>) -> u64 {
        self.queue_payload(serde_json::to_vec(&IngestBatch { items }).unwrap()).await
    }

    /// Sends a payload to the queue without waiting for an answer. Returns its sequence number.
    pub async fn queue_payload(&self, payload: Vec<u8>) -> u64 {
        let jetstream = &self.harness.bus().jetstream;
        jetstream.publish(INGEST_WINDOWS, payload.into()).await.unwrap().await.unwrap().sequence
    }

    /// The events of this type that were published so far, in order.
    pub async fn events_told<E: Event>(&self) -> Vec<E> {
        let events = self.harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
        let (mut told, mut next) = (Vec::new(), 1);
        while let Ok(found) = events.direct_get_next_for_subject(E::filter(), Some(next)).await {
            let payload = kit::decompressed(&found.payload, Some(&found.headers)).unwrap();
            told.push(serde_json::from_slice(&payload).unwrap());
            next = found.sequence + 1;
        }
        told
    }

    /// All recorded windows that are not voided.
    pub async fn stored(&self) -> Vec<Window> {
        self.harness.ask(&between(0, NOON * 2)).await.unwrap().items
    }
}

/// Lets a suspended worker continue when this value is dropped, also when the test fails: otherwise
/// the worker could not be stopped.
pub struct LetGo(pub Arc<AtomicBool>);

impl Drop for LetGo {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// An event that a replica has received and not acknowledged. It is reported as in progress, so
/// that it is not redelivered.
pub struct InHand {
    message: Arc<Message>,
    progress: JoinHandle<()>,
}

impl InHand {
    pub async fn take(harness: &Harness) -> Self {
        let durable = Service::Timetrack.name();
        let jetstream = &harness.bus().jetstream;
        let consumer: PullConsumer = jetstream.get_consumer_from_stream(durable, stream::EVENTS).await.unwrap();
        let mut messages = consumer.fetch().max_messages(1).expires(Duration::from_secs(10)).messages().await.unwrap();
        let message = Arc::new(messages.next().await.unwrap().unwrap());
        let kept = message.clone();
        let progress = tokio::spawn(async move {
            loop {
                kept.ack_with(AckKind::Progress).await.unwrap();
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        });
        Self { message, progress }
    }

    /// Returns the event to the consumer, so that another replica receives it.
    pub async fn let_go(self) {
        self.progress.abort();
        self.message.ack_with(AckKind::Nak(None)).await.unwrap();
    }
}

/// A request for all windows that touch a range.
pub fn between(start: i64, end: i64) -> ListWindows {
    let range = TimeRange::new(Millis(start), Millis(end)).unwrap();
    ListWindows { range, filter: Filter::default(), after: None, limit: None }
}

pub async fn spawn(harness: &Harness) -> Running {
    spawn_with(harness, timetrack::Config::default()).await
}

/// Starts timetrack with these settings.
pub async fn spawn_with(harness: &Harness, config: timetrack::Config) -> Running {
    let run = |deps, shutdown| timetrack::run(config, deps, shutdown);
    harness.spawn(timetrack::needs(), run).await
}

/// The window of an outcome; panics if the outcome has none.
pub fn window_of(outcome: &Outcome) -> Window {
    match outcome {
        Outcome::Stored(json) | Outcome::Duplicate(json) => serde_json::from_str(json.get()).unwrap(),
        other => panic!("no window: {other:?}"),
    }
}
