use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{ContentHash, EmployeeId, IngestItem, Millis, ProjectId, TaskId, Window};

/// The content of a window that decides whether two windows with the same id are the same window:
/// employee, start, end, project and task, as they were sent. Two windows with the same content are
/// the same, even if the name of the computer, the offset, the note or the status differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowContent {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// When the window began.
    pub start: Millis,
    /// When the window ended.
    pub end: Millis,
    /// The project that was worked on.
    pub project_id: ProjectId,
    /// The task that was worked on.
    pub task_id: TaskId,
}

impl WindowContent {
    /// The hash of the content, by which windows with the same id are told apart: the first 16
    /// bytes of the SHA-256 of employee (16 bytes), start and end (8 bytes each, big-endian),
    /// project and task (16 bytes each). This layout is frozen, because the keys of quarantined
    /// windows contain the hash.
    pub fn hash(&self) -> ContentHash {
        let mut digest = Sha256::new();
        digest.update(self.employee_id.0.as_bytes());
        digest.update(self.start.0.to_be_bytes());
        digest.update(self.end.0.to_be_bytes());
        digest.update(self.project_id.0.as_bytes());
        digest.update(self.task_id.0.as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&digest.finalize()[..16]);
        ContentHash(Uuid::from_bytes(half))
    }
}

impl From<&IngestItem> for WindowContent {
    fn from(item: &IngestItem) -> Self {
        let sent = &item.window;
        Self {
            employee_id: item.employee_id,
            start: sent.start,
            end: sent.end,
            project_id: sent.project_id,
            task_id: sent.task_id,
        }
    }
}

impl From<&Window> for WindowContent {
    fn from(window: &Window) -> Self {
        Self {
            employee_id: window.employee_id,
            start: window.start,
            end: window.end,
            project_id: window.project_id,
            task_id: window.task_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn content((employee, start, end, project, task): (u128, i64, i64, u128, u128)) -> WindowContent {
        WindowContent {
            employee_id: EmployeeId(Uuid::from_u128(employee)),
            start: Millis(start),
            end: Millis(end),
            project_id: ProjectId(Uuid::from_u128(project)),
            task_id: TaskId(Uuid::from_u128(task)),
        }
    }

    #[test]
    fn the_layout_of_a_content_s_hash_is_frozen() {
        let hash = content((1, 1_000, 2_000, 2, 3)).hash();
        assert_eq!(hash.to_string(), "6d452626-8054-81dc-f9c6-dc08b7d2eb6e");
    }

    proptest! {
        #[test]
        fn contents_that_differ_in_anything_have_different_hashes(
            a in (0..3u128, 0..3i64, 0..3i64, 0..3u128, 0..3u128),
            b in (0..3u128, 0..3i64, 0..3i64, 0..3u128, 0..3u128),
        ) {
            prop_assert_eq!(a == b, content(a).hash() == content(b).hash());
        }
    }
}
