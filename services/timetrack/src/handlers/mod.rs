//! What this service answers: one file a noun or a verb.

mod correct;
mod decide;
mod facts;
mod get;
mod list;
mod overlaps;
mod quarantine;
mod settings;
mod tracking;
mod update;

pub(crate) use self::{
    correct::{correct, void},
    decide::{admit_quarantined, discard_quarantined},
    facts::list_facts,
    get::get,
    list::list,
    overlaps::list_overlaps,
    quarantine::{count_quarantine, list_quarantine, replay_quarantined},
    settings::{get_settings, set_settings},
    tracking::list_tracking,
    update::{take_over_updates, update},
};
