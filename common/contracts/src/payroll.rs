//! The payroll of a project: the hourly rates of its employees.

use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};

use serde::{
    Deserialize, Serialize,
    de::{Error, MapAccess, Visitor},
};
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, Ref, RefOr, Schema, Type},
};

use crate::{EmployeeId, Rate, RateSent, Rates};

/// The pattern of a UUID for a regular expression in the description of the API.
const UUID: &str = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/// The employees that a line of a payroll is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payee {
    /// Every employee without a line of their own. Written as `*`.
    Everybody,
    /// The employee with this id.
    Employee(EmployeeId),
}

/// The error for a key of a payroll that is neither an employee's id nor `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an employee's id or \"*\"")]
pub struct InvalidPayee;

impl fmt::Display for Payee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everybody => f.write_str("*"),
            Self::Employee(id) => id.fmt(f),
        }
    }
}

impl FromStr for Payee {
    type Err = InvalidPayee;

    fn from_str(text: &str) -> Result<Self, InvalidPayee> {
        match text {
            "*" => Ok(Self::Everybody),
            id => id.parse().map(Self::Employee).map_err(|_| InvalidPayee),
        }
    }
}

impl Serialize for Payee {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Payee {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// The rates of a project's employees. For an employee without a line of their own, the line `*`
/// applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Payroll(pub BTreeMap<Payee, PayrollLine>);

impl Payroll {
    /// The rates of an employee: the employee's own line, or the line `*`, or no rates if the
    /// payroll has neither.
    pub fn line(&self, employee: EmployeeId) -> PayrollLine {
        let line = self.0.get(&Payee::Employee(employee)).or_else(|| self.0.get(&Payee::Everybody));
        line.copied().unwrap_or_default()
    }
}

impl PartialSchema for Payroll {
    fn schema() -> RefOr<Schema> {
        let payee = ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^(\\*|{UUID})$")));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("The rates of a project: an employee's own line, or that of `*`."))
            .property_names(Some(payee.build()))
            .additional_properties(Some(Ref::from_schema_name("PayrollLine")))
            .examples([json!({"*": {"billRate": 50.0, "overtimeBillRate": 75.0}})])
            .into()
    }
}

impl ToSchema for Payroll {
    fn name() -> Cow<'static, str> {
        "Payroll".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("PayrollLine".to_owned(), PayrollLine::schema()));
        PayrollLine::schemas(schemas);
    }
}

impl<'de> Deserialize<'de> for Payroll {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Lines;

        impl<'de> Visitor<'de> for Lines {
            type Value = Payroll;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            /// Refuses two lines for one employee, because it would not be clear which of them
            /// applies. JSON with two such lines is possible, because an id can be written in
            /// several ways.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Payroll, A::Error> {
                let mut lines = BTreeMap::new();
                while let Some(payee) = map.next_key::<Payee>()? {
                    if lines.insert(payee, map.next_value()?).is_some() {
                        return Err(A::Error::custom("must name each employee, and `*`, once"));
                    }
                }
                Ok(Payroll(lines))
            }
        }

        from.deserialize_map(Lines)
    }
}

/// The hourly rates of a line of a payroll.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PayrollLine {
    /// The bill rate of an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub bill_rate: Option<Rate>,
    /// The bill rate of an overtime hour; if there is none, the bill rate of an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_bill_rate: Option<Rate>,
    /// The pay rate of an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub pay_rate: Option<Rate>,
    /// The pay rate of an overtime hour; if there is none, the pay rate of an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateSent>)]
    pub overtime_pay_rate: Option<Rate>,
}

impl From<PayrollLine> for Rates {
    fn from(line: PayrollLine) -> Self {
        let PayrollLine { bill_rate, overtime_bill_rate, pay_rate, overtime_pay_rate } = line;
        Self { bill_rate, overtime_bill_rate, pay_rate, overtime_pay_rate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_lines_for_one_employee_none_is_taken_however_the_id_is_spelt() {
        let id = "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071";
        let read = |other: &str| {
            serde_json::from_str::<Payroll>(&format!(r#"{{"{id}":{{"billRate":1}},"{other}":{{"billRate":2}}}}"#))
        };
        for same in [id.to_owned(), id.to_uppercase(), id.replace('-', ""), format!("{{{id}}}")] {
            let refused = read(&same).expect_err("named twice").to_string();
            assert!(refused.starts_with("must name each employee"), "{refused}");
        }
        assert_eq!(read("*").map(|payroll| payroll.0.len()).ok(), Some(2));
    }
}
