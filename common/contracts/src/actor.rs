use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

use crate::{EmployeeId, KeyId, Service, SessionId};

/// Who sends a request or causes an event.
///
/// The header [`crate::header::ACTOR`] of messages and the rows of the outbox contain the actor as
/// text: `root`, `key:<id>`, `person:<employee>`, `person:<employee>/<session>` or
/// `service:<name>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The holder of the root key, which is the setting `ADMIN_API_KEY`.
    Root,
    /// The holder of the API key with this id.
    Key(KeyId),
    /// An employee, and their session if it is known.
    Person {
        /// The id of the employee.
        employee: EmployeeId,
        /// The session that the employee's log-in has started.
        session: Option<SessionId>,
    },
    /// A service that acts without a request, for example because of an event.
    Service(Service),
}

impl Actor {
    /// The same actor without the session, for data that is kept longer than sessions.
    #[must_use]
    pub fn in_any_session(self) -> Self {
        match self {
            Self::Person { employee, .. } => Self::Person { employee, session: None },
            other => other,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Person { employee, session: None } => write!(f, "person:{employee}"),
            Self::Person { employee, session: Some(session) } => write!(f, "person:{employee}/{session}"),
            Self::Service(service) => write!(f, "service:{service}"),
        }
    }
}

/// The error for a text that is not the text form of an [`Actor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be root, key:<id>, person:<employee>, person:<employee>/<session> or service:<name>")]
pub struct UnknownActor;

impl FromStr for Actor {
    type Err = UnknownActor;

    fn from_str(text: &str) -> Result<Self, UnknownActor> {
        fn id<T: FromStr>(text: &str) -> Result<T, UnknownActor> {
            text.parse().map_err(|_| UnknownActor)
        }
        match text.split_once(':') {
            None if text == "root" => Ok(Self::Root),
            Some(("key", key)) => Ok(Self::Key(id(key)?)),
            Some(("service", name)) => {
                Service::ALL.into_iter().find(|s| s.name() == name).map(Self::Service).ok_or(UnknownActor)
            }
            Some(("person", person)) => match person.split_once('/') {
                None => Ok(Self::Person { employee: id(person)?, session: None }),
                Some((employee, session)) => Ok(Self::Person { employee: id(employee)?, session: Some(id(session)?) }),
            },
            _ => Err(UnknownActor),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_text_of_each_kind_is_frozen() {
        let id = Uuid::from_u128(0x0198_c6f2_7f00_7a31_9c5e_0000_0000_0001);
        let text = "0198c6f2-7f00-7a31-9c5e-000000000001";
        let person = |session| Actor::Person { employee: EmployeeId(id), session };
        for (actor, expected) in [
            (Actor::Root, "root".to_owned()),
            (Actor::Key(KeyId(id)), format!("key:{text}")),
            (person(None), format!("person:{text}")),
            (person(Some(SessionId(id))), format!("person:{text}/{text}")),
            (Actor::Service(Service::Projects), "service:projects".to_owned()),
        ] {
            assert_eq!(actor.to_string(), expected);
            assert_eq!(expected.parse(), Ok(actor));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_so_that_it_is_read_again(
            text in "(root|key|person|service|admin)?:?([0-9a-f]{32}|[a-z]{0,9})?/?([0-9a-f]{32})?",
        ) {
            if let Ok(actor) = text.parse::<Actor>() {
                prop_assert_eq!(actor.to_string().parse(), Ok(actor));
            }
        }
    }
}
