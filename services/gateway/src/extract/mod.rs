//! Extractors, which parse requests into types whose values are always valid. An error names the
//! invalid field and never repeats its value.

mod accept;
mod body;
mod charset;
mod coding;
mod entity_tags;
mod fields;
mod form;
mod listing;
mod only_if;
mod params;
mod path;
mod prefer;
mod queries;

pub(crate) use self::{
    accept::wants_html,
    body::{Bodies, Body, Text, parse},
    coding::ACCEPTED,
    entity_tags::{Named, named},
    form::{Form, LongForm, required},
    listing::{Listing, Paging},
    only_if::OnlyIf,
    params::{Asked, Params, ShiftId},
    path::PathId,
    prefer::{APPLIED, RESPOND_ASYNC, prefers_async},
    queries::{Queries, check_query, fitting_query},
};
