//! The text about the demo that is printed on standard output.

use std::{fmt, time::Duration};

use super::{people::PEOPLE, projects::PROJECTS};

/// The content of the text about the demo.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// The password of all people of the demo.
    pub password: String,
    /// The number of windows that were sent.
    pub windows: usize,
    /// The number of days before today that the windows cover.
    pub days: u16,
    /// How long filling the demo took.
    pub took: Duration,
}

impl fmt::Display for Welcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { password, windows, days, took } = self;
        let (people, projects) = (PEOPLE.len(), PROJECTS.len());
        let tasks: usize = PROJECTS.iter().map(|project| project.tasks.len()).sum();
        let took = took.as_secs_f64();
        let as_one = |person: usize| PEOPLE[person].email();
        writeln!(
            f,
            "  Demo       {people} people, {projects} projects, {tasks} tasks, {windows} windows of {days} days; filled in {took:.0} s"
        )?;
        writeln!(f, "  Log in as  {} (the owner: sees and does everything)", as_one(0))?;
        writeln!(f, "             {} (an auditor: sees everything, changes nothing)", as_one(1))?;
        writeln!(f, "             {} (an employee: her own day)", as_one(2))?;
        writeln!(f, "  Password   {password}")
    }
}
