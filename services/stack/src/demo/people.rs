//! Who works in the made-up company.

use contracts::Role;

/// Somebody of the company.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// The name.
    pub name: &'static str,
    /// What stands before the @ of the address, and is the user of the computer too.
    pub user: &'static str,
    /// The title.
    pub title: &'static str,
    /// What they may do.
    pub role: Role,
    /// Minutes that their clock is ahead of UTC.
    pub offset: i64,
    /// The minute of their day at which they usually begin.
    pub begins: i64,
    /// A weekday on which they do not work: 1 is Monday.
    pub free: Option<i64>,
    /// The computer.
    pub computer: &'static str,
    /// Its system, as the desktop app names it, and the version of that.
    pub system: (&'static str, &'static str),
    /// What an hour of theirs costs.
    pub pay: i64,
}

impl Person {
    /// The address, in a domain that nobody can have (RFC 2606).
    pub fn email(&self) -> String {
        format!("{}@lighthouse.example", self.user)
    }
}

/// How many of [`PEOPLE`] have an account; those after them are invited and have not answered.
pub const ACTIVE: usize = 11;
/// Who tracks while the demo runs.
pub const AT_WORK: [usize; 3] = [2, 6, 8];
/// Who is on two computers at once now and then.
pub const ON_TWO: [usize; 2] = [2, 6];
/// Who had a day that is too long to be true.
pub const LONG: usize = 5;
/// Whose window is held back.
pub const HELD: usize = 7;

const MAC: (&str, &str) = ("darwin", "15.6");
const WINDOWS: (&str, &str) = ("win32", "10.0.26100");
const LINUX: (&str, &str) = ("linux", "6.12");

/// All of them.
pub const PEOPLE: [Person; 12] = [
    Person {
        name: "Ingrid Solberg",
        user: "ingrid",
        title: "Managing director",
        role: Role::Owner,
        offset: 60,
        begins: 510,
        free: None,
        computer: "ingrid-mac",
        system: MAC,
        pay: 72,
    },
    Person {
        name: "Mateus Carvalho",
        user: "mateus",
        title: "Bookkeeper",
        role: Role::Auditor,
        offset: 0,
        begins: 480,
        free: Some(5),
        computer: "mateus-pc",
        system: WINDOWS,
        pay: 44,
    },
    Person {
        name: "Aoife Brennan",
        user: "aoife",
        title: "Lead developer",
        role: Role::Employee,
        offset: 0,
        begins: 540,
        free: None,
        computer: "aoife-xps",
        system: LINUX,
        pay: 58,
    },
    Person {
        name: "Yusuf Demir",
        user: "yusuf",
        title: "Developer",
        role: Role::Employee,
        offset: 180,
        begins: 570,
        free: None,
        computer: "yusuf-thinkpad",
        system: LINUX,
        pay: 41,
    },
    Person {
        name: "Chiara Conti",
        user: "chiara",
        title: "Designer",
        role: Role::Employee,
        offset: 60,
        begins: 540,
        free: None,
        computer: "chiara-mac",
        system: MAC,
        pay: 46,
    },
    Person {
        name: "Jakub Nowak",
        user: "jakub",
        title: "Developer",
        role: Role::Employee,
        offset: 60,
        begins: 495,
        free: None,
        computer: "jakub-pc",
        system: WINDOWS,
        pay: 43,
    },
    Person {
        name: "Priya Raghavan",
        user: "priya",
        title: "Developer",
        role: Role::Employee,
        offset: 330,
        begins: 600,
        free: None,
        computer: "priya-mac",
        system: MAC,
        pay: 39,
    },
    Person {
        name: "Kofi Mensah",
        user: "kofi",
        title: "Tester",
        role: Role::Employee,
        offset: 0,
        begins: 525,
        free: None,
        computer: "kofi-pc",
        system: WINDOWS,
        pay: 34,
    },
    Person {
        name: "Léa Fontaine",
        user: "lea",
        title: "Project manager",
        role: Role::Employee,
        offset: 60,
        begins: 510,
        free: None,
        computer: "lea-mac",
        system: MAC,
        pay: 52,
    },
    Person {
        name: "Tomás Herrera",
        user: "tomas",
        title: "Developer",
        role: Role::Employee,
        offset: -300,
        begins: 480,
        free: None,
        computer: "tomas-pc",
        system: WINDOWS,
        pay: 38,
    },
    Person {
        name: "Hannah Weiss",
        user: "hannah",
        title: "Support",
        role: Role::Employee,
        offset: 60,
        begins: 480,
        free: Some(3),
        computer: "hannah-pc",
        system: WINDOWS,
        pay: 33,
    },
    Person {
        name: "Rūta Kazlauskaitė",
        user: "ruta",
        title: "Developer",
        role: Role::Employee,
        offset: 120,
        begins: 540,
        free: None,
        computer: "ruta-pc",
        system: LINUX,
        pay: 40,
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everybody_has_an_address_of_their_own_and_one_is_the_owner() {
        let addresses: BTreeSet<String> = PEOPLE.iter().map(Person::email).collect();
        assert_eq!(addresses.len(), PEOPLE.len());
        assert_eq!(PEOPLE.iter().filter(|person| person.role == Role::Owner).count(), 1);
        assert!(ACTIVE < PEOPLE.len() && AT_WORK.iter().all(|person| *person < ACTIVE));
    }
}
