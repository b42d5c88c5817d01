//! The people of the demo company.

use contracts::Role;

/// A person of the demo company.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// The full name.
    pub name: &'static str,
    /// The local part of the e-mail address, and the user name on the computer.
    pub user: &'static str,
    /// The job title.
    pub title: &'static str,
    /// The role in the system.
    pub role: Role,
    /// The offset of local time from UTC, in minutes.
    pub offset: i64,
    /// The minute of the local day at which the person usually begins to work.
    pub begins: i64,
    /// A weekday on which the person does not work; 1 is Monday.
    pub free: Option<i64>,
    /// The name of the computer.
    pub computer: &'static str,
    /// The name of the operating system, as the desktop app sends it, and its version.
    pub system: (&'static str, &'static str),
    /// The pay rate per hour, in euros.
    pub pay: i64,
}

impl Person {
    /// Returns the e-mail address. Its domain is reserved for examples (RFC 2606).
    pub fn email(&self) -> String {
        format!("{}@lighthouse.example", self.user)
    }
}

/// How many of [`PEOPLE`], from the first on, have an account. The others have an open invitation.
pub const ACTIVE: usize = 11;
/// The indexes in [`PEOPLE`] of the people who track while the demo runs.
pub const TRACKING: [usize; 3] = [2, 6, 8];
/// The indexes of the people who sometimes track on two computers at once.
pub const TWO_COMPUTERS: [usize; 2] = [2, 6];
/// The index of the person who has one day with too many hours.
pub const LONG_DAY: usize = 5;
/// The index of the person who has a quarantined window.
pub const QUARANTINED: usize = 7;

const MAC: (&str, &str) = ("darwin", "15.6");
const WINDOWS: (&str, &str) = ("win32", "10.0.26100");
const LINUX: (&str, &str) = ("linux", "6.12");

/// All people.
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
        assert!(ACTIVE < PEOPLE.len() && TRACKING.iter().all(|person| *person < ACTIVE));
    }
}
