//! A fault campaign: it kills processes, servers and connections at random moments of a seed while clients work,
//! and then checks the invariants.

mod administrator;
mod check;
mod cluster;
mod dice;
mod door;
mod failpoint;
mod fault;
mod ledger;
mod mutants;
mod network;
mod pace;
mod people;
mod recovery;
mod report;
mod schedule;
mod stage;
mod tracker;
mod watcher;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
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
    dice::Dice,
    door::{As, Door},
    ledger::{Attempt, Ledger, Sent, Word, now},
    pace::Pace,
    people::{Person, Works, found, hire, open},
    recovery::{Healed, Probe},
    schedule::Schedule,
    stage::Stage,
    tracker::Tracker,
};
pub use self::{
    fault::FaultKind,
    mutants::{Caught, MUTANTS, Mutant, mutants},
    report::KillReport,
};

/// The number of employees whose projects and tasks do not change.
const STEADY: usize = 8;
/// The number of admins, each with their own employees and projects.
const ADMINISTRATORS: usize = 4;
/// The number of employees, projects and tasks of each admin.
const PEOPLE: usize = 3;
const PROJECTS: usize = 2;
const TASKS: usize = 4;
/// How long the system may take to become idle; the second value is for a system that is known to be wrong.
const QUIET: [Duration; 2] = [Duration::from_secs(180), Duration::from_secs(30)];
/// How long sending the remaining windows may take after the last fault.
const LATE: Duration = Duration::from_secs(30);

/// The settings of a campaign.
#[derive(Clone, Debug)]
pub struct KillOptions {
    /// The seed of the random generator.
    pub seed: u64,
    /// The number of faults.
    pub kills: usize,
    /// The number of windows that are sent, without repetitions.
    pub windows: u64,
    /// The kinds of faults.
    pub faults: Vec<FaultKind>,
    /// How many servers of NATS and of MongoDB there are: one of each, or three.
    pub nodes: usize,
    /// The names of the points where processes die; all, if none is named.
    pub points: Vec<String>,
    /// The mutation in the services, if any.
    pub mutant: Option<String>,
    /// The folder for the logs of all processes.
    pub logs: PathBuf,
}

/// The employees and their work.
struct Cast {
    steady: Vec<Arc<Person>>,
    steady_works: Works,
    administrators: Vec<Administrator>,
    probe: Probe,
}

/// Goes on where servers can be cut off from each other, if that is allowed: the same process in a network of its own,
/// with no way out of this machine. What may need the network is done before.
///
/// # Errors
/// When something cannot be built or fetched.
pub async fn in_own_network(mutants: bool) -> Result<()> {
    bench::fleet::prepare(mutants).await?;
    network::enter()
}

/// Injects faults while clients work, waits until the system is idle, and checks the invariants.
///
/// # Errors
/// When the system cannot be started, set up or looked into. What is wrong with it is in the report.
pub async fn kill(options: &KillOptions) -> Result<KillReport> {
    let began = Instant::now();
    let schedule = Schedule::of(options.seed, options.kills, &options.faults, &failpoint::named(&options.points));
    let planned = Duration::from_millis(schedule.takes());
    let (ledger, pace) = (Ledger::default(), Pace::new(options.windows, planned));
    let mut stage = Stage::start(options, ledger.clone(), pace.clone()).await?;
    let door = Door::new(stage.entrance.clone(), ledger.clone())?;
    let cast = cast(options.seed, &stage, &door, &ledger, &pace).await?;
    eprintln!(
        "set up after {:.0} s; {} faults in about {:.0} s",
        began.elapsed().as_secs_f64(),
        options.kills,
        planned.as_secs_f64()
    );

    let mut work = JoinSet::new();
    start_trackers(options.seed, &cast, &door, &ledger, &pace, &mut work);
    let dice = Dice::new(options.seed, 3);
    work.spawn(watcher::ask(door.clone(), ledger.clone(), pace.clone(), cast.steady.clone(), dice));
    for administrator in cast.administrators {
        work.spawn(administrator.run());
    }
    let sampling = tokio::spawn(watcher::sample(stage.fleet.mongo().await?, pace.clone()));

    let mut recovered = Vec::new();
    let suffered = suffer(&mut stage, &schedule, &cast.probe, &mut recovered).await;
    let ended = Instant::now();
    while suffered.is_ok() && !pace.is_reached() && ended.elapsed() < LATE {
        sleep(Duration::from_millis(200)).await;
    }
    pace.end();
    work.join_all().await;
    suffered?;
    stage.supervise().await?;
    let quiet = until_quiet(&stage, QUIET[usize::from(options.mutant.is_some())]).await?;

    let employees: Vec<_> = ledger.book().by_employee.keys().copied().collect();
    let told = told(&door, &employees).await.context("analytics do not answer in the end")?;
    let state = State::read(&stage.fleet, told).await?;
    let (samples, sampled) = sampling.await?;
    let report = judged(options, &schedule, &ledger, &state, samples, sampled);
    let (ended, died_at) = (std::mem::take(&mut stage.ended), std::mem::take(&mut stage.died_at));
    let report = KillReport { took: began.elapsed(), recovered, quiet, ended, died_at, ..report };
    stage.stop().await;
    Ok(report)
}

/// Checks all invariants.
fn judged(
    options: &KillOptions,
    schedule: &Schedule,
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
    report(options, schedule, &book, state, outcomes, samples)
}

fn report(
    options: &KillOptions,
    schedule: &Schedule,
    book: &ledger::Book,
    state: &State,
    outcomes: Vec<Outcome>,
    samples: usize,
) -> KillReport {
    let mut faults = BTreeMap::new();
    schedule.0.iter().for_each(|planned| *faults.entry(planned.fault.kind).or_default() += 1);
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
        held: state.held.len(),
        acts: book.acts.len(),
        statuses: book.statuses.clone(),
        odd: book.odd.clone(),
        told: report::told(book, &outcomes),
        outcomes,
    }
}

/// Creates the employees, projects and tasks.
async fn cast(seed: u64, stage: &Stage, door: &Door, ledger: &Ledger, pace: &Pace) -> Result<Cast> {
    let mailbox = Mailbox::of(&stage.fleet.data);
    let mut steady = Vec::new();
    for n in 0..STEADY {
        steady.push(Arc::new(hire(door, &mailbox, ledger, &format!("steady-{n}"), true).await?));
    }
    let probing = Arc::new(hire(door, &mailbox, ledger, "probe", true).await?);
    let ids: Vec<_> = steady.iter().chain([&probing]).map(|person| person.id).collect();
    let project = found(door, ledger, "Steady", &ids).await?;
    let task = open(door, ledger, project, "To be kept", &ids).await?;
    let steady_works = Works::default();
    steady_works.add(project, task);
    let serial = ledger.book().begin(Sent {
        employee: probing.id,
        id: None,
        start: contracts::Millis(1_410_000_000_000),
        end: contracts::Millis(1_410_000_600_000),
        project,
        task,
        // The answers to the probe are not recorded: its window may be stored at most once.
        attempts: vec![Attempt { sent: now(), answered: now(), word: Word::Unknown("probe".into()) }],
        voids: Vec::new(),
    });
    let (employee, window) = (probing.id, recovery::window(project, task, serial));
    let probe = Probe { door: door.clone(), employee, project, person: probing, window };

    let mut administrators = Vec::new();
    for number in 0..ADMINISTRATORS {
        let mut people = Vec::new();
        for n in 0..PEOPLE {
            people.push(Arc::new(hire(door, &mailbox, ledger, &format!("restless-{number}-{n}"), false).await?));
        }
        let ids: Vec<_> = people.iter().map(|person| person.id).collect();
        let (works, mut projects, mut tasks) = (Works::default(), Vec::new(), Vec::new());
        for n in 0..PROJECTS {
            projects.push(found(door, ledger, &format!("Project {number}-{n}"), &ids).await?);
        }
        for n in 0..TASKS {
            let project = projects[n % PROJECTS];
            let task = open(door, ledger, project, &format!("Task {number}-{n}"), &ids).await?;
            works.add(project, task);
            tasks.push(task);
        }
        administrators.push(Administrator {
            number,
            people,
            projects,
            tasks,
            door: door.clone(),
            ledger: ledger.clone(),
            pace: pace.clone(),
            works,
            mailbox: mailbox.clone(),
            dice: Dice::new(seed, 100 + number as u64),
            dead_tokens: BTreeMap::new(),
            invited: 0,
            made: 0,
        });
    }
    Ok(Cast { steady, steady_works, administrators, probe })
}

fn start_trackers(seed: u64, cast: &Cast, door: &Door, ledger: &Ledger, pace: &Pace, work: &mut JoinSet<()>) {
    let steady = cast.steady.iter().map(|person| (person, &cast.steady_works));
    let restless = cast
        .administrators
        .iter()
        .flat_map(|administrator| administrator.people.iter().map(|person| (person, &administrator.works)));
    for (number, (person, works)) in (1_000..).zip(steady.chain(restless)) {
        let tracker = Tracker {
            person: person.clone(),
            door: door.clone(),
            ledger: ledger.clone(),
            pace: pace.clone(),
            works: works.clone(),
            dice: Dice::new(seed, number),
            later: VecDeque::new(),
        };
        work.spawn(tracker.run());
    }
}

/// Injects one fault after the other.
async fn suffer(
    stage: &mut Stage,
    schedule: &Schedule,
    probe: &Probe,
    recovered: &mut Vec<(FaultKind, recovery::Recovered)>,
) -> Result<()> {
    let began = Instant::now();
    for (number, planned) in (1..).zip(&schedule.0) {
        if let Some(why) = stage.lacks(planned.fault.kind) {
            let left_out = format!("fault {number}, {}, is left out: {why}", planned.fault);
            eprintln!("{left_out}");
            stage.ended.push(left_out);
            continue;
        }
        sleep(Duration::from_millis(planned.after)).await;
        let healed = Healed::default();
        let probing = planned.waits.then(|| tokio::spawn(probe.clone().until_recovered(healed.clone())));
        let at = began.elapsed().as_secs_f64();
        stage.suffer(planned.fault, || healed.now()).await.with_context(|| planned.fault.to_string())?;
        let mut says = format!(": started again in {:.1} s", healed.since().as_secs_f64());
        if let Some(probing) = probing {
            let one = probing.await?;
            let _ = write!(says, "; some answer was away for {:.1} s in all, and since:", one.in_all.as_secs_f64());
            for (name, (in_all, after)) in &one.parts {
                let _ = write!(says, " {name} {:.1} ({:.1} in all)", after.as_secs_f64(), in_all.as_secs_f64());
            }
            recovered.push((planned.fault.kind, one));
        }
        eprintln!("{at:6.1} s, fault {number}: {}{says}", planned.fault);
    }
    Ok(())
}

/// Waits until the system is idle. If it does not become idle, the check finds what is left.
async fn until_quiet(stage: &Stage, within: Duration) -> Result<Duration> {
    let (began, mongo) = (Instant::now(), stage.fleet.mongo().await?);
    let (mut calm, mut last) = (0, String::new());
    while calm < 3 && began.elapsed() < within {
        sleep(Duration::from_millis(300)).await;
        match under_way(&stage.fleet, &mongo).await {
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

/// The report about these employees, by employee, day, project and task.
async fn told(door: &Door, employees: &[contracts::EmployeeId]) -> Result<BTreeMap<Group, Sum>> {
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
    let mut told: BTreeMap<Group, Sum> = BTreeMap::new();
    // Two years at a time, because on a busy machine a longer report may exceed its time limit.
    let ranges = (0..10).map(|n| 1_400_000_000_000_i64 + n * 60_000_000_000);
    for (employee, start) in employees.iter().flat_map(|employee| ranges.clone().map(move |start| (employee, start))) {
        let range = format!("start={start}&end={}", start + 60_000_000_000);
        let path = format!("/api/v1/analytics/time?{range}&employeeId={employee}&groupBy=employee,day,project,task");
        let began = Instant::now();
        let reply = loop {
            let reply = door.call(Method::GET, &path, As::Admin, None).await;
            if reply.is_ok() || began.elapsed() > Duration::from_secs(60) {
                break reply;
            }
            sleep(Duration::from_millis(500)).await;
        };
        let rows: Vec<Row> = reply.read().with_context(|| format!("analytics: {}", reply.words()))?;
        for Row { employee, day, project, task, time, costs, income } in rows {
            let cents = |amount: f64| (amount * 100.0).round() as i64;
            let sum = Sum { time, costs: cents(costs), income: cents(income) };
            told.insert(Group { employee, day, project, task }, sum);
        }
    }
    Ok(told)
}
