//! What comes in, read into types that cannot be wrong; what does not fit is named, never repeated.

mod body;
mod fields;
mod form;
mod listing;
mod params;
mod path;
mod queries;

pub(crate) use self::{
    body::{Body, parse},
    form::{Form, required},
    listing::{Listing, Paging},
    params::{Asked, Params},
    path::PathId,
    queries::{Queries, check_query, fitting_query},
};
