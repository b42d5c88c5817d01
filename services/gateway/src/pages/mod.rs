//! The pages outside of the console. They work without JavaScript and load nothing from other
//! hosts.

pub(crate) mod activate;
pub(crate) mod confirm;
pub(crate) mod forgot;
pub(crate) mod home;
mod later;
mod layout;
pub(crate) mod missing;
mod password_field;
pub(crate) mod reset;
mod token_form;
