//! Conditional changes (`If-Match`). When two people read the same state and both change it, the
//! second change is refused, so that it does not overwrite the first.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Code, Employee, Failure, Project, ProjectId, Request, Service, Settings, SystemPermissions, Task, Team, Window,
};

/// A short hash of the state of a document, computed from its JSON form. The API shows it as the
/// ETag.
///
/// The gateway computes the tag from the JSON that it shows, and the service from the state that it
/// stores. During an upgrade one of them may know a field that the other does not know. Their tags
/// then differ, and a conditional change is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(String);

impl Tag {
    /// The tag of this state.
    pub fn of<T: Serialize + ?Sized>(state: &T) -> Self {
        // `to_vec` cannot fail here: the API writes every such state as JSON.
        Self::of_bytes(&serde_json::to_vec(state).unwrap_or_default())
    }

    /// The tag of these bytes: the first 8 bytes of their SHA-256, in hexadecimal digits.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The tag that a caller has sent. It may be any text.
    pub fn sent(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text of the tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The condition of a change: the present state must have one of these tags. None means that there
/// is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IfMatch(pub Option<Vec<Tag>>);

impl IfMatch {
    /// Whether there is no condition.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Refuses the change if `tag` is not one of the tags of the condition. Call this inside the
    /// transaction of the change, with the tag of the state that this transaction has read.
    ///
    /// # Errors
    /// 412, if no tag matches.
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

/// A change and its condition. As JSON it is the message of the change with the optional field
/// `ifMatch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditional<R> {
    /// The change.
    #[serde(flatten)]
    pub change: R,
    /// The tags of which the present state must have one.
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
    /// The tag of the project's whole state.
    pub fn tag(&self) -> Tag {
        Tag::of(self)
    }
}

impl Task {
    /// The tag of the task's whole state.
    pub fn tag(&self) -> Tag {
        Tag::of(self)
    }
}

impl Team {
    /// The tag of the team's whole state.
    pub fn tag(&self) -> Tag {
        Tag::of(self)
    }
}

impl Window {
    /// The tag of the window's whole state, apart from the negative time, which changes with other
    /// windows.
    pub fn tag(&self) -> Tag {
        Tag::of(&Self { negative_time: 0, ..self.clone() })
    }
}

impl Settings {
    /// The tag of all settings.
    pub fn tag(&self) -> Tag {
        Tag::of(self)
    }
}

impl Employee {
    /// The tag of the fields that an admin changes with a request to directory. These fields are
    /// left out: the list of projects, which is a copy; the team, which has its own tag; the
    /// permissions that the employee's computers report; and the delivery of the invitation.
    pub fn tag(&self) -> Tag {
        let (projects, system_permissions) = (Vec::new(), Vec::new());
        Tag::of(&Self { projects, system_permissions, invitation: None, team_id: None, ..self.clone() })
    }

    /// The tag of the permissions of all the employee's computers.
    pub fn permissions_tag(&self) -> Tag {
        let all: &[SystemPermissions] = &self.system_permissions;
        Tag::of(all)
    }

    /// The tag of the list of projects that the employee is on.
    pub fn projects_tag(&self) -> Tag {
        projects_tag(self.projects.clone())
    }
}

/// The tag of a list of projects. The order of the list does not change the tag.
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
