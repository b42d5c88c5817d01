//! What comes in, read into types that cannot be wrong; what does not fit is named, never repeated.

mod body;
mod fields;
mod form;
mod params;
mod path;

pub(crate) use self::{
    body::{Body, parse},
    form::{Form, required},
    params::Params,
    path::PathId,
};
