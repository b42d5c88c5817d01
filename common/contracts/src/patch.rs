//! Deserializers for updates, in which a field that is left out, null or given means three different things.

use serde::{Deserialize, Deserializer};

/// For a field that may be left out but not be null.
///
/// Use with `#[serde(default, deserialize_with = "present")]` on an `Option<T>`.
///
/// # Errors
/// Those of `T`.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// For a field that may be left out, or be null to clear it: `Some(None)` clears.
///
/// Use with `#[serde(default, deserialize_with = "nullable")]` on an `Option<Option<T>>`.
///
/// # Errors
/// Those of `T`.
pub fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}
