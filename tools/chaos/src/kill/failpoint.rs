use std::fmt;

use contracts::Service;

/// A point of a service's program: right before or after something that others rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failpoint {
    pub(crate) service: Service,
    /// The name in `kit::failpoint`.
    pub(crate) name: &'static str,
    /// How often the process passes the point before it dies there.
    pub(crate) passes: u64,
}

/// All that a campaign gets to.
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

/// The points with these names; all where none is named.
pub(crate) fn named(names: &[String]) -> Vec<(Service, &'static str)> {
    ALL.into_iter().filter(|(_, name)| names.is_empty() || names.iter().any(|named| named == name)).collect()
}

/// What `T3_DIE_AT` is told.
impl fmt::Display for Failpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.passes)
    }
}
