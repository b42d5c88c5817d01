use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result};
use async_nats::jetstream::{self, consumer::pull};
use bench::{
    Mailbox,
    fleet::{Fleet, SERVICES},
};
use bson::{Bson, Document, doc};
use contracts::{
    AssignmentChanged, Code, EmployeeChanged, EmployeeId, MemberChanged, Millis, ProjectChanged, ProjectId, Rates,
    RatesChanged, Service, TaskChanged, TaskId, TaskTerm, Term, Window, WindowId, stream,
};
use futures::TryStreamExt;
use mongodb::{
    Client, ClientSession,
    options::{CollectionOptions, ReadConcern, SessionOptions},
};
use serde::{Deserialize, de::DeserializeOwned};

/// The employees, projects, tasks, memberships and assignments, as directory and projects have
/// stored them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edges {
    pub(crate) projects: BTreeMap<ProjectId, ProjectRow>,
    pub(crate) tasks: BTreeMap<TaskId, TaskRow>,
    pub(crate) members: Vec<MemberRow>,
    pub(crate) assignments: Vec<AssignmentRow>,
    pub(crate) employees: BTreeMap<EmployeeId, EmployeeRow>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ProjectRow {
    #[serde(rename = "_id")]
    pub(crate) id: ProjectId,
    pub(crate) employees: Vec<EmployeeId>,
    pub(crate) archived: bool,
    pub(crate) version: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TaskRow {
    #[serde(rename = "_id")]
    pub(crate) id: TaskId,
    pub(crate) project_id: ProjectId,
    pub(crate) employees: Vec<EmployeeId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub(crate) struct MemberKey {
    pub(crate) project: ProjectId,
    pub(crate) employee: EmployeeId,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MemberRow {
    #[serde(rename = "_id")]
    pub(crate) key: MemberKey,
    pub(crate) epoch: i64,
    pub(crate) open: bool,
    pub(crate) terms: Vec<Term>,
    pub(crate) version: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub(crate) struct AssignmentKey {
    pub(crate) task: TaskId,
    pub(crate) employee: EmployeeId,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct AssignmentRow {
    #[serde(rename = "_id")]
    pub(crate) key: AssignmentKey,
    pub(crate) project: ProjectId,
    pub(crate) open: bool,
    pub(crate) terms: Vec<TaskTerm>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmployeeRow {
    #[serde(rename = "_id")]
    pub(crate) id: EmployeeId,
    pub(crate) version: i64,
    pub(crate) epoch: i64,
    pub(crate) email: String,
    pub(crate) projects: Vec<ProjectId>,
    pub(crate) deactivated_at: Option<Millis>,
}

/// A window as timetrack stores it.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "timetrack::Recorded")]
pub(crate) struct WindowRow {
    pub(crate) revision: i64,
    pub(crate) voided: bool,
    pub(crate) window: Window,
}

impl From<timetrack::Recorded> for WindowRow {
    fn from(timetrack::Recorded { revision, voided, window, .. }: timetrack::Recorded) -> Self {
        Self { revision, voided, window }
    }
}

#[derive(Clone, Debug, Deserialize)]
struct FormerRow {
    was: WindowRow,
}

/// A window in quarantine.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct QuarantineRow {
    pub(crate) item: QuarantineItem,
    pub(crate) code: Code,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct QuarantineItem {
    pub(crate) window: QuarantineWindow,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct QuarantineWindow {
    #[serde(default)]
    pub(crate) note: Option<String>,
}

/// A fact as analytics stores it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct FactRow {
    #[serde(rename = "_id")]
    pub(crate) id: WindowId,
    pub(crate) revision: i64,
    pub(crate) employee: EmployeeId,
    pub(crate) project: ProjectId,
    pub(crate) task: TaskId,
    pub(crate) start: Millis,
    pub(crate) end: Millis,
    pub(crate) billable: bool,
    pub(crate) overtime: bool,
    pub(crate) rates: Rates,
    pub(crate) voided: bool,
}

/// A copy that timetrack stores.
#[derive(Clone, Debug, Deserialize)]
pub(crate) enum BindingRow {
    Employee(EmployeeChanged),
    Project(ProjectChanged),
    Task(TaskChanged),
    Member(MemberChanged),
    Assignment(AssignmentChanged),
    /// The rates and payroll that were set for a scope.
    Rates(RatesChanged),
}

/// A scope for which rates or payroll were set, as the service `projects` stores it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RateScopeRow {
    #[serde(rename = "_id")]
    pub(crate) scope: String,
    pub(crate) version: i64,
}

#[derive(Debug, Deserialize)]
struct KeptBinding {
    binding: BindingRow,
}

/// The copy of an employee's state that the service `projects` stores.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RefRow {
    #[serde(rename = "_id")]
    pub(crate) id: EmployeeId,
    pub(crate) epoch: i64,
    pub(crate) deactivated_at: Option<Millis>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvitationRow {
    pub(crate) employee: EmployeeId,
    pub(crate) used_at: Option<Millis>,
}

/// A message in DEAD.
#[derive(Clone, Debug)]
pub(crate) struct DeadRow {
    pub(crate) subject: String,
    pub(crate) payload: String,
}

/// The key of a row of a report by employee, day, project and task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    pub(crate) employee: EmployeeId,
    pub(crate) day: String,
    pub(crate) project: ProjectId,
    pub(crate) task: TaskId,
}

/// The time in milliseconds, and the costs and the income in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) time: i64,
    pub(crate) costs: i64,
    pub(crate) income: i64,
}

/// All stored data that the checks read.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) edges: Edges,
    pub(crate) windows: Vec<WindowRow>,
    /// The first version of each window that was changed later.
    pub(crate) originals: HashMap<WindowId, WindowRow>,
    pub(crate) quarantined: Vec<QuarantineRow>,
    pub(crate) facts: HashMap<WindowId, FactRow>,
    pub(crate) reported: BTreeMap<Group, Sum>,
    pub(crate) bindings: Vec<BindingRow>,
    pub(crate) rate_scopes: Vec<RateScopeRow>,
    pub(crate) refs: Vec<RefRow>,
    pub(crate) invitations: Vec<InvitationRow>,
    /// The addresses to which an invitation was mailed.
    pub(crate) mailed: BTreeSet<String>,
    pub(crate) dead: Vec<DeadRow>,
    /// The number of items that are still in progress, by what they are.
    pub(crate) under_way: BTreeMap<String, u64>,
    /// The output of `timetrack reconcile`, or its error.
    pub(crate) reconciled: String,
}

/// Reads all documents of a collection.
async fn read<T: DeserializeOwned + Send + Sync>(mongo: &Client, service: Service, name: &str) -> Result<Vec<T>> {
    let rows = mongo.database(&database(service)).collection::<T>(name);
    rows.find(doc! {}).await?.try_collect().await.with_context(|| format!("{service}'s {name}"))
}

/// Reads all documents of a collection in the snapshot of a session.
async fn read_in<T: DeserializeOwned + Send + Sync>(
    session: &mut ClientSession,
    service: Service,
    name: &str,
) -> Result<Vec<T>> {
    // The read concern is set on the collection, because the client's read concern would take
    // precedence over the session's.
    let options = CollectionOptions::builder().read_concern(ReadConcern::snapshot()).build();
    let rows = session.client().database(&database(service)).collection_with_options::<T>(name, options);
    let mut found = rows.find(doc! {}).session(&mut *session).await?;
    found.stream(session).try_collect().await.with_context(|| format!("{service}'s {name}"))
}

fn database(service: Service) -> String {
    format!("t3_db_{service}")
}

impl Edges {
    /// Reads the edges in one snapshot, so that they are all of the same moment.
    pub(crate) async fn read(mongo: &Client) -> Result<Self> {
        let options = SessionOptions::builder().snapshot(true).build();
        let mut session = mongo.start_session().with_options(options).await?;
        let session = &mut session;
        let projects: Vec<ProjectRow> = read_in(session, Service::Projects, "projects").await?;
        let tasks: Vec<TaskRow> = read_in(session, Service::Projects, "tasks").await?;
        let members = read_in(session, Service::Projects, "members").await?;
        let assignments = read_in(session, Service::Projects, "assignments").await?;
        let employees: Vec<EmployeeRow> = read_in(session, Service::Directory, "employees").await?;
        Ok(Self {
            projects: projects.into_iter().map(|project| (project.id, project)).collect(),
            tasks: tasks.into_iter().map(|task| (task.id, task)).collect(),
            members,
            assignments,
            employees: employees.into_iter().map(|employee| (employee.id, employee)).collect(),
        })
    }
}

impl State {
    /// Reads all data except the report, which the caller has requested.
    pub(crate) async fn read(fleet: &Fleet, reported: BTreeMap<Group, Sum>) -> Result<Self> {
        let mongo = fleet.mongo().await?;
        let mut former: Vec<FormerRow> = read(&mongo, Service::Timetrack, "window_history").await?;
        former.sort_by_key(|former| std::cmp::Reverse(former.was.revision));
        let facts: Vec<FactRow> = read(&mongo, Service::Analytics, "facts").await?;
        let bindings: Vec<KeptBinding> = read(&mongo, Service::Timetrack, "bindings").await?;
        Ok(Self {
            edges: Edges::read(&mongo).await?,
            windows: read(&mongo, Service::Timetrack, "windows").await?,
            originals: former.into_iter().map(|former| (former.was.window.id, former.was)).collect(),
            quarantined: read(&mongo, Service::Timetrack, "quarantine").await?,
            facts: facts.into_iter().map(|fact| (fact.id, fact)).collect(),
            reported,
            bindings: bindings.into_iter().map(|kept| kept.binding).collect(),
            rate_scopes: read(&mongo, Service::Projects, "rate_scopes").await?,
            refs: read(&mongo, Service::Projects, "employee_refs").await?,
            invitations: read(&mongo, Service::Directory, "invitations").await?,
            mailed: Mailbox::of(&fleet.data).invited()?,
            dead: dead(fleet).await?,
            under_way: under_way(fleet, &mongo).await?,
            // This must be the last step, because the comparison repairs the differences that it
            // finds.
            reconciled: fleet.reconcile().unwrap_or_else(|error| format!("{error:#}")),
        })
    }
}

/// Returns the number of items that are still in progress, by what they are. It is empty when the
/// system is idle.
pub(crate) async fn under_way(fleet: &Fleet, mongo: &Client) -> Result<BTreeMap<String, u64>> {
    let mut all = BTreeMap::new();
    let jetstream = jetstream::new(fleet.bus().await?);
    all.insert("messages of INGEST".into(), fleet.queued().await?);
    for service in SERVICES.into_iter().filter(|service| *service != Service::Gateway) {
        let consumer = jetstream.get_consumer_from_stream::<pull::Config, _, _>(service.name(), stream::EVENTS).await?;
        let info = consumer.cached_info();
        let waits = info.num_pending + info.num_ack_pending as u64;
        all.insert(format!("messages of EVENTS for {service}"), waits);
    }
    for service in [Service::Directory, Service::Projects, Service::Timetrack, Service::Mailer] {
        let outbox = mongo.database(&database(service)).collection::<Document>("outbox");
        all.insert(format!("outbox of {service}"), outbox.count_documents(doc! {}).await?);
    }
    let timetrack = mongo.database(&database(Service::Timetrack));
    let waiting = timetrack.collection::<Document>("quarantine").count_documents(doc! { "waiting": true }).await?;
    all.insert("windows that may only be early".into(), waiting);
    // A replica removes a window from quarantine within seconds after the window is recorded. If
    // this replica is killed, another one does so.
    all.insert("windows that are held and recorded".into(), in_both(&timetrack).await?);
    let jobs = timetrack.collection::<Document>("updates").count_documents(doc! { "done": false }).await?;
    all.insert("bulk updates".into(), jobs);
    let deliveries = mongo.database(&database(Service::Mailer)).collection::<Document>("deliveries");
    let unsent = deliveries.count_documents(doc! { "status": Bson::String("pending".into()) }).await?;
    all.insert("mails".into(), unsent);
    all.retain(|_, many| *many > 0);
    Ok(all)
}

/// Returns the number of windows that are in quarantine although the same content is recorded.
async fn in_both(timetrack: &mongodb::Database) -> Result<u64> {
    let same = |field| doc! { "$eq": [format!("$item.window.{field}"), format!("$stored.window.{field}")] };
    let steps = [
        doc! { "$match": { "decision": null } },
        doc! { "$lookup": { "from": "windows", "localField": "window_id", "foreignField": "_id", "as": "stored" } },
        doc! { "$unwind": "$stored" },
        doc! { "$match": { "$expr": { "$and": (["start", "end", "projectId", "taskId"].map(same).to_vec()) } } },
    ];
    let found: Vec<Document> =
        timetrack.collection::<Document>("quarantine").aggregate(steps).await?.try_collect().await?;
    Ok(found.len() as u64)
}

async fn dead(fleet: &Fleet) -> Result<Vec<DeadRow>> {
    let jetstream = jetstream::new(fleet.bus().await?);
    let mut stream = jetstream.get_stream(stream::DEAD).await?;
    let last = stream.info().await?.state.last_sequence;
    let mut dead = Vec::new();
    for place in 1..=last {
        // A message may have been deleted in the meantime.
        let Ok(message) = stream.get_raw_message(place).await else { continue };
        let payload = String::from_utf8_lossy(&message.payload).into_owned();
        dead.push(DeadRow { subject: message.subject.to_string(), payload });
    }
    Ok(dead)
}
