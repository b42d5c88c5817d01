//! What this service does about messages that nobody waits for a reply to.

mod acks;
mod bindings;
mod check;
mod early;
mod ingest;
mod knowledge;
mod memory;
mod recorder;
mod settled;
mod settling;

pub(crate) use self::{
    bindings::{assignment_changed, employee_changed, member_changed, project_changed, rates_changed, task_changed},
    check::{Fate, check},
    early::retry_early,
    ingest::Ingest,
    knowledge::Knowledge,
    memory::Memory,
    recorder::{Arrival, publish, record_all},
    settled::{settled_in, settled_now},
    settling::{Settling, until_all_have_heard, until_queue_is_done},
};
