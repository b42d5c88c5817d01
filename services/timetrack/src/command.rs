//! The command-line commands of timetrack: for dead messages, quarantined windows, comparisons and
//! migrations.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand, value_parser};
use contracts::{
    Action, Actor, AdmitQuarantined, AuditSubject, Caller, ContentHash, DiscardQuarantined, Failure, ListQuarantine,
    QuarantinedWindow, ReconcileAnalytics, ReconcileDirectory, ReconcileProjects, ReconcileTimetrack, Reconciled,
    ReplayQuarantined, Service, WindowId, WindowState,
};
use kit::{Bus, Deps, Migrating, Origin};
use tokio::time::Instant;

use crate::migrate;

/// The time limit of comparing all copies of one service.
const COMPARING: Duration = Duration::from_secs(600);

/// The least time between two lines that report the progress of a migration.
const EVERY: Duration = Duration::from_secs(5);

/// A command that the program runs instead of the service.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Commands for messages that no consumer could process.
    #[command(subcommand)]
    Dead(Dead),
    /// Commands for quarantined windows. The running service carries them out.
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Requests every running service to compare its copies with their owners and to repair
    /// differences. Prints for each service: its name, the entries compared, the differences found,
    /// the differences repaired.
    Reconcile,
    /// Rewrites stored documents in the layout of this version, directly in the database, while
    /// services run. From then on earlier versions of the program cannot run any more. A migration
    /// that was stopped continues where it was.
    Migrate {
        /// The share of time in which the migration works, in percent. In the rest of the time it
        /// pauses, so that MongoDB is free for the services.
        #[arg(long, default_value_t = 25, value_name = "PERCENT", value_parser = value_parser!(u8).range(1..=100))]
        busy: u8,
    },
}

/// A command for dead messages.
#[derive(Clone, Debug, Subcommand)]
pub enum Dead {
    /// Lists dead messages, the oldest first: sequence number, time, consumer, deliveries, reason.
    List {
        /// List only messages after this sequence number.
        #[arg(long, default_value_t = 0)]
        after: u64,
    },
    /// Shows one dead message with its headers and its payload.
    Show {
        /// The sequence number of the message in the stream DEAD.
        seq: u64,
    },
    /// Publishes dead messages again on their original subjects.
    Replay {
        /// The sequence numbers of the messages in the stream DEAD.
        #[arg(required = true)]
        seqs: Vec<u64>,
    },
}

/// A command for quarantined windows.
#[derive(Clone, Debug, Subcommand)]
pub enum Quarantine {
    /// Lists quarantined windows, the oldest first: id, employee, code, state (`waiting` if the
    /// window is tried again automatically, otherwise `rejected`), and the reason in words.
    List,
    /// Shows one quarantined window.
    Show {
        /// The id of the window.
        id: WindowId,
    },
    /// Tries to record windows by the present rules.
    Replay {
        /// The ids of the windows.
        #[arg(required = true)]
        ids: Vec<WindowId>,
    },
    /// Records windows although a rule forbids it.
    Admit(Chosen),
    /// Decides that windows are not recorded. They stay in quarantine, with who decided and when.
    Discard(Chosen),
}

/// The quarantined windows that a decision is about.
#[derive(Args, Clone, Debug)]
pub struct Chosen {
    /// The ids of the windows.
    #[arg(required = true)]
    ids: Vec<WindowId>,
    /// The hash of the window's content, needed if several quarantined windows have the same id.
    #[arg(long)]
    content: Option<ContentHash>,
}

/// Runs a command and prints its result to standard output.
///
/// # Errors
/// When NATS, MongoDB or a running service cannot be reached, or a message or window does not
/// exist.
pub async fn command(command: Command, deps: Deps) -> anyhow::Result<()> {
    let work = async {
        match command {
            Command::Dead(dead) => on_dead(dead, &deps.bus).await,
            Command::Quarantine(quarantine) => on_quarantine(quarantine, &deps.bus).await,
            Command::Reconcile => reconcile(&deps.bus).await,
            Command::Migrate { busy } => on_migrate(&deps, busy).await,
        }
    };
    // Whoever has the operator's NATS key has the same rights as whoever has the root key. So the
    // audit trail names the root key as the actor.
    Origin::default().with_actor(Some(Actor::Root)).scope(work).await
}

async fn reconcile(bus: &Bus) -> anyhow::Result<()> {
    let all: [(_, Result<Reconciled, Failure>); 4] = [
        (Service::Projects, bus.ask_within(COMPARING, Caller::Admin, &ReconcileProjects {}).await),
        (Service::Directory, bus.ask_within(COMPARING, Caller::Admin, &ReconcileDirectory {}).await),
        (Service::Timetrack, bus.ask_within(COMPARING, Caller::Admin, &ReconcileTimetrack {}).await),
        (Service::Analytics, bus.ask_within(COMPARING, Caller::Admin, &ReconcileAnalytics {}).await),
    ];
    for (service, done) in all {
        let Reconciled { compared, found, repaired } = done.map_err(|e| anyhow!("{service}: {e}"))?;
        println!("{service}\t{compared}\t{found}\t{repaired}");
    }
    Ok(())
}

async fn on_migrate(deps: &Deps, busy: u8) -> anyhow::Result<()> {
    let due = Mutex::new(Instant::now());
    let tell = |Migrating { collection, seen, of, changed }: Migrating| {
        let mut due = due.lock().unwrap_or_else(PoisonError::into_inner);
        if Instant::now() >= *due {
            *due = Instant::now() + EVERY;
            eprintln!("{collection}: {seen} of {of} looked at, {changed} rewritten");
        }
    };
    migrate(deps, busy, tell).await?;
    println!("done");
    Ok(())
}

async fn on_dead(command: Dead, bus: &Bus) -> anyhow::Result<()> {
    match command {
        Dead::List { after } => {
            for dead in kit::list_dead(bus, after).await? {
                println!("{}\t{}\t{}\t{}\t{}", dead.seq, dead.at, dead.consumer, dead.deliveries, dead.reason);
            }
        }
        Dead::Show { seq } => {
            let dead = kit::list_dead(bus, seq.saturating_sub(1)).await?.into_iter().find(|dead| dead.seq == seq);
            let dead = dead.with_context(|| format!("there is no dead message {seq}"))?;
            println!("subject: {}", dead.subject);
            for (name, values) in dead.headers.iter() {
                values.iter().for_each(|value| println!("{name}: {value}"));
            }
            let payload =
                kit::decompressed(&dead.payload, Some(&dead.headers)).unwrap_or_else(|_| dead.payload[..].into());
            println!("\n{}", String::from_utf8_lossy(&payload));
        }
        Dead::Replay { seqs } => {
            for seq in seqs {
                let told = bus.audit(Action::DeadReplayed, AuditSubject::new("dead", seq)).await;
                told.map_err(|e| anyhow!(e))?;
                kit::replay_dead(bus, seq).await?;
                println!("{seq}\treplayed");
            }
        }
    }
    Ok(())
}

async fn on_quarantine(command: Quarantine, bus: &Bus) -> anyhow::Result<()> {
    match command {
        Quarantine::List => {
            for window in quarantined(bus).await? {
                let state = if window.waiting { "waiting" } else { "rejected" };
                println!("{}\t{}\t{:?}\t{state}\t{}", window.id, window.employee_id, window.code, window.detail);
            }
        }
        Quarantine::Show { id } => {
            let window = quarantined(bus).await?.into_iter().find(|window| window.id == id);
            let window = window.with_context(|| format!("no window {id} is in quarantine"))?;
            println!("{}", serde_json::to_string_pretty(&window)?);
        }
        Quarantine::Replay { ids } => {
            for id in ids {
                let state = bus
                    .ask(Caller::Admin, &ReplayQuarantined { id, content: None, set_aside: true })
                    .await
                    .map_err(|e| anyhow!(e))?;
                match state {
                    WindowState::Recorded(_) => println!("{id}\trecorded"),
                    WindowState::Queued => println!("{id}\tqueued"),
                    WindowState::SetAside { detail, .. } => println!("{id}\theld back\t{detail}"),
                    WindowState::Rejected { detail, .. } => println!("{id}\trejected\t{detail}"),
                }
            }
        }
        Quarantine::Admit(Chosen { ids, content }) => {
            for id in ids {
                let admitted = bus.ask(Caller::Admin, &AdmitQuarantined { id, content }).await;
                println!("{id}\trecorded as {}", admitted.map_err(|e| anyhow!(e))?.id);
            }
        }
        Quarantine::Discard(Chosen { ids, content }) => {
            for id in ids {
                bus.ask(Caller::Admin, &DiscardQuarantined { id, content }).await.map_err(|e| anyhow!(e))?;
                println!("{id}\tdiscarded");
            }
        }
    }
    Ok(())
}

async fn quarantined(bus: &Bus) -> anyhow::Result<Vec<QuarantinedWindow>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = bus
            .ask(Caller::Admin, &ListQuarantine { after, ..ListQuarantine::default() })
            .await
            .map_err(|e| anyhow!(e))?;
        all.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}
