use std::fmt;

use contracts::Service;

/// A point in the program of a service at which the process can be made to end. It is right before
/// or after a step on which others rely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failpoint {
    pub(crate) service: Service,
    /// The name that `kit::failpoint` gets.
    pub(crate) name: &'static str,
    /// How often the process passes the point before it ends there.
    pub(crate) passes: u64,
}

/// All failpoints that a campaign reaches.
const ALL: [(Service, &str); 19] = [
    (Service::Directory, "before_commit"),
    (Service::Directory, "after_commit"),
    (Service::Directory, "after_publish"),
    (Service::Directory, "before_ack"),
    (Service::Projects, "before_commit"),
    (Service::Projects, "after_commit"),
    (Service::Projects, "after_publish"),
    (Service::Projects, "before_ack"),
    (Service::Timetrack, "checked"),
    (Service::Timetrack, "inserted"),
    (Service::Timetrack, "published"),
    (Service::Timetrack, "answered"),
    (Service::Timetrack, "before_commit"),
    (Service::Timetrack, "after_commit"),
    (Service::Timetrack, "before_ack"),
    (Service::Analytics, "inserted"),
    (Service::Analytics, "before_ack"),
    (Service::Audit, "before_ack"),
    (Service::Gateway, "published"),
];

/// Returns the failpoints with these names, or all failpoints if no name is given.
pub(crate) fn named(names: &[String]) -> Vec<(Service, &'static str)> {
    ALL.into_iter().filter(|(_, name)| names.is_empty() || names.iter().any(|named| named == name)).collect()
}

/// Writes the value for the variable `T3_DIE_AT`.
impl fmt::Display for Failpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.passes)
    }
}
