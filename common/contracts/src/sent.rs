//! Types for the OpenAPI description of request bodies: for values that are accepted in several
//! spellings ([`crate::lenient`]), and for texts that must not be empty. Responses are described by
//! the plain types.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, OneOfBuilder, RefOr, Schema, SchemaFormat, Type},
};

use crate::{time::DAY, window::YEAR_10000};

macro_rules! sent {
    ($($(#[$doc:meta])* $name:ident: $description:literal, $forms:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let forms: Vec<ObjectBuilder> = $forms;
                let one_of = forms.into_iter().fold(OneOfBuilder::new(), |one_of, form| one_of.item(form));
                RefOr::T(Schema::OneOf(one_of.description(Some($description)).build()))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

sent! {
    /// Describes a whole number in a request body.
    WholeSent: "A whole number; a text that is one is taken too.",
        vec![integer(), text("^-?[0-9]{1,18}$")];
    /// Describes a moment of the years 1970 to 9999 in a request body.
    MomentSent: "A moment: milliseconds since 1970 UTC, before the year 10000; a text that is one is taken too.",
        vec![integer().minimum(Some(0)).maximum(Some(YEAR_10000.0 - 1)), text("^[0-9]{1,14}$")];
    /// Describes an offset from UTC in a request body.
    OffsetSent: "Milliseconds, at most 24 hours either way; a text that is such a number is taken too.",
        vec![integer().minimum(Some(-DAY)).maximum(Some(DAY)), text("^-?[0-9]{1,7}$")];
    /// Describes a rate in a request body.
    RateSent: "Currency an hour, with at most four decimals; a text that is such a number is taken too.",
        vec![rate(), text("^[0-9]{1,8}(\\.[0-9]{1,4})?$")];
    /// Describes a boolean in a request body.
    TruthSent: "True or false; 1 and 0, and texts of these words and digits, are taken too.",
        vec![
            ObjectBuilder::new().schema_type(Type::Boolean),
            integer().enum_values(Some([0, 1])),
            text("^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|1|0)$"),
        ];
}

fn integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
}

fn rate() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(0))
        .maximum(Some(100_000_000))
        .multiple_of(Some(0.0001))
        .examples([62.5])
}

fn text(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}

/// A status or a priority that a task can have. The text must not be empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 255, pattern = "^[^\\x00-\\x1F\\x7F-\\x9F\\u2028\\u2029]*[^\\s\\x00-\\x1F\\x7F-\\x9F\\u2028\\u2029][^\\x00-\\x1F\\x7F-\\x9F\\u2028\\u2029]*$", example = "To Do")]
pub struct Choice(String);

/// The reason for an action, in a request body. The text must not be empty.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 10_000, pattern = "^[^\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F-\\x9F]*[^\\s\\x00-\\x1F\\x7F-\\x9F][^\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F-\\x9F]*$", example = "I forgot to start the app.")]
pub struct Reason(String);
