//! Races: two sides go off together, through two gateways, at what cannot be both; then what is stored is
//! judged by rules that hold whoever came first.

mod activate_twice;
mod answer;
mod assign_deactivate;
mod assign_remove;
mod correct_twice;
mod deactivate_reactivate;
mod delete_add;
mod edges;
mod email_twice;
mod gate;
mod late;
mod mails;
mod move_assign;
mod race;
mod reactivate_assign;
mod rows;
mod sent;
mod stage;
mod tally;
mod update_post;
mod windows;

use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use self::{
    activate_twice::ActivateTwice, assign_deactivate::AssignDeactivate, assign_remove::AssignRemove,
    correct_twice::CorrectTwice, deactivate_reactivate::DeactivateReactivate, delete_add::DeleteAdd,
    email_twice::EmailTwice, move_assign::MoveAssign, reactivate_assign::ReactivateAssign, stage::Stage,
    update_post::UpdatePost, windows::Windows,
};
pub use tally::Tally;

/// The races.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Assign to a project or a task with deactivate.
    AssignDeactivate,
    /// Assign to a task with remove from its project.
    AssignRemove,
    /// Deactivate with reactivate, and late events.
    DeactivateReactivate,
    /// Reactivate then assign at once, with late events.
    ReactivateAssign,
    /// Move a task with assign to it.
    MoveAssign,
    /// Move a task with windows under way.
    MoveWindows,
    /// Archive a project with windows under way.
    ArchiveWindows,
    /// Delete a project with add to it.
    DeleteAdd,
    /// The same invitation activated twice.
    ActivateActivate,
    /// The same e-mail given to two employees.
    EmailEmail,
    /// Two corrections of one window.
    CorrectCorrect,
    /// A bulk update with a post.
    UpdatePost,
}

/// How races are run.
#[derive(Args, Clone, Debug)]
pub struct RaceOptions {
    /// How many rounds each race has.
    #[arg(long, default_value_t = 10_000)]
    pub rounds: usize,
    /// Which races, with commas between; all unless some are named.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Name>,
    /// Decides who does what in each round, and how much later one side starts.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many rounds of a race run at the same time, each on people and projects of its own.
    #[arg(long, default_value_t = 12)]
    pub lanes: usize,
    /// The mistake that the services make.
    #[arg(skip)]
    pub mutant: Option<String>,
}

/// Starts a system, runs the races one after the other, and gives what each has shown.
///
/// # Errors
/// When the system cannot be started.
pub async fn run(options: &RaceOptions) -> Result<Vec<Tally>> {
    let stage = Arc::new(Stage::start(options.mutant.clone()).await?);
    let mut tallies = Vec::new();
    for name in Name::value_variants() {
        if options.only.is_empty() || options.only.contains(name) {
            let tally = run_one(&stage, *name, options).await;
            eprintln!("{tally}");
            tallies.push(tally);
        }
    }
    let stage = Arc::into_inner(stage).context("somebody still races")?;
    stage.stop().await;
    Ok(tallies)
}

async fn run_one(stage: &Arc<Stage>, name: Name, options: &RaceOptions) -> Tally {
    let RaceOptions { rounds, seed, lanes, .. } = *options;
    let lanes = lanes.clamp(1, rounds.max(1));
    match name {
        Name::AssignDeactivate => race::run::<AssignDeactivate>(stage, rounds, lanes, seed).await,
        Name::AssignRemove => race::run::<AssignRemove>(stage, rounds, lanes, seed).await,
        Name::DeactivateReactivate => race::run::<DeactivateReactivate>(stage, rounds, lanes, seed).await,
        Name::ReactivateAssign => race::run::<ReactivateAssign>(stage, rounds, lanes, seed).await,
        Name::MoveAssign => race::run::<MoveAssign>(stage, rounds, lanes, seed).await,
        Name::MoveWindows => race::run::<Windows<false>>(stage, rounds, lanes, seed).await,
        Name::ArchiveWindows => race::run::<Windows<true>>(stage, rounds, lanes, seed).await,
        Name::DeleteAdd => race::run::<DeleteAdd>(stage, rounds, lanes, seed).await,
        Name::ActivateActivate => race::run::<ActivateTwice>(stage, rounds, lanes, seed).await,
        Name::EmailEmail => race::run::<EmailTwice>(stage, rounds, lanes, seed).await,
        Name::CorrectCorrect => race::run::<CorrectTwice>(stage, rounds, lanes, seed).await,
        Name::UpdatePost => race::run::<UpdatePost>(stage, rounds, lanes, seed).await,
    }
}
