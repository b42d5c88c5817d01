use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, Uri, request::Parts},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use contracts::Failure;
use serde::{Serialize, de::DeserializeOwned};
use utoipa::IntoParams;

use super::{Params, accept::quality};
use crate::{error::Problem, sheet::XLSX};

/// The largest number of items on a page.
const LIMIT_MOST: usize = 10_000;

/// The query parameters of every list, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the form of Listing, for the documentation")]
pub(crate) struct Paging {
    /// The number of items on a page, 1 to 10,000. Without it the whole list is returned. If there
    /// are more items, the header `Link` names the next page.
    #[param(minimum = 1, maximum = 10_000, example = 100)]
    limit: Option<u32>,
    /// The position where the page begins, as the header `Link` names it. It stays valid while the
    /// list grows.
    cursor: Option<String>,
}

/// Which part of a list is requested, and in which format.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The largest number of items on the page; `None` for the whole list.
    pub(crate) limit: Option<usize>,
    /// Whether `Accept` names CSV, with at least the quality of JSON.
    pub(crate) wants_csv: bool,
    /// Whether `Accept` names the spreadsheet file (XLSX), with at least the quality of JSON and a
    /// higher one than CSV.
    pub(crate) wants_xlsx: bool,
    cursor: Option<String>,
    uri: Uri,
}

impl<S: Send + Sync> FromRequestParts<S> for Listing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = Params::from_request_parts(parts, state).await?;
        let must = "must be a whole number from 1 to 10000, or be left out for the whole list";
        let limit = params.whole("limit", must)?;
        if params.is_empty("limit") || limit.is_some_and(|limit| !(1..=LIMIT_MOST).contains(&limit)) {
            return Err(Failure::field("limit", must).into());
        }
        let cursor = params.get("cursor", "must be text")?;
        let [csv, xlsx] = ["text/csv", XLSX].map(|kind| quality(&parts.headers, kind).unwrap_or(0.0));
        // `*/*` gets JSON. When CSV and the spreadsheet file are equally preferred, the caller gets
        // CSV.
        let json = quality(&parts.headers, "application/json").unwrap_or(0.0);
        let wants_xlsx = xlsx > 0.0 && xlsx >= json && xlsx > csv;
        let wants_csv = csv > 0.0 && csv >= json;
        Ok(Self { limit, cursor, wants_csv, wants_xlsx, uri: parts.uri.clone() })
    }
}

impl Listing {
    /// The position in the cursor, after which the page begins; `None` for the first page.
    pub(crate) fn after<C: DeserializeOwned>(&self) -> Result<Option<C>, Failure> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let place = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|json| serde_json::from_slice(&json).ok());
        place
            .map(Some)
            .ok_or_else(|| Failure::field("cursor", "must be as the header Link of the page before names it"))
    }

    /// What is requested, apart from the range and the page: the path with all other query
    /// parameters. The same report of another month is the same question.
    pub(crate) fn question(&self) -> String {
        let apart = ["start", "end", "cursor", "limit"];
        let is_apart = |pair: &&str| apart.contains(&pair.split('=').next().unwrap_or_default());
        let others = self.uri.query().unwrap_or_default().split('&').filter(|pair| !is_apart(pair));
        format!("{}?{}", self.uri.path(), others.collect::<Vec<_>>().join("&"))
    }

    /// The header `Link` (RFC 8288) to the page after this position. The link keeps all other query
    /// parameters.
    pub(crate) fn link<C: Serialize>(&self, place: &C) -> Result<HeaderValue, Failure> {
        let misfit = || Failure::field("query", "must be percent-encoded");
        let cursor = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).map_err(|_| misfit())?);
        let others = self.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("cursor="));
        let query: Vec<&str> = others.collect();
        let link = format!("<{}?{}&cursor={cursor}>; rel=\"next\"", self.uri.path(), query.join("&"));
        HeaderValue::from_bytes(link.as_bytes()).map_err(|_| misfit())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn listing(uri: &str, accept: &str) -> Result<Listing, Problem> {
        let request = Request::get(uri).header("Accept", accept).body(()).expect("a request");
        Listing::from_request_parts(&mut request.into_parts().0, &()).await
    }

    #[tokio::test]
    async fn a_limit_is_a_whole_number_from_1_to_10000() {
        for (query, limit) in [("", None), ("?limit=1", Some(1)), ("?limit=10000", Some(10_000))] {
            assert_eq!(listing(&format!("/x{query}"), "*/*").await.expect("fits").limit, limit);
        }
        for bad in ["0", "10001", "-1", "1.5", "x", "", "99999999999999999999"] {
            assert!(listing(&format!("/x?limit={bad}"), "*/*").await.is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_link_keeps_all_parameters_but_the_cursor_which_leads_to_its_place() {
        let first = listing("/x?a=1%2C2&limit=2&b=", "*/*").await.expect("fits");
        assert_eq!(first.after::<u32>().expect("none"), None);
        let link = first.link(&7_u32).expect("a link");
        assert_eq!(link.to_str().expect("text"), "</x?a=1%2C2&limit=2&b=&cursor=Nw>; rel=\"next\"");
        let second = listing("/x?a=1%2C2&limit=2&b=&cursor=Nw", "*/*").await.expect("fits");
        assert_eq!(second.after::<u32>().expect("a place"), Some(7));
        assert_eq!(second.link(&7_u32).expect("a link"), link);
        for bad in ["x", "Nw=", "%00", "bnVsbA", "ImEi"] {
            let listing = listing(&format!("/x?cursor={bad}"), "*/*").await.expect("read later");
            assert!(listing.after::<u32>().is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn the_same_report_of_another_month_is_the_same_question() {
        let question = async |uri: &str| listing(uri, "*/*").await.expect("fits").question();
        let january = question("/x?start=1&end=2&teamId=7&limit=5").await;
        assert_eq!(january, question("/x?start=2&end=3&teamId=7&cursor=Nw").await);
        for other in ["/y?start=1&end=2&teamId=7", "/x?start=1&end=2&teamId=8", "/x?start=1&end=2", "/x"] {
            assert_ne!(january, question(other).await, "{other}");
        }
    }

    #[tokio::test]
    async fn csv_comes_only_to_those_who_name_it() {
        for (accept, csv) in [
            ("text/csv", true),
            ("Text/CSV; charset=utf-8, */*;q=0.1", true),
            ("application/json;q=0.5, text/csv", true),
            ("*/*", false),
            ("text/*", false),
            ("application/json", false),
            ("application/json, text/csv;q=0.9", false),
            ("text/csv;q=0", false),
        ] {
            assert_eq!(listing("/x", accept).await.expect("fits").wants_csv, csv, "{accept}");
        }
    }

    #[tokio::test]
    async fn a_spreadsheet_file_comes_only_to_those_who_name_it_before_all_else() {
        for (accept, xlsx) in [
            (XLSX.to_owned(), true),
            (format!("{XLSX}, */*;q=0.1"), true),
            (format!("text/csv;q=0.5, {XLSX}"), true),
            (format!("text/csv, {XLSX}"), false),
            (format!("application/json, {XLSX};q=0.9"), false),
            (format!("{XLSX};q=0"), false),
            ("*/*".to_owned(), false),
        ] {
            assert_eq!(listing("/x", &accept).await.expect("fits").wants_xlsx, xlsx, "{accept}");
        }
    }
}
