use std::{collections::BTreeSet, str::FromStr};

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use contracts::{DAY, Failure, Filter, Grouping, Label, Millis, TimeRange, UnknownGrouping, UnknownZone, Zone};
use utoipa::IntoParams;

use crate::error::Problem;

/// The longest range that can be asked for: ten years.
const RANGE_MOST: i64 = 3_653 * DAY;
/// The most ids of one filter.
const IDS_MOST: usize = 1_000;

/// What every question about a range takes, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the documentation of what is read one by one")]
pub(crate) struct Asked {
    /// The first moment, in milliseconds since 1970 UTC.
    #[param(example = 1_760_000_000_000i64)]
    start: i64,
    /// The first moment after, at most ten years later.
    #[param(example = 1_760_086_400_000i64)]
    end: i64,
    /// Of these employees only: ids with commas between.
    #[param(rename = "employeeId")]
    employee_id: Option<String>,
    /// On these projects only.
    #[param(rename = "projectId")]
    project_id: Option<String>,
    /// On these tasks only.
    #[param(rename = "taskId")]
    task_id: Option<String>,
    /// In these shifts only.
    #[param(rename = "shiftId")]
    shift_id: Option<String>,
}

/// The parameters of a query.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(pairs)) => Ok(Self(pairs)),
            Err(_) => Err(Failure::field("query", "must be parameters such as ?start=1&end=2").into()),
        }
    }
}

impl Params {
    /// A parameter, if it is there and not empty. Of several the last counts.
    pub(crate) fn get<T: FromStr>(&self, name: &str, must: &str) -> Result<Option<T>, Failure> {
        let text = self.0.iter().rfind(|(key, _)| key == name).map(|(_, value)| value.trim());
        let parsed = text.filter(|text| !text.is_empty()).map(str::parse);
        parsed.transpose().map_err(|_| Failure::field(name, must))
    }

    /// A parameter that has to be there.
    pub(crate) fn required<T: FromStr>(&self, name: &str, must: &str) -> Result<T, Failure> {
        self.get(name, must)?.ok_or_else(|| Failure::field(name, must))
    }

    /// The ids of a filter, with commas between, or the parameter repeated; none where it is not
    /// there or empty.
    pub(crate) fn ids<T: FromStr>(&self, name: &str) -> Result<Vec<T>, Failure> {
        self.list(name, "must be ids (UUIDs) with commas between", |id| id.parse().ok())
    }

    /// Of whose time, on what, and in which shifts, whose ids a client makes up.
    pub(crate) fn filter(&self) -> Result<Filter, Failure> {
        Ok(Filter {
            employees: self.ids("employeeId")?,
            projects: self.ids("projectId")?,
            tasks: self.ids("taskId")?,
            shifts: self.list("shiftId", "must be ids of shifts with commas between", |id| Label::parse(id).ok())?,
        })
    }

    /// What `groupBy` names: one thing at least.
    pub(crate) fn group_by(&self) -> Result<BTreeSet<Grouping>, Failure> {
        let name = "groupBy";
        let words: Vec<Grouping> = self.list(name, &UnknownGrouping.to_string(), |word| word.parse().ok())?;
        if words.is_empty() { Err(Failure::field(name, UnknownGrouping)) } else { Ok(words.into_iter().collect()) }
    }

    /// The `timezone`; UTC where none is named.
    pub(crate) fn zone(&self) -> Result<Zone, Failure> {
        Ok(self.get("timezone", &UnknownZone.to_string())?.unwrap_or_default())
    }

    fn list<T>(&self, name: &str, must: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Failure> {
        let values = self.0.iter().filter(|(key, value)| key == name && !value.trim().is_empty());
        let ids: Option<Vec<T>> = values.flat_map(|(_, value)| value.split(',')).map(|id| read(id.trim())).collect();
        let ids = ids.ok_or_else(|| Failure::field(name, must))?;
        if ids.len() > IDS_MOST {
            return Err(Failure::field(name, format!("must be at most {IDS_MOST} ids")));
        }
        Ok(ids)
    }

    /// The range from `start` to `end`.
    pub(crate) fn range(&self) -> Result<TimeRange, Failure> {
        let must = "must be milliseconds since 1970, a whole number";
        let (start, end) = (self.required("start", must)?, self.required("end", must)?);
        let range = TimeRange::new(Millis(start), Millis(end)).map_err(|error| Failure::field("end", error))?;
        if range.length() > RANGE_MOST {
            return Err(Failure::field("end", "must be at most ten years after start"));
        }
        Ok(range)
    }

    /// Whether a parameter is there, but empty.
    pub(crate) fn is_empty(&self, name: &str) -> bool {
        self.0.iter().any(|(key, value)| key == name && value.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use contracts::EmployeeId;

    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_range_has_two_ends_in_order_and_at_most_ten_years_between() {
        let range = |start: &str, end: &str| params(&[("start", start), ("end", end)]).range();
        assert!(range("0", "315619200000").is_ok());
        let field = |range: Result<TimeRange, Failure>| range.map_err(|failure| failure.errors[0].field.clone());
        assert_eq!(field(range("5", "5")), Err("end".into()));
        assert_eq!(field(range("0", "315619200001")), Err("end".into()));
        assert_eq!(field(range("-9223372036854775808", "9223372036854775807")), Err("end".into()));
        for bad in ["", "x", "1.5", "9223372036854775808", "NaN"] {
            assert_eq!(field(range(bad, "5")), Err("start".into()), "{bad}");
        }
    }

    #[test]
    fn ids_come_with_commas_between_or_one_by_one() {
        let id: EmployeeId = kit::new_id();
        let ids = |pairs: &[(&str, &str)]| params(pairs).ids::<EmployeeId>("id").map(|ids| ids.len());
        assert_eq!(ids(&[]), Ok(0));
        assert_eq!(ids(&[("id", "")]), Ok(0));
        assert_eq!(ids(&[("id", &format!("{id}, {id}"))]), Ok(2));
        assert_eq!(ids(&[("id", &id.to_string()), ("id", &id.to_string())]), Ok(2));
        for bad in ["SECRET", &format!("{id},"), &format!("{id};{id}"), &vec![id.to_string(); 1_001].join(",")] {
            let failure = ids(&[("id", bad)]).expect_err("refused");
            assert!(failure.errors[0].field == "id" && !failure.detail.contains("SECRET"));
        }
    }
}
