use std::{
    collections::{BTreeSet, HashSet},
    hash::Hash,
    str::FromStr,
};

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use contracts::{
    EmployeeId, Failure, Filter, Grouping, Label, Millis, ProjectId, TaskId, TeamId, TimeRange, UnknownGrouping,
    UnknownZone, Zone,
};
use utoipa::{IntoParams, ToSchema};

use crate::error::Problem;

/// The error message for an invalid moment.
const MOMENT: &str = "must be milliseconds since 1970, a whole number";
/// The largest number of ids in one filter.
const IDS_MOST: usize = 1_000;

/// The query parameters of every request about a time range, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the documentation of what is read one by one")]
pub(crate) struct Asked {
    /// The beginning of the range, in milliseconds since 1970 UTC.
    #[param(example = 1_760_000_000_000i64)]
    start: i64,
    /// The end of the range, in milliseconds since 1970 UTC: the first moment that no longer
    /// belongs to it. The range may have any length.
    #[param(example = 1_760_086_400_000i64)]
    end: i64,
    /// Only time of these employees: ids, separated by commas.
    #[param(rename = "employeeId", style = Form, explode = false, max_items = 1_000)]
    employee_id: Option<HashSet<EmployeeId>>,
    /// Only time of the members of these teams: ids, separated by commas.
    #[param(rename = "teamId", style = Form, explode = false, max_items = 1_000)]
    team_id: Option<HashSet<TeamId>>,
    /// Only time on these projects: ids, separated by commas.
    #[param(rename = "projectId", style = Form, explode = false, max_items = 1_000)]
    project_id: Option<HashSet<ProjectId>>,
    /// Only time on these tasks: ids, separated by commas.
    #[param(rename = "taskId", style = Form, explode = false, max_items = 1_000)]
    task_id: Option<HashSet<TaskId>>,
    /// Only time in these shifts: ids, separated by commas.
    #[param(rename = "shiftId", style = Form, explode = false, max_items = 1_000)]
    shift_id: Option<HashSet<ShiftId>>,
}

/// The id of a shift, which a client may choose freely.
#[derive(PartialEq, Eq, Hash, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 255, pattern = r"^[^,\x00-\x1F\x7F-\x9F]*[^,\s\x00-\x1F\x7F-\x9F][^,\x00-\x1F\x7F-\x9F]*$")]
pub(crate) struct ShiftId(String);

/// The query parameters of a request, as pairs of name and value.
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
    /// The parsed value of a parameter; `None` if the parameter is missing or empty.
    pub(crate) fn get<T: FromStr>(&self, name: &str, must: &str) -> Result<Option<T>, Failure> {
        let text = self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
        let parsed = text.filter(|text| !text.is_empty()).map(str::parse);
        parsed.transpose().map_err(|_| Failure::field(name, must))
    }

    /// The value of a parameter that is an integer, in any notation such as `1.0` or `1e3`; `None`
    /// if the parameter is missing or empty.
    pub(crate) fn whole<N: TryFrom<i64>>(&self, name: &str, must: &str) -> Result<Option<N>, Failure> {
        let text: Option<String> = self.get(name, must)?;
        let read = |text: String| contracts::whole(&text).and_then(|number| number.try_into().ok());
        text.map(|text| read(text).ok_or_else(|| Failure::field(name, must))).transpose()
    }

    /// The parsed value of a parameter that must be present and not empty.
    pub(crate) fn required<T: FromStr>(&self, name: &str, must: &str) -> Result<T, Failure> {
        self.get(name, must)?.ok_or_else(|| Failure::field(name, must))
    }

    /// The ids in a filter, separated by commas; empty if the parameter is missing. Fails if an id
    /// occurs twice, or if there are more than [`IDS_MOST`] ids.
    pub(crate) fn ids<T: FromStr + Eq + Hash>(&self, name: &str) -> Result<Vec<T>, Failure> {
        self.list(name, "must be ids (UUIDs) with commas between", |id| id.parse().ok())
    }

    /// The filter by employees, projects, tasks and shifts. [`crate::teams::filter`] also reads
    /// `teamId`.
    pub(crate) fn filter(&self) -> Result<Filter, Failure> {
        Ok(Filter {
            employees: self.ids("employeeId")?,
            projects: self.ids("projectId")?,
            tasks: self.ids("taskId")?,
            shifts: self.list("shiftId", "must be ids of shifts with commas between", |id| Label::parse(id).ok())?,
        })
    }

    /// The groupings in `groupBy`, which must name at least one.
    pub(crate) fn group_by(&self) -> Result<BTreeSet<Grouping>, Failure> {
        let name = "groupBy";
        let words: Vec<Grouping> = self.list(name, &UnknownGrouping.to_string(), |word| word.parse().ok())?;
        if words.is_empty() { Err(Failure::field(name, UnknownGrouping)) } else { Ok(words.into_iter().collect()) }
    }

    /// The time zone in `timezone`; UTC if the parameter is missing.
    pub(crate) fn zone(&self) -> Result<Zone, Failure> {
        Ok(self.get("timezone", &UnknownZone.to_string())?.unwrap_or_default())
    }

    fn list<T: Eq + Hash>(&self, name: &str, must: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Failure> {
        let values = self.0.iter().filter(|(key, value)| key == name && !value.trim().is_empty());
        let ids: Option<Vec<T>> = values.flat_map(|(_, value)| value.split(',')).map(|id| read(id.trim())).collect();
        let ids = ids.ok_or_else(|| Failure::field(name, must))?;
        if ids.len() > IDS_MOST {
            return Err(Failure::field(name, format!("must be at most {IDS_MOST} ids")));
        }
        let mut seen = HashSet::with_capacity(ids.len());
        if !ids.iter().all(|id| seen.insert(id)) {
            return Err(Failure::field(name, "must name each once, however it is spelt"));
        }
        Ok(ids)
    }

    /// The range from `start` to `end`. Both parameters are required.
    pub(crate) fn range(&self) -> Result<TimeRange, Failure> {
        let moment = |name| self.whole(name, MOMENT)?.ok_or_else(|| Failure::field(name, MOMENT));
        let (start, end) = (moment("start")?, moment("end")?);
        TimeRange::new(Millis(start), Millis(end)).map_err(|error| Failure::field("end", error))
    }

    /// The range from `start` to `end`. A missing parameter leaves that side of the range open.
    /// Returns `None` if both are missing.
    pub(crate) fn open_range(&self) -> Result<Option<TimeRange>, Failure> {
        let (start, end) = (self.whole("start", MOMENT)?, self.whole("end", MOMENT)?);
        if start.is_none() && end.is_none() {
            return Ok(None);
        }
        let (start, end) = (start.unwrap_or(i64::MIN), end.unwrap_or(i64::MAX));
        TimeRange::new(Millis(start), Millis(end)).map(Some).map_err(|error| Failure::field("end", error))
    }

    /// Whether a parameter is present.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// Whether a parameter is present and empty.
    pub(crate) fn is_empty(&self, name: &str) -> bool {
        self.0.iter().any(|(key, value)| key == name && value.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_range_has_two_ends_in_order_however_far_they_are_apart() {
        let range = |start: &str, end: &str| params(&[("start", start), ("end", end)]).range();
        for now in ["1760000000000", "1760000000000.0", "1.76e12", " 1760000000000 "] {
            assert_eq!(range("0", now).map(TimeRange::end), Ok(Millis(1_760_000_000_000)), "{now}");
        }
        assert!(range("-9223372036854775808", "9223372036854775807").is_ok());
        let field = |range: Result<TimeRange, Failure>| range.map_err(|failure| failure.errors[0].field.clone());
        assert_eq!(field(range("5", "5")), Err("end".into()));
        for bad in ["", "x", "1.5", "9223372036854775808", "NaN"] {
            assert_eq!(field(range(bad, "5")), Err("start".into()), "{bad}");
        }
    }

    #[test]
    fn one_end_of_a_range_may_be_left_open_where_both_may_be() {
        let range =
            |pairs: &[(&str, &str)]| params(pairs).open_range().map(|range| range.map(|r| (r.start(), r.end())));
        assert_eq!(range(&[]), Ok(None));
        assert_eq!(range(&[("start", "5")]), Ok(Some((Millis(5), Millis(i64::MAX)))));
        assert_eq!(range(&[("end", "5")]), Ok(Some((Millis(i64::MIN), Millis(5)))));
        assert!(range(&[("start", "5"), ("end", "5")]).is_err());
    }

    #[test]
    fn ids_come_with_commas_between_each_once() {
        let (id, other): (EmployeeId, EmployeeId) = (kit::new_id(), kit::new_id());
        let ids = |pairs: &[(&str, &str)]| params(pairs).ids::<EmployeeId>("id").map(|ids| ids.len());
        assert_eq!(ids(&[]), Ok(0));
        assert_eq!(ids(&[("id", "")]), Ok(0));
        assert_eq!(ids(&[("id", &format!("{id}, {other}"))]), Ok(2));
        let many: Vec<String> = (0..1_001).map(|_| kit::new_id::<EmployeeId>().to_string()).collect();
        assert_eq!(ids(&[("id", &many[1..].join(","))]), Ok(1_000));
        for spelt in [id.to_string().to_uppercase(), id.0.simple().to_string(), id.0.braced().to_string()] {
            assert_eq!(ids(&[("id", &format!("{spelt},{other}"))]), Ok(2), "{spelt}");
            assert!(ids(&[("id", &format!("{id},{spelt}"))]).is_err(), "{spelt}");
        }
        for bad in ["SECRET", &format!("{id},"), &format!("{id};{id}"), &many.join(",")] {
            let failure = ids(&[("id", bad)]).expect_err("refused");
            assert!(failure.errors[0].field == "id" && !failure.detail.contains("SECRET"));
        }
    }
}
