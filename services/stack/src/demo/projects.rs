//! The projects of the demo company.

/// A project.
#[derive(Clone, Copy, Debug)]
pub struct Project {
    /// The name.
    pub name: &'static str,
    /// The description.
    pub description: &'static str,
    /// The bill rate per hour, in euros; `None` for internal work.
    pub bills: Option<i64>,
    /// The indexes of the members in the list of people.
    pub members: &'static [usize],
    /// The tasks.
    pub tasks: &'static [Task],
}

/// A task: its name, status and priority.
pub type Task = (&'static str, &'static str, &'static str);

/// The position of a task: the index of its project, and the index of the task in the project.
pub type Place = (usize, usize);

const TO_DO: &str = "To Do";
const IN_PROGRESS: &str = "In Progress";
const DONE: &str = "Done";
const LOW: &str = "Low";
const MEDIUM: &str = "Medium";
const HIGH: &str = "High";

/// All projects.
pub const PROJECTS: [Project; 6] = [
    Project {
        name: "Ferry tickets",
        description: "The shop for tickets of the harbour ferries.",
        bills: Some(95),
        members: &[0, 2, 3, 4, 8],
        tasks: &[
            ("Timetable search", DONE, HIGH),
            ("Payment by card", IN_PROGRESS, HIGH),
            ("Tickets as a pass", IN_PROGRESS, MEDIUM),
            ("Seat map", TO_DO, MEDIUM),
            ("Refunds", IN_PROGRESS, HIGH),
            ("Plan the release", IN_PROGRESS, MEDIUM),
            ("Accessibility review", TO_DO, LOW),
        ],
    },
    Project {
        name: "Museum website",
        description: "A new website for the museum of navigation.",
        bills: Some(80),
        members: &[4, 5, 7, 8, 10],
        tasks: &[
            ("Page templates", DONE, MEDIUM),
            ("Collection search", IN_PROGRESS, HIGH),
            ("Opening hours", DONE, LOW),
            ("Photographs", IN_PROGRESS, MEDIUM),
            ("Translations", IN_PROGRESS, LOW),
            ("Test on old tablets", TO_DO, MEDIUM),
            ("Newsletter", TO_DO, LOW),
        ],
    },
    Project {
        name: "Warehouse app",
        description: "Scanning and counting for a wholesaler.",
        bills: Some(105),
        members: &[2, 5, 6, 7, 9],
        tasks: &[
            ("Scan barcodes", IN_PROGRESS, HIGH),
            ("Offline mode", IN_PROGRESS, HIGH),
            ("Stock list", DONE, MEDIUM),
            ("Print labels", IN_PROGRESS, MEDIUM),
            ("Inventory", IN_PROGRESS, MEDIUM),
            ("Rights of shift leads", TO_DO, LOW),
            ("Test on scanners", IN_PROGRESS, HIGH),
        ],
    },
    Project {
        name: "Energy dashboard",
        description: "What the municipal buildings use.",
        bills: Some(88),
        members: &[0, 3, 6, 9],
        tasks: &[
            ("Read the meters", IN_PROGRESS, HIGH),
            ("Charts", IN_PROGRESS, MEDIUM),
            ("Monthly report", IN_PROGRESS, MEDIUM),
            ("Alarms", TO_DO, HIGH),
            ("Import of old years", DONE, LOW),
            ("Log-in with the city's accounts", IN_PROGRESS, MEDIUM),
            ("Weather correction", TO_DO, LOW),
        ],
    },
    Project {
        name: "Support",
        description: "Questions and faults of all customers.",
        bills: Some(60),
        members: &[3, 7, 8, 10],
        tasks: &[
            ("Questions", IN_PROGRESS, MEDIUM),
            ("Faults", IN_PROGRESS, HIGH),
            ("Updates", IN_PROGRESS, MEDIUM),
            ("On call", IN_PROGRESS, HIGH),
            ("Handbook", IN_PROGRESS, LOW),
            ("Training", TO_DO, LOW),
        ],
    },
    Project {
        name: "Office",
        description: "Our own affairs, billed to nobody.",
        bills: None,
        members: &[0, 1, 2, 8, 10],
        tasks: &[
            ("Bookkeeping", IN_PROGRESS, MEDIUM),
            ("Offers", IN_PROGRESS, HIGH),
            ("Hiring", IN_PROGRESS, MEDIUM),
            ("Team meeting", IN_PROGRESS, LOW),
            ("Purchases", TO_DO, LOW),
            ("Tax return", DONE, HIGH),
        ],
    },
];

/// Returns the indexes of the people who are assigned to a task: about two thirds of the members of
/// its project.
pub fn assigned((project, task): Place) -> Vec<usize> {
    let members = PROJECTS[project].members.iter().enumerate();
    members.filter(|(place, _)| (place + task) % 3 != 0).map(|(_, person)| *person).collect()
}

/// Returns the tasks of a person that are in progress, and with `finished` also those that are
/// done.
pub fn tasks_of(person: usize, finished: bool) -> Vec<Place> {
    let all =
        PROJECTS.iter().enumerate().flat_map(|(at, project)| (0..project.tasks.len()).map(move |task| (at, task)));
    let fits = |(project, task): &Place| match PROJECTS[*project].tasks[*task].1 {
        IN_PROGRESS => true,
        status => finished && status == DONE,
    };
    all.filter(fits).filter(|place| assigned(*place).contains(&person)).collect()
}

/// Returns a task of a project that the person is not a member of.
pub fn foreign_task(person: usize) -> Option<Place> {
    PROJECTS.iter().position(|project| !project.members.contains(&person)).map(|project| (project, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::people::{ACTIVE, QUARANTINED};

    #[test]
    fn there_are_six_projects_with_forty_tasks_and_everybody_has_something_to_do() {
        assert_eq!((PROJECTS.len(), PROJECTS.iter().map(|project| project.tasks.len()).sum::<usize>()), (6, 40));
        for person in 0..ACTIVE {
            assert!(tasks_of(person, false).len() >= 2, "{person}");
            for (project, _) in tasks_of(person, true) {
                assert!(PROJECTS[project].members.contains(&person), "{person}");
            }
        }
        assert!(PROJECTS.iter().flat_map(|project| project.members).all(|person| *person < ACTIVE));
        let (project, _) = foreign_task(QUARANTINED).unwrap();
        assert!(!PROJECTS[project].members.contains(&QUARANTINED));
    }
}
