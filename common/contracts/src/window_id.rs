//! The ids of windows: sent by the client, or computed from the window. Because of the computed
//! ids, a window that is posted twice is recorded once, even if the client sends no id, and even if
//! a process died in between.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{ContentHash, EmployeeId, Label, Millis, TaskId, WindowId, WindowSent};

/// The namespace of the computed ids of windows. It is the UUIDv5 of "windows.t3" in the DNS
/// namespace.
const WINDOWS: Uuid = Uuid::from_u128(0xda73_03df_fbcc_57cd_911f_5616_d29a_59d5);
/// The namespace of the computed ids of shifts. It is the UUIDv5 of "shifts.t3" in the DNS
/// namespace.
const SHIFTS: Uuid = Uuid::from_u128(0x7a33_d560_c3f3_5fb5_8ba8_7b32_6661_6b7c);

/// Computes the id of a window that was sent without an id: the UUIDv5 of these bytes, in this
/// order:
///
/// | bytes | what |
/// |---|---|
/// | 16 | employee, as the UUID's bytes |
/// | 8 | start, milliseconds, big-endian two's complement |
/// | 8 | end, the same |
/// | 16 | task, as the UUID's bytes |
/// | rest | hwid, UTF-8 |
///
/// This layout is frozen. With another layout, windows that are sent again would be recorded twice.
pub fn window_id(employee: EmployeeId, hwid: &Label, start: Millis, end: Millis, task: TaskId) -> WindowId {
    let mut name = Vec::with_capacity(48 + hwid.as_str().len());
    name.extend_from_slice(employee.0.as_bytes());
    name.extend_from_slice(&start.0.to_be_bytes());
    name.extend_from_slice(&end.0.to_be_bytes());
    name.extend_from_slice(task.0.as_bytes());
    name.extend_from_slice(hwid.as_str().as_bytes());
    WindowId(Uuid::new_v5(&WINDOWS, &name))
}

/// Computes the id of the shift of a window that was sent without a shift: the UUIDv5 of employee
/// (16 bytes), UTC day of the start as days since 1970 (8 bytes, big-endian) and hwid (UTF-8).
pub fn shift_id(employee: EmployeeId, hwid: &Label, start: Millis) -> Uuid {
    let mut name = Vec::with_capacity(24 + hwid.as_str().len());
    name.extend_from_slice(employee.0.as_bytes());
    name.extend_from_slice(&start.utc_day().to_be_bytes());
    name.extend_from_slice(hwid.as_str().as_bytes());
    Uuid::new_v5(&SHIFTS, &name)
}

/// Computes the hash of all fields of a window: the first 16 bytes of the SHA-256 of its JSON.
/// Equal hashes mean that two windows are the same. Different hashes do not prove that two windows
/// differ: [`crate::WindowContent`] decides that. The layout is frozen. During an upgrade, workers
/// of an earlier version compare only this hash, and would take a repeated window with another hash
/// for a conflict.
pub fn content_hash(window: &WindowSent) -> ContentHash {
    let fields = serde_json::to_vec(window).unwrap_or_default(); // a window can always be written as JSON
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(fields)[..16]);
    ContentHash(Uuid::from_bytes(half))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn label(text: &str) -> Label {
        Label::parse(text).expect("a label")
    }

    fn ids() -> (EmployeeId, TaskId) {
        (EmployeeId(Uuid::from_u128(1)), TaskId(Uuid::from_u128(2)))
    }

    #[test]
    fn the_layout_of_a_window_id_is_frozen() {
        let (employee, task) = ids();
        let id = window_id(employee, &label("hw-1"), Millis(1_000), Millis(2_000), task);
        assert_eq!(id.to_string(), "04f6bad2-8617-5dbf-8fd2-8fa2ef0129b9");
    }

    #[test]
    fn the_layout_of_a_shift_id_is_frozen() {
        let (employee, _) = ids();
        assert_eq!(
            shift_id(employee, &label("hw-1"), Millis(1_000)).to_string(),
            "18457a83-0f6b-5afd-a804-a0db7596b6cb"
        );
    }

    proptest! {
        #[test]
        fn windows_that_differ_in_anything_have_different_ids(
            a in (0..9u128, 0..9i64, 1..9i64, 0..9u128, "[ab]{0,2}"),
            b in (0..9u128, 0..9i64, 1..9i64, 0..9u128, "[ab]{0,2}"),
        ) {
            let id = |(e, s, l, t, h): &(u128, i64, i64, u128, String)| window_id(
                EmployeeId(Uuid::from_u128(*e)), &label(h), Millis(*s), Millis(s + l), TaskId(Uuid::from_u128(*t)));
            prop_assert_eq!(a == b, id(&a) == id(&b));
        }
    }
}
