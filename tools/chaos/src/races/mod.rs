//! Races: two conflicting requests are sent at once through two gateways. Then the stored data is
//! checked by rules that hold whichever request came first.

mod activate_twice;
mod answer;
mod assign_deactivate;
mod assign_remove;
mod copies;
mod correct_twice;
mod deactivate_reactivate;
mod delete_add;
mod edges;
mod email_twice;
mod late;
mod mails;
mod move_assign;
mod race;
mod reactivate_assign;
mod rows;
mod sent;
mod start_barrier;
mod tally;
mod testbed;
mod update_post;
mod verdict;
mod windows;

use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use self::{
    activate_twice::ActivateTwice, assign_deactivate::AssignDeactivate, assign_remove::AssignRemove,
    correct_twice::CorrectTwice, deactivate_reactivate::DeactivateReactivate, delete_add::DeleteAdd,
    email_twice::EmailTwice, move_assign::MoveAssign, reactivate_assign::ReactivateAssign, testbed::Testbed,
    update_post::UpdatePost, windows::Windows,
};
pub use tally::Tally;

/// The name of a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Assigning to a project or task against deactivating the employee.
    AssignDeactivate,
    /// Assigning to a task against removing the employee from its project.
    AssignRemove,
    /// Deactivating against reactivating an employee, with late events.
    DeactivateReactivate,
    /// Reactivating and at once assigning an employee, with late events.
    ReactivateAssign,
    /// Moving a task to another project against assigning to it.
    MoveAssign,
    /// Moving a task to another project against posting windows for it.
    MoveWindows,
    /// Archiving a project against posting windows for it.
    ArchiveWindows,
    /// Deleting a project against adding a member, task or assignee to it.
    DeleteAdd,
    /// Activating one invitation twice.
    ActivateActivate,
    /// Giving one e-mail address to two employees.
    EmailEmail,
    /// Correcting one window twice.
    CorrectCorrect,
    /// A bulk update of windows against posting windows.
    UpdatePost,
}

/// The settings of races.
#[derive(Args, Clone, Debug)]
pub struct RaceOptions {
    /// The number of rounds of each race.
    #[arg(long, default_value_t = 10_000)]
    pub rounds: usize,
    /// The races to run, separated by commas; the default is all.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Name>,
    /// The seed that decides the requests of each round and the delay between them.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The number of concurrent rounds of a race, each with its own employees and projects.
    #[arg(long, default_value_t = 12)]
    pub lanes: usize,
    /// The name of the deliberate fault in the services, if any.
    #[arg(skip)]
    pub mutant: Option<String>,
}

/// Starts a system, runs the races one after the other, and returns their results.
///
/// # Errors
/// When the system cannot be started.
pub async fn run(options: &RaceOptions) -> Result<Vec<Tally>> {
    let testbed = Arc::new(Testbed::start(options.mutant.clone()).await?);
    let mut tallies = Vec::new();
    for name in Name::value_variants() {
        if options.only.is_empty() || options.only.contains(name) {
            let tally = run_one(&testbed, *name, options).await;
            eprintln!("{tally}");
            tallies.push(tally);
        }
    }
    let testbed = Arc::into_inner(testbed).context("somebody still races")?;
    testbed.stop().await;
    Ok(tallies)
}

async fn run_one(testbed: &Arc<Testbed>, name: Name, options: &RaceOptions) -> Tally {
    let RaceOptions { rounds, seed, lanes, .. } = *options;
    let lanes = lanes.clamp(1, rounds.max(1));
    match name {
        Name::AssignDeactivate => race::run::<AssignDeactivate>(testbed, rounds, lanes, seed).await,
        Name::AssignRemove => race::run::<AssignRemove>(testbed, rounds, lanes, seed).await,
        Name::DeactivateReactivate => race::run::<DeactivateReactivate>(testbed, rounds, lanes, seed).await,
        Name::ReactivateAssign => race::run::<ReactivateAssign>(testbed, rounds, lanes, seed).await,
        Name::MoveAssign => race::run::<MoveAssign>(testbed, rounds, lanes, seed).await,
        Name::MoveWindows => race::run::<Windows<false>>(testbed, rounds, lanes, seed).await,
        Name::ArchiveWindows => race::run::<Windows<true>>(testbed, rounds, lanes, seed).await,
        Name::DeleteAdd => race::run::<DeleteAdd>(testbed, rounds, lanes, seed).await,
        Name::ActivateActivate => race::run::<ActivateTwice>(testbed, rounds, lanes, seed).await,
        Name::EmailEmail => race::run::<EmailTwice>(testbed, rounds, lanes, seed).await,
        Name::CorrectCorrect => race::run::<CorrectTwice>(testbed, rounds, lanes, seed).await,
        Name::UpdatePost => race::run::<UpdatePost>(testbed, rounds, lanes, seed).await,
    }
}
