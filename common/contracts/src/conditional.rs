//! Changes that are made only where a thing is still as somebody has seen it (`If-Match`): of two who
//! have read the same and change it, the second is refused and nothing is lost.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Code, Employee, Failure, Project, ProjectId, Request, Service, Settings, SystemPermissions, Task, Team, Window,
};

/// The state of something in a few letters, made of its JSON form.
///
/// The gateway makes it of what it shows and the service of what it stores. Where the two differ by
/// a field that only one of them knows, during an upgrade, a change on condition is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(String);

impl Tag {
    /// The tag of what has this JSON form.
    pub fn of<T: Serialize + ?Sized>(state: &T) -> Self {
        // What the API shows has a JSON form.
        Self::of_bytes(&serde_json::to_vec(state).unwrap_or_default())
    }

    /// The tag of these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// A tag as a caller has sent it: it may be any text.
    pub fn sent(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The condition of a change: the thing must have one of these tags. Without tags there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IfMatch(pub Option<Vec<Tag>>);

impl IfMatch {
    /// Whether there is no condition.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Refuses a change of what has another tag. Call it inside of the transaction of the change, on
    /// what that has read.
    ///
    /// # Errors
    /// 412.
    pub fn require(&self, tag: impl FnOnce() -> Tag) -> Result<(), Failure> {
        match &self.0 {
            Some(seen) if !seen.contains(&tag()) => {
                let detail =
                    "This has changed since you read it. Read it again, and send the change with its new ETag.";
                Err(Failure::new(Code::PreconditionFailed, detail))
            }
            _ => Ok(()),
        }
    }
}

/// A change with its condition: on the wire, the message of the change with the field `ifMatch`, which
/// may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditional<R> {
    /// The change.
    #[serde(flatten)]
    pub change: R,
    /// Its condition.
    #[serde(default, rename = "ifMatch", skip_serializing_if = "IfMatch::is_none")]
    pub if_match: IfMatch,
}

impl<R: Request> Request for Conditional<R> {
    type Reply = R::Reply;
    const SERVICE: Service = R::SERVICE;
    const NAME: &'static str = R::NAME;
    const IDEMPOTENT: bool = R::IDEMPOTENT;
}

impl Project {
    /// The tag of all that it is.
    pub fn tag(&self) -> Tag {
        Tag::of(self)
    }
}

impl Task {
    /// The tag of all that it is.
    pub fn tag(&self) -> Tag {
        Tag::of(self)
    }
}

impl Team {
    /// The tag of all that it is.
    pub fn tag(&self) -> Tag {
        Tag::of(self)
    }
}

impl Window {
    /// The tag of all but the negative time, which other windows change.
    pub fn tag(&self) -> Tag {
        Tag::of(&Self { negative_time: 0, ..self.clone() })
    }
}

impl Settings {
    /// The tag of all of them.
    pub fn tag(&self) -> Tag {
        Tag::of(self)
    }
}

impl Employee {
    /// The tag of what an admin changes in directory: not of the projects, of which it has a copy, nor
    /// of the team, which has a tag of its own, nor of what the employee's computers and the mail server
    /// say.
    pub fn tag(&self) -> Tag {
        let (projects, system_permissions) = (Vec::new(), Vec::new());
        Tag::of(&Self { projects, system_permissions, invitation: None, team_id: None, ..self.clone() })
    }

    /// The tag of what the employee's computers allow.
    pub fn permissions_tag(&self) -> Tag {
        let all: &[SystemPermissions] = &self.system_permissions;
        Tag::of(all)
    }

    /// The tag of the projects that the employee is on.
    pub fn projects_tag(&self) -> Tag {
        projects_tag(self.projects.clone())
    }
}

/// The tag of the projects that somebody is on, in whatever order they come.
pub fn projects_tag(mut projects: Vec<ProjectId>) -> Tag {
    projects.sort_unstable();
    Tag::of(&projects)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::{DeleteProject, VoidWindow, WindowId};

    #[test]
    fn a_condition_holds_where_one_of_its_tags_is_the_things() {
        let tag = |text: &str| Tag::of_bytes(text.as_bytes());
        let holds = |seen: Option<Vec<Tag>>| IfMatch(seen).require(|| tag("now")).is_ok();
        assert!(holds(None));
        assert!(holds(Some(vec![tag("before"), tag("now")])));
        assert!(!holds(Some(vec![tag("before")])));
        assert!(!holds(Some(Vec::new())), "only tags that never match");
    }

    #[test]
    fn a_change_without_a_condition_is_the_message_that_earlier_versions_send_and_read() {
        let change = DeleteProject { id: ProjectId(Uuid::nil()) };
        let plain = json!({ "id": Uuid::nil() });
        let conditional = Conditional { change, if_match: IfMatch::default() };
        assert_eq!(serde_json::to_value(&conditional).unwrap(), plain);
        assert_eq!(serde_json::from_value::<Conditional<DeleteProject>>(plain).unwrap(), conditional);
        let change = VoidWindow { id: WindowId(Uuid::nil()), reason: None };
        let conditional = Conditional { change: change.clone(), if_match: IfMatch(Some(vec![Tag::sent("a")])) };
        let sent = serde_json::to_value(&conditional).unwrap();
        assert_eq!(sent, json!({ "id": Uuid::nil(), "ifMatch": ["a"] }));
        assert_eq!(serde_json::from_value::<VoidWindow>(sent).unwrap(), change);
    }

    #[test]
    fn the_order_of_projects_is_no_change() {
        let [one, two] = [1, 2].map(|n| ProjectId(Uuid::from_u128(n)));
        assert_eq!(projects_tag(vec![one, two]), projects_tag(vec![two, one]));
        assert_ne!(projects_tag(vec![one]), projects_tag(vec![one, two]));
    }
}
