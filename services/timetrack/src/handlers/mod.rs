//! What this service answers: one file a noun or a verb.

mod approve;
mod correct;
mod decide;
mod facts;
mod get;
mod list;
mod locks;
mod overlaps;
mod pay_runs;
mod periods;
mod quarantine;
mod settings;
mod update;

pub(crate) use self::{
    approve::{approve_period, open_what_was_given_up},
    correct::{correct, void},
    decide::{admit_quarantined, discard_quarantined},
    facts::list_facts,
    get::get,
    list::list,
    locks::{list_locks, reopen_lock, set_lock},
    overlaps::list_overlaps,
    pay_runs::{create_pay_run, get_pay_run, list_paid_periods, list_pay_runs, mark_what_is_paid},
    periods::{get_period, list_adjustments, list_periods, reopen_period, send_back_period, submit_period},
    quarantine::{list_quarantine, replay_quarantined},
    settings::{get_settings, set_settings},
    update::{take_over_updates, update},
};
