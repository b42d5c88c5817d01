//! Deserializers for updates, in which a field can be left out, be `null` or have a value. The
//! three mean different things.

use serde::{Deserialize, Deserializer};

/// Deserializes a field that may be left out, but not be `null`.
///
/// Use with `#[serde(default, deserialize_with = "present")]` on an `Option<T>`.
///
/// # Errors
/// Those of the deserialization of `T`.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Deserializes a field that may be left out, or be `null` to clear the stored value. `Some(None)`
/// is `null`.
///
/// Use with `#[serde(default, deserialize_with = "nullable")]` on an `Option<Option<T>>`.
///
/// # Errors
/// Those of the deserialization of `T`.
pub fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}
