//! The request handlers, one file for each noun or verb.

mod adjust;
mod approve;
mod correct;
mod correction_requests;
mod decide;
mod decide_correction;
mod facts;
mod get;
mod lanes;
mod list;
mod locks;
mod overlaps;
mod pay_runs;
mod periods;
mod quarantine;
mod reprice;
mod reprice_plan;
mod settings;
mod tracking;
mod update;
mod waiting;

pub(crate) use self::{
    approve::{approve_period, open_what_was_given_up},
    correct::{correct, void},
    correction_requests::{ask_correction, get_correction, list_corrections},
    decide::{admit_quarantined, discard_quarantined},
    decide_correction::{accept_correction, refuse_correction},
    facts::{find_facts, list_facts, list_facts_of, sum_facts},
    get::get,
    lanes::list_lanes,
    list::list,
    locks::{list_locks, reopen_lock, set_lock},
    overlaps::list_overlaps,
    pay_runs::{create_pay_run, get_pay_run, list_paid_periods, list_pay_runs, mark_what_is_paid},
    periods::{
        get_period, get_period_states, list_adjustments, list_periods, reopen_period, send_back_period, submit_period,
    },
    quarantine::{count_quarantine, list_quarantine, replay_quarantined},
    reprice::{get_reprice, preview_reprice, start_reprice, take_over_reprices},
    settings::{get_settings, set_settings},
    tracking::list_tracking,
    update::{take_over_updates, update},
    waiting::count_waiting,
};
