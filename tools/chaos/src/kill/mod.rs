//! A fault campaign. It injects faults into processes, servers and connections at random moments
//! that depend on a seed, while clients work. Then it checks the invariants.

mod administrator;
mod check;
mod client;
mod cluster;
mod disks;
mod failpoint;
mod fault;
mod ledger;
mod mutants;
mod network;
mod pace;
mod people;
mod recovery;
mod report;
mod rng;
mod schedule;
mod testbed;
mod tracker;
mod watcher;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use bench::Mailbox;
use reqwest::Method;
use serde::Deserialize;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use self::{
    administrator::Administrator,
    check::{
        Finding, Outcome,
        state::{Group, State, Sum, under_way},
    },
    client::{ApiClient, As},
    ledger::{Attempt, Ledger, Sent, Word, now},
    pace::Pace,
    people::{Person, Works, create_project, create_task, hire},
    recovery::{Healed, Probe},
    rng::Rng,
    schedule::Schedule,
    testbed::Testbed,
    tracker::Tracker,
};
pub use self::{
    fault::FaultKind,
    mutants::{Caught, MUTANTS, Mutant, mutants},
    report::KillReport,
};

/// The number of employees whose projects and tasks nobody changes.
const STEADY: usize = 8;
/// The number of admins, each with their own employees and projects.
const ADMINISTRATORS: usize = 4;
/// The number of employees, projects and tasks of each admin.
const PEOPLE: usize = 3;
const PROJECTS: usize = 2;
const TASKS: usize = 4;
/// How long the system may take to become idle at the end: normally, and with a deliberate fault.
const QUIET: [Duration; 2] = [Duration::from_secs(180), Duration::from_secs(30)];
/// How long the clients may take after the last fault to send the remaining windows.
const LATE: Duration = Duration::from_secs(30);

/// The settings of a campaign.
#[derive(Clone, Debug)]
pub struct KillOptions {
    /// The seed of the random generator.
    pub seed: u64,
    /// The number of faults that are injected.
    pub kills: usize,
    /// The number of windows that are sent, without repetitions.
    pub windows: u64,
    /// The kinds of faults that are injected.
    pub faults: Vec<FaultKind>,
    /// The number of NATS servers, and of MongoDB servers: 1 or 3.
    pub nodes: usize,
    /// The names of the failpoints that are used; all of them if the list is empty.
    pub points: Vec<String>,
    /// Whether NATS syncs each message to its disk before it acknowledges it.
    pub sync: bool,
    /// The name of the deliberate fault in the services, if any.
    pub mutant: Option<String>,
    /// The folder for the logs of all processes.
    pub logs: PathBuf,
}

/// The employees, the admins and the probe of a campaign.
struct Staff {
    steady: Vec<Arc<Person>>,
    steady_works: Works,
    administrators: Vec<Administrator>,
    probe: Probe,
}

/// Moves this process into a mount namespace of its own, if that is allowed, so that servers can
/// have disks that lose their power. With `network` it gets a network namespace too, so that servers
/// can be cut off from each other. That one has no connection to the Internet, so everything that may
/// need it is built or downloaded before.
///
/// # Errors
/// When something cannot be built or downloaded.
pub async fn in_own_namespaces(mutants: bool, network: bool) -> Result<()> {
    bench::fleet::prepare(mutants).await?;
    network::enter(network)
}

/// Injects faults while clients work, waits until the system is idle, and checks the invariants.
///
/// # Errors
/// When the system cannot be started, set up or read. Violations of invariants are in the report.
pub async fn kill(options: &KillOptions) -> Result<KillReport> {
    let began = Instant::now();
    let schedule = Schedule::of(options.seed, options.kills, &options.faults, &failpoint::named(&options.points));
    let planned = Duration::from_millis(schedule.takes());
    let (ledger, pace) = (Ledger::default(), Pace::new(options.windows, planned));
    let mut testbed = Testbed::start(options, ledger.clone(), pace.clone()).await?;
    let client = ApiClient::new(testbed.gateways.clone(), ledger.clone())?;
    let staff = staff(options.seed, &testbed, &client, &ledger, &pace).await?;
    eprintln!(
        "set up after {:.0} s; {} faults in about {:.0} s",
        began.elapsed().as_secs_f64(),
        options.kills,
        planned.as_secs_f64()
    );

    let mut work = JoinSet::new();
    start_trackers(options.seed, &staff, &client, &ledger, &pace, &mut work);
    let rng = Rng::new(options.seed, 3);
    work.spawn(watcher::ask(client.clone(), ledger.clone(), pace.clone(), staff.steady.clone(), rng));
    for administrator in staff.administrators {
        work.spawn(administrator.run());
    }
    let sampling = tokio::spawn(watcher::sample(testbed.fleet.mongo().await?, pace.clone()));

    let mut recovered = Vec::new();
    let injected = suffer(&mut testbed, &schedule, &staff.probe, &mut recovered).await;
    let ended = Instant::now();
    while injected.is_ok() && !pace.is_reached() && ended.elapsed() < LATE {
        sleep(Duration::from_millis(200)).await;
    }
    pace.end();
    work.join_all().await;
    let injected = injected?;
    ensure!(!injected.is_empty() || options.kills == 0, "no fault could be injected: {}", testbed.ended.join("; "));
    testbed.supervise().await?;
    let quiet = until_quiet(&testbed, QUIET[usize::from(options.mutant.is_some())]).await?;

    let employees: Vec<_> = ledger.book().by_employee.keys().copied().collect();
    let reported = report_sums(&client, &employees).await.context("analytics do not answer in the end")?;
    let state = State::read(&testbed.fleet, reported).await?;
    let (samples, sampled) = sampling.await?;
    let report = judged(options, injected, &ledger, &state, samples, sampled);
    let (ended, died_at) = (std::mem::take(&mut testbed.ended), std::mem::take(&mut testbed.died_at));
    let report = KillReport { took: began.elapsed(), recovered, quiet, ended, died_at, ..report };
    testbed.stop().await;
    Ok(report)
}

/// Checks all invariants and makes the report of the campaign.
fn judged(
    options: &KillOptions,
    injected: BTreeMap<FaultKind, usize>,
    ledger: &Ledger,
    state: &State,
    samples: usize,
    sampled: Vec<Finding>,
) -> KillReport {
    let book = ledger.book();
    let mut outcomes = check::all(&book, state);
    if let Some(edges) = outcomes.get_mut(3) {
        edges.checked += samples as u64;
        edges.findings.extend(sampled);
        edges.findings.sort();
        edges.findings.dedup();
    }
    report(options, injected, &book, state, outcomes, samples)
}

fn report(
    options: &KillOptions,
    faults: BTreeMap<FaultKind, usize>,
    book: &ledger::Book,
    state: &State,
    outcomes: Vec<Outcome>,
    samples: usize,
) -> KillReport {
    KillReport {
        seed: options.seed,
        nodes: options.nodes,
        mutant: options.mutant.clone(),
        took: Duration::ZERO,
        faults,
        recovered: Vec::new(),
        samples,
        ended: Vec::new(),
        died_at: BTreeMap::new(),
        quiet: Duration::ZERO,
        windows: book.windows.len(),
        posts: book.windows.iter().map(|sent| sent.attempts.len()).sum(),
        stored: state.windows.len(),
        quarantined: state.quarantined.len(),
        acts: book.acts.len(),
        statuses: book.statuses.clone(),
        odd: book.odd.clone(),
        findings: report::findings_text(book, &outcomes),
        outcomes,
    }
}

/// Creates the employees, projects and tasks of a campaign.
async fn staff(seed: u64, testbed: &Testbed, client: &ApiClient, ledger: &Ledger, pace: &Pace) -> Result<Staff> {
    let mailbox = Mailbox::of(&testbed.fleet.data);
    let mut steady = Vec::new();
    for n in 0..STEADY {
        steady.push(Arc::new(hire(client, &mailbox, ledger, &format!("steady-{n}"), true).await?));
    }
    let probing = Arc::new(hire(client, &mailbox, ledger, "probe", true).await?);
    let ids: Vec<_> = steady.iter().chain([&probing]).map(|person| person.id).collect();
    let project = create_project(client, ledger, "Steady", &ids).await?;
    let task = create_task(client, ledger, project, "To be kept", &ids).await?;
    let steady_works = Works::default();
    steady_works.add(project, task);
    let serial = ledger.book().begin(Sent {
        employee: probing.id,
        id: None,
        start: contracts::Millis(1_410_000_000_000),
        end: contracts::Millis(1_410_000_600_000),
        project,
        task,
        // The answers to the probe are not recorded. So its window counts as one without a definite
        // answer, which may be stored at most once.
        attempts: vec![Attempt { sent: now(), answered: now(), word: Word::Unknown("probe".into()) }],
        voids: Vec::new(),
    });
    let (employee, window) = (probing.id, recovery::window(project, task, serial));
    let probe = Probe { client: client.clone(), employee, project, person: probing, window };

    let mut administrators = Vec::new();
    for number in 0..ADMINISTRATORS {
        let mut people = Vec::new();
        for n in 0..PEOPLE {
            people.push(Arc::new(hire(client, &mailbox, ledger, &format!("restless-{number}-{n}"), false).await?));
        }
        let ids: Vec<_> = people.iter().map(|person| person.id).collect();
        let (works, mut projects, mut tasks) = (Works::default(), Vec::new(), Vec::new());
        for n in 0..PROJECTS {
            projects.push(create_project(client, ledger, &format!("Project {number}-{n}"), &ids).await?);
        }
        for n in 0..TASKS {
            let project = projects[n % PROJECTS];
            let task = create_task(client, ledger, project, &format!("Task {number}-{n}"), &ids).await?;
            works.add(project, task);
            tasks.push(task);
        }
        administrators.push(Administrator {
            number,
            people,
            projects,
            tasks,
            client: client.clone(),
            ledger: ledger.clone(),
            pace: pace.clone(),
            works,
            mailbox: mailbox.clone(),
            rng: Rng::new(seed, 100 + number as u64),
            dead_tokens: BTreeMap::new(),
            invited: 0,
            made: 0,
        });
    }
    Ok(Staff { steady, steady_works, administrators, probe })
}

fn start_trackers(seed: u64, staff: &Staff, client: &ApiClient, ledger: &Ledger, pace: &Pace, work: &mut JoinSet<()>) {
    let steady = staff.steady.iter().map(|person| (person, &staff.steady_works));
    let restless = staff
        .administrators
        .iter()
        .flat_map(|administrator| administrator.people.iter().map(|person| (person, &administrator.works)));
    for (number, (person, works)) in (1_000..).zip(steady.chain(restless)) {
        let tracker = Tracker {
            person: person.clone(),
            client: client.clone(),
            ledger: ledger.clone(),
            pace: pace.clone(),
            works: works.clone(),
            rng: Rng::new(seed, number),
            later: VecDeque::new(),
        };
        work.spawn(tracker.run());
    }
}

/// Injects the faults of the schedule, one after the other. Returns how many of each kind were
/// injected: a machine may not allow all of them.
async fn suffer(
    testbed: &mut Testbed,
    schedule: &Schedule,
    probe: &Probe,
    recovered: &mut Vec<(FaultKind, recovery::Recovered)>,
) -> Result<BTreeMap<FaultKind, usize>> {
    let (began, mut injected) = (Instant::now(), BTreeMap::new());
    for (number, planned) in (1..).zip(&schedule.0) {
        if let Some(why) = testbed.lacks(planned.fault.kind) {
            let left_out = format!("fault {number}, {}, is left out: {why}", planned.fault);
            eprintln!("{left_out}");
            testbed.ended.push(left_out);
            continue;
        }
        sleep(Duration::from_millis(planned.after)).await;
        let healed = Healed::default();
        let probing = planned.waits.then(|| tokio::spawn(probe.clone().until_recovered(healed.clone())));
        let at = began.elapsed().as_secs_f64();
        testbed.suffer(planned.fault, || healed.now()).await.with_context(|| planned.fault.to_string())?;
        let mut says = format!(": started again in {:.1} s", healed.since().as_secs_f64());
        if let Some(probing) = probing {
            let one = probing.await?;
            let _ = write!(says, "; some answer was away for {:.1} s in all, and since:", one.in_all.as_secs_f64());
            for (name, after) in &one.parts {
                let _ = write!(says, " {name} {:.1}", after.as_secs_f64());
            }
            recovered.push((planned.fault.kind, one));
        }
        eprintln!("{at:6.1} s, fault {number}: {}{says}", planned.fault);
        *injected.entry(planned.fault.kind).or_default() += 1;
    }
    Ok(injected)
}

/// Waits until the system is idle, but not longer than `within`, and returns how long that took.
/// The checks report what is still in progress then.
async fn until_quiet(testbed: &Testbed, within: Duration) -> Result<Duration> {
    let (began, mongo) = (Instant::now(), testbed.fleet.mongo().await?);
    let (mut calm, mut last) = (0, String::new());
    while calm < 3 && began.elapsed() < within {
        sleep(Duration::from_millis(300)).await;
        match under_way(&testbed.fleet, &mongo).await {
            Ok(all) if all.is_empty() => calm += 1,
            other => (calm, last) = (0, format!("{other:?}")),
        }
    }
    let took = began.elapsed();
    match calm {
        3 => eprintln!("quiet after {:.0} s", took.as_secs_f64()),
        _ => eprintln!("not quiet after {:.0} s: {last}", took.as_secs_f64()),
    }
    Ok(took)
}

/// Requests a report about these employees, and returns the sums by employee, day, project and
/// task.
async fn report_sums(client: &ApiClient, employees: &[contracts::EmployeeId]) -> Result<BTreeMap<Group, Sum>> {
    #[derive(Deserialize)]
    struct Row {
        employee: contracts::EmployeeId,
        day: String,
        project: contracts::ProjectId,
        task: contracts::TaskId,
        time: i64,
        costs: f64,
        income: f64,
    }
    let mut reported: BTreeMap<Group, Sum> = BTreeMap::new();
    // Each request covers about two years, from 2014 on. On a busy machine a report of a longer range
    // may exceed its time limit. A range of whole days never splits the sum of a day.
    let ranges = (0..10).map(|n| (16_200 + n * 700) * contracts::DAY);
    for (employee, start) in employees.iter().flat_map(|employee| ranges.clone().map(move |start| (employee, start))) {
        let range = format!("start={start}&end={}", start + 700 * contracts::DAY);
        let path = format!("/api/v1/analytics/time?{range}&employeeId={employee}&groupBy=employee,day,project,task");
        let began = Instant::now();
        let reply = loop {
            let reply = client.call(Method::GET, &path, As::Admin, None).await;
            if reply.is_ok() || began.elapsed() > Duration::from_secs(60) {
                break reply;
            }
            sleep(Duration::from_millis(500)).await;
        };
        let rows: Vec<Row> = reply.read().with_context(|| format!("analytics: {}", reply.words()))?;
        for Row { employee, day, project, task, time, costs, income } in rows {
            let cents = |amount: f64| (amount * 100.0).round() as i64;
            let sum = Sum { time, costs: cents(costs), income: cents(income) };
            reported.insert(Group { employee, day, project, task }, sum);
        }
    }
    Ok(reported)
}
