//! What this service answers: one file a noun or a verb.

mod correct;
mod decide;
mod facts;
mod get;
mod list;
mod overlaps;
mod quarantine;
mod settings;
mod update;

pub(crate) use self::{
    correct::{correct, void},
    decide::{admit_quarantined, discard_quarantined},
    facts::{find_facts, list_facts, list_facts_of, sum_facts},
    get::get,
    list::list,
    overlaps::list_overlaps,
    quarantine::{list_quarantine, replay_quarantined},
    settings::{get_settings, set_settings},
    update::{take_over_updates, update},
};
