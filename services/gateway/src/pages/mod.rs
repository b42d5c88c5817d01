//! The pages that people see. They work without JavaScript, and load nothing from anywhere.

pub(crate) mod activate;
pub(crate) mod confirm;
pub(crate) mod forgot;
pub(crate) mod home;
mod later;
mod layout;
pub(crate) mod missing;
mod password_field;
pub(crate) mod reset;
