//! The pages that people see. They work without JavaScript, and load nothing from anywhere.

pub(crate) mod activate;
pub(crate) mod home;
mod layout;
pub(crate) mod missing;
