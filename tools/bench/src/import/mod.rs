//! Imports a time sheet through the HTTP API: creates its developers, projects and tasks, posts its
//! hours as tracked windows, and compares the sums.
//!
//! An interrupted run can be repeated: employees, projects and tasks that exist are used, and
//! windows that were recorded are not recorded again.

mod admin;
mod cells;
mod comparison;
mod passwords;
mod people;
mod plan;
mod projects;
mod sheet;
mod timeline;
mod track;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use contracts::SECOND;

use crate::client::Client;
use crate::mailbox::Mailbox;
use comparison::Comparison;
use plan::Plan;

pub(crate) use admin::Admin;
pub(crate) use passwords::Passwords;
pub(crate) use people::{Person, invite};

/// The settings of an import.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The time sheet, a CSV file with the columns
    /// task,summary,priority,status,project,developer,hours,started,completed.
    pub file: PathBuf,
    /// The system's base URL.
    #[arg(long, default_value = "http://127.0.0.1:8000")]
    pub url: String,
    /// The system's data folder. It has the admin key (unless ADMIN_API_KEY is set) and the mails,
    /// and the import stores the passwords of the employees in it.
    #[arg(long, default_value = ".t3")]
    pub data: PathBuf,
    /// The longest window, in minutes. Repeat an import with the same value: with another value the
    /// same hours become other windows, which are recorded too.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub minutes: u32,
    /// The number of requests that are sent at the same time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub connections: u16,
}

/// Imports the sheet and prints the results.
///
/// # Errors
/// When the system refuses a request, or sums differ in the end.
pub async fn run(options: &Options) -> Result<()> {
    let plan = Plan::of(&sheet::read(&options.file)?, i64::from(options.minutes) * 60 * SECOND);
    println!(
        "{}: {} developers, {} projects, {} tasks, {} windows",
        options.file.display(),
        plan.developers.len(),
        plan.projects.len(),
        plan.tasks.len(),
        plan.windows.len()
    );
    let connections = usize::from(options.connections);
    let client = Client::new(&options.url)?;
    let admin = Admin::new(&client, &options.data)?;
    let mut passwords = Passwords::open(&options.data)?;
    let mailbox = Mailbox::of(&options.data);

    let (people, phase) = people::invite(&admin, &mailbox, &mut passwords, &plan.developers).await?;
    println!("{phase}");
    let (projects, phase) = projects::projects(&admin, &plan, &people).await?;
    println!("{phase}");
    let (tasks, phase) = projects::tasks(&admin, &plan, &people, &projects, connections).await?;
    println!("{phase}");
    client.take_statuses();
    let phase = track::windows(&client, &plan, &people, &projects, &tasks, connections).await?;
    println!("{phase}");
    for (status, count) in client.take_statuses() {
        println!("  {count:>9} × {}", meaning(status));
    }

    let comparison = Comparison::settled(&admin, &plan, &people, &projects, &tasks).await?;
    println!("\n{comparison}");
    ensure!(comparison.is_exact(), "the hours of the system are not those of the sheet");
    println!("Everything is exact, to the millisecond.");
    Ok(())
}

fn meaning(status: u16) -> String {
    match status {
        0 => "no answer, sent again".into(),
        200 => "200, was recorded already".into(),
        201 => "201, recorded".into(),
        202 => "202, safe in the queue".into(),
        429 | 503 | 504 => format!("{status}, sent again"),
        other => other.to_string(),
    }
}
