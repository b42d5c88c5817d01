//! The pure rules, without I/O: who may track on what, and what a recorded window contains.

mod admission;
pub(crate) mod at_work;
mod binding;
mod cached_admission;
mod correction;
mod correction_request;
#[cfg(test)]
mod history;
mod known;
mod quarantined;
mod quarantined_ids;
mod recording;
mod remembered;
mod repricing;
mod settled;
mod settled_by;
mod settled_copy;
mod taking;
mod timeliness;

pub(crate) use admission::{Admission, Admitted, admit, admit_anyway, refusal};
pub(crate) use binding::{Binding, BindingKey, Bindings, Prices};
pub(crate) use cached_admission::yes;
pub(crate) use correction::{correct, require_task_of_project};
pub(crate) use correction_request::{Verdict, ask, by_hand, changes, decide, needs_admission};
pub(crate) use known::{ConsumerReport, Known, known_part};
pub(crate) use quarantined::{Decision, Next, QuarantineReason, Quarantined};
pub(crate) use quarantined_ids::MOST_QUARANTINED;
pub(crate) use recording::record;
pub(crate) use remembered::{MOST_RATES, Remembered};
pub(crate) use repricing::repriced;
pub(crate) use settled::{Settled, Worked};
pub(crate) use settled_by::SettledBy;
pub(crate) use settled_copy::SettledCopy;
pub(crate) use taking::{Span, Sweep, Taking};
pub(crate) use timeliness::untimely;
