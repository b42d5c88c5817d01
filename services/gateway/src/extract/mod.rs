//! What comes in, read into types that cannot be wrong; what does not fit is named, never repeated.

mod accept;
mod body;
mod charset;
mod coding;
mod fields;
mod form;
mod listing;
mod params;
mod path;
mod prefer;
mod queries;

pub(crate) use self::{
    accept::wants_html,
    body::{Body, parse},
    coding::ACCEPTED,
    form::{Form, required},
    listing::{Listing, Paging},
    params::{Asked, Params},
    path::PathId,
    prefer::{APPLIED, RESPOND_ASYNC, prefers_async},
    queries::{Queries, check_query, fitting_query},
};
