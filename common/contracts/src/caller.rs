use std::{fmt, str::FromStr};

use crate::{Actor, EmployeeId};

/// The kind of caller that a request comes from. The kind decides what the caller may see and do,
/// and [`Actor`] says who they are. The header [`crate::header::CALLER`] contains the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A caller without credentials, for example one who logs in or activates an account.
    Anonymous,
    /// The holder of the root key, or of an API key or a role whose scopes allow the request.
    Admin,
    /// An employee with an access token.
    Employee(EmployeeId),
    /// Another service.
    Service,
}

impl Caller {
    /// The actor of a message whose sender has an earlier version, which sends no actor. In those
    /// versions the only admin was the holder of the root key, and services did not name
    /// themselves.
    pub fn actor(self) -> Option<Actor> {
        match self {
            Self::Admin => Some(Actor::Root),
            Self::Employee(employee) => Some(Actor::Person { employee, session: None }),
            Self::Anonymous | Self::Service => None,
        }
    }

    /// Whether the caller may see the data of an employee.
    pub fn may_see(self, employee: EmployeeId) -> bool {
        match self {
            Self::Admin | Self::Service => true,
            Self::Employee(own) => own == employee,
            Self::Anonymous => false,
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::Admin => f.write_str("admin"),
            Self::Employee(id) => write!(f, "employee:{id}"),
            Self::Service => f.write_str("service"),
        }
    }
}

/// The error for a text that is not the text form of a [`Caller`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such kind of caller")]
pub struct UnknownCaller;

impl FromStr for Caller {
    type Err = UnknownCaller;

    fn from_str(text: &str) -> Result<Self, UnknownCaller> {
        match text {
            "anonymous" => Ok(Self::Anonymous),
            "admin" => Ok(Self::Admin),
            "service" => Ok(Self::Service),
            _ => {
                let id = text.strip_prefix("employee:").ok_or(UnknownCaller)?;
                id.parse().map(Self::Employee).map_err(|_| UnknownCaller)
            }
        }
    }
}
