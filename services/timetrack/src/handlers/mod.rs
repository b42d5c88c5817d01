//! What this service answers: one file a noun or a verb.

mod correct;
mod correction_requests;
mod decide;
mod decide_correction;
mod facts;
mod get;
mod list;
mod overlaps;
mod quarantine;
mod settings;
mod update;

pub(crate) use self::{
    correct::{correct, void},
    correction_requests::{ask_correction, get_correction, list_corrections},
    decide::{admit_quarantined, discard_quarantined},
    decide_correction::{accept_correction, refuse_correction},
    facts::list_facts,
    get::get,
    list::list,
    overlaps::list_overlaps,
    quarantine::{list_quarantine, replay_quarantined},
    settings::{get_settings, set_settings},
    update::{take_over_updates, update},
};
