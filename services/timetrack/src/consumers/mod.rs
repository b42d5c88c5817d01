//! The consumers of INGEST and EVENTS, and the tasks that run beside them.

mod bindings;
mod check;
mod early;
mod feed;
mod ingest;
mod kept_out;
mod knowledge;
mod memory;
mod recorder;
mod second_look;
mod settled;
mod settling;

pub(crate) use self::{
    bindings::{assignment_changed, employee_changed, member_changed, project_changed, rates_changed, task_changed},
    check::{Fate, check},
    early::retry_early,
    ingest::Ingest,
    knowledge::Knowledge,
    memory::Memory,
    recorder::{Arrival, record_all},
    second_look::take_second_looks,
    settled::{require_none_beside, settled_in, settled_now},
    settling::{Settling, until_all_have_heard, until_queue_is_done},
};
