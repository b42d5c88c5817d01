//! A world in which Ann is on a task of a project, and somebody who sends windows as a gateway does.

use std::time::Duration;

use async_nats::HeaderMap;
use contracts::{
    AssignmentChanged, EmployeeChanged, EmployeeId, Filter, HOUR, INGEST_WINDOWS, IngestAnswer, IngestBatch,
    IngestItem, Label, ListWindows, MemberChanged, Millis, Outcome, Payee, Payroll, PayrollLine, ProjectChanged,
    ProjectId, Rate, Service, Standing, TaskChanged, TaskId, TaskTerm, Term, TimeRange, Window, WindowSent,
    content_hash, header, stream, window_id,
};
use futures::StreamExt;
use testkit::{Running, World};

pub const NOON: i64 = 1_760_000_000_000;

/// A world with timetrack in it.
pub struct Bench {
    pub world: World,
    pub timetrack: Option<Running>,
    pub ann: EmployeeId,
    pub project: ProjectId,
    pub task: TaskId,
}

pub fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

impl Bench {
    /// Ann is on the project and the task.
    pub async fn with_ann() -> Self {
        let bench = Self::empty().await;
        bench.introduce().await;
        bench.world.until_consumed(stream::EVENTS, Service::Timetrack).await;
        bench
    }

    /// Timetrack has heard of nobody.
    pub async fn empty() -> Self {
        let world = World::start().await;
        let timetrack = Some(spawn(&world).await);
        Self { world, timetrack, ann: kit::new_id(), project: kit::new_id(), task: kit::new_id() }
    }

    /// Tells that Ann is on the project and the task.
    pub async fn introduce(&self) {
        let standing = Standing { id: self.ann, version: 1, epoch: 0, deactivated_at: None };
        self.world.publish(&EmployeeChanged(standing)).await;
        self.world.publish(&self.project_changed(1)).await;
        self.world.publish(&self.task_changed(1)).await;
        self.world.publish(&self.member_changed(1, vec![Term { from: None, until: None }])).await;
        self.world.publish(&self.assignment_changed(1)).await;
    }

    pub fn project_changed(&self, version: i64) -> ProjectChanged {
        let rate = |amount| Rate::try_from(amount).ok();
        let line = PayrollLine { bill_rate: rate(50.0), overtime_bill_rate: rate(75.0), ..Default::default() };
        let payroll = Payroll([(Payee::Everybody, line)].into());
        ProjectChanged { id: self.project, version, payroll, archived: false, deleted: false }
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
        }
    }

    pub fn member_changed(&self, version: i64, terms: Vec<Term>) -> MemberChanged {
        MemberChanged { project_id: self.project, employee_id: self.ann, version, terms }
    }

    pub fn assignment_changed(&self, version: i64) -> AssignmentChanged {
        let terms = vec![TaskTerm { term: Term { from: None, until: None }, member_term: 0 }];
        AssignmentChanged { task_id: self.task, project_id: self.project, employee_id: self.ann, version, terms }
    }

    /// A window of Ann's that starts so many hours after noon and is an hour long.
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
        let (received_at, hash) = (self.world.clock.now(), content_hash(&window));
        IngestItem { id, employee_id: self.ann, received_at, hash, window, traceparent: None }
    }

    /// Puts windows on the queue and waits for a worker's word.
    pub async fn send(&self, items: Vec<IngestItem>) -> Vec<Outcome> {
        self.send_payload(serde_json::to_vec(&IngestBatch { items }).unwrap()).await.expect("a worker's word")
    }

    /// The same with any payload; nothing where no word comes.
    pub async fn send_payload(&self, payload: Vec<u8>) -> Option<Vec<Outcome>> {
        let bus = self.world.bus();
        let inbox = bus.client.new_inbox();
        let mut words = bus.client.subscribe(inbox.clone()).await.unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::ANSWER_TO, inbox);
        let sent = bus.jetstream.publish_with_headers(INGEST_WINDOWS, headers, payload.into()).await;
        sent.unwrap().await.unwrap();
        let word = tokio::time::timeout(Duration::from_secs(10), words.next()).await.ok()??;
        Some(serde_json::from_slice::<IngestAnswer>(&word.payload).unwrap().items)
    }

    /// Every window that is stored.
    pub async fn stored(&self) -> Vec<Window> {
        self.world.ask(&between(0, NOON * 2)).await.unwrap().items
    }
}

/// All windows that touch a range.
pub fn between(start: i64, end: i64) -> ListWindows {
    let range = TimeRange::new(Millis(start), Millis(end)).unwrap();
    ListWindows { range, filter: Filter::default(), after: None, limit: None }
}

pub async fn spawn(world: &World) -> Running {
    spawn_with(world, timetrack::Config::default()).await
}

/// The same with settings.
pub async fn spawn_with(world: &World, config: timetrack::Config) -> Running {
    let run = |deps, shutdown| timetrack::run(config, deps, shutdown);
    world.spawn(timetrack::needs(), run).await
}

/// The window of an outcome that has one.
pub fn window_of(outcome: &Outcome) -> Window {
    match outcome {
        Outcome::Stored(json) | Outcome::Duplicate(json) => serde_json::from_str(json.get()).unwrap(),
        other => panic!("no window: {other:?}"),
    }
}
