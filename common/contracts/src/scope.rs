//! Scopes, and the roles that are sets of scopes. What a role or an API key may do is defined only
//! here.

use std::{borrow::Cow, collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// A kind of data that a scope gives access to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// Employees and their invitations.
    Employees,
    /// Projects and their members.
    Projects,
    /// Tasks and their assignees.
    Tasks,
    /// Recorded and quarantined windows.
    Time,
    /// Reports of time and money.
    Analytics,
    /// Teams.
    Teams,
    /// Dated rates.
    Rates,
    /// Pay periods, approvals and locks.
    Periods,
    /// The audit trail.
    Audit,
    /// API keys and roles.
    Keys,
    /// Settings of the organisation.
    Settings,
}

impl Resource {
    /// All resources.
    pub const ALL: [Self; 11] = [
        Self::Employees,
        Self::Projects,
        Self::Tasks,
        Self::Time,
        Self::Analytics,
        Self::Teams,
        Self::Rates,
        Self::Periods,
        Self::Audit,
        Self::Keys,
        Self::Settings,
    ];

    /// The name of the resource in a scope.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Employees => "employees",
            Self::Projects => "projects",
            Self::Tasks => "tasks",
            Self::Time => "time",
            Self::Analytics => "analytics",
            Self::Teams => "teams",
            Self::Rates => "rates",
            Self::Periods => "periods",
            Self::Audit => "audit",
            Self::Keys => "keys",
            Self::Settings => "settings",
        }
    }
}

/// The right to read a resource (written `r:projects`), or to read and change it (written
/// `rw:projects`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// The resource that the scope gives access to.
    pub resource: Resource,
    /// Whether the scope includes the right to change the resource.
    pub write: bool,
}

impl Scope {
    /// The right to read this resource.
    pub const fn read(resource: Resource) -> Self {
        Self { resource, write: false }
    }

    /// The right to read and change this resource.
    pub const fn write(resource: Resource) -> Self {
        Self { resource, write: true }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", if self.write { "rw" } else { "r" }, self.resource.name())
    }
}

/// The error for a text that is not a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be r: or rw: and one of employees, projects, tasks, time, analytics, teams, rates, periods, audit, keys, settings, such as r:projects"
)]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let (right, name) = text.split_once(':').ok_or(UnknownScope)?;
        let resource = Resource::ALL.into_iter().find(|resource| resource.name() == name).ok_or(UnknownScope)?;
        match right {
            "r" => Ok(Self::read(resource)),
            "rw" => Ok(Self::write(resource)),
            _ => Err(UnknownScope),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Scope {
    fn schema() -> RefOr<Schema> {
        let scopes = Resource::ALL.into_iter().flat_map(|resource| [Self::read(resource), Self::write(resource)]);
        let names = scopes.map(|scope| scope.to_string());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Leave to read something (`r:`), or to read and change it (`rw:`)."))
            .enum_values(Some(names))
            .into()
    }
}

impl ToSchema for Scope {
    fn name() -> Cow<'static, str> {
        "Scope".into()
    }
}

/// A set of scopes. A scope `rw:x` includes `r:x`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Vec<Scope>, example = json!(["r:projects", "rw:time"]))]
pub struct Scopes(pub BTreeSet<Scope>);

impl Scopes {
    /// All scopes. The root key and owners have them.
    pub fn all() -> Self {
        Self(Resource::ALL.into_iter().map(Scope::write).collect())
    }

    /// Whether this set includes a scope.
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || self.0.contains(&Scope::write(scope.resource))
    }

    /// Whether this set includes all scopes of another set.
    pub fn include(&self, other: &Self) -> bool {
        other.0.iter().all(|scope| self.allow(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

/// A role of an employee or API key: a named set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// An owner may do everything.
    Owner,
    /// An admin may do everything except making API keys and changing roles.
    Admin,
    /// A manager sees the employees of the teams that they manage, and decides about the hours of
    /// these employees.
    Manager,
    /// An auditor may read everything and change nothing.
    Auditor,
    /// An employee has no scope: they may only read and send their own data.
    #[default]
    Employee,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Admin, Self::Manager, Self::Auditor, Self::Employee];

    /// Whether this is the role `employee`, which every employee has at first. For serde's
    /// `skip_serializing_if`.
    pub fn is_employee(&self) -> bool {
        *self == Self::Employee
    }

    /// The scopes of the role, beyond the rights that every employee has to their own data. The
    /// scopes of a manager are limited to the employees of their teams.
    pub fn scopes(self) -> Scopes {
        use Resource::{Analytics, Employees, Keys, Periods, Projects, Rates, Tasks, Teams, Time};
        match self {
            Self::Owner => Scopes::all(),
            Self::Admin => {
                let but_keys = Resource::ALL.into_iter().filter(|resource| *resource != Keys);
                but_keys.map(Scope::write).chain([Scope::read(Keys)]).collect()
            }
            Self::Manager => {
                let reads = [Employees, Projects, Tasks, Analytics, Teams, Rates].map(Scope::read);
                reads.into_iter().chain([Time, Periods].map(Scope::write)).collect()
            }
            Self::Auditor => Resource::ALL.into_iter().map(Scope::read).collect(),
            Self::Employee => Scopes::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_read_as_it_is_written_and_nothing_else_is_one() {
        for resource in Resource::ALL {
            for scope in [Scope::read(resource), Scope::write(resource)] {
                assert_eq!(scope.to_string().parse(), Ok(scope));
            }
        }
        for other in ["", "r", "w:time", "rw:", "r:times", "R:time", "r:time "] {
            assert_eq!(other.parse::<Scope>(), Err(UnknownScope), "{other}");
        }
    }

    #[test]
    fn leave_to_change_includes_leave_to_read_and_not_the_other_way_round() {
        let (read, write) = (Scope::read(Resource::Time), Scope::write(Resource::Time));
        let [reads, writes] = [read, write].map(|scope| Scopes::from_iter([scope]));
        assert!(writes.allow(read) && writes.allow(write) && reads.allow(read) && !reads.allow(write));
        assert!(writes.include(&reads) && !reads.include(&writes));
        assert!(!writes.allow(Scope::read(Resource::Projects)));
    }

    #[test]
    fn only_an_owner_may_make_keys_and_give_roles() {
        let may = |role: &Role| role.scopes().allow(Scope::write(Resource::Keys));
        assert_eq!(Role::ALL.into_iter().filter(may).collect::<Vec<_>>(), [Role::Owner]);
    }

    #[test]
    fn nobody_but_owners_and_admins_may_change_anything_and_managers_the_hours_of_their_teams() {
        let changes = |role: &Role| role.scopes().0.iter().any(|scope| scope.write);
        assert_eq!(
            Role::ALL.into_iter().filter(changes).collect::<Vec<_>>(),
            [Role::Owner, Role::Admin, Role::Manager]
        );
        let scopes = Role::Manager.scopes();
        let changed: Vec<_> = scopes.0.iter().filter(|scope| scope.write).map(|scope| scope.resource).collect();
        assert_eq!(changed, [Resource::Time, Resource::Periods]);
    }
}
