use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use contracts::{Code, Conditional, IfMatch, Tag};

use super::entity_tags::{Malformed, Named, named};
use crate::{error::Problem, etags::Part};

/// The condition in the header `If-Match` of a request for a change.
#[derive(Debug)]
pub(crate) struct OnlyIf(Option<Vec<String>>);

impl<S: Send + Sync> FromRequestParts<S> for OnlyIf {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match named(&parts.headers, header::IF_MATCH) {
            // Every change requires that its target exists, so `*` adds no condition.
            Ok(None | Some(Named::Any)) => Ok(Self(None)),
            // Weak tags never match (RFC 9110, 13.1.1).
            Ok(Some(Named::Tags(tags))) => {
                let strong = tags.iter().filter(|tag| !tag.is_weak);
                Ok(Self(Some(strong.map(|tag| tag.plain().to_owned()).collect())))
            }
            Err(Malformed) => {
                let detail = "If-Match must be * or ETags as they were answered, in their quotes, with commas between.";
                Err(Problem::new(Code::BadPrecondition, detail))
            }
        }
    }
}

impl OnlyIf {
    /// Makes a change conditional on the tag of the item's own part ([`Part::Own`]).
    pub(crate) fn on<R>(&self, change: R) -> Conditional<R> {
        self.on_part(Part::Own, change)
    }

    /// Makes a change conditional on the tag of the first part. The header may contain that tag
    /// alone, or the tag of the whole response.
    pub(crate) fn on_first<R>(&self, change: R) -> Conditional<R> {
        let first = |tag: &String| Tag::sent(tag.split('-').next().unwrap_or_default());
        Conditional { change, if_match: IfMatch(self.0.as_ref().map(|tags| tags.iter().map(first).collect())) }
    }

    /// Makes a change conditional on the tag of this part of the response.
    pub(crate) fn on_part<R>(&self, part: Part, change: R) -> Conditional<R> {
        let seen = self.0.as_ref().map(|tags| tags.iter().filter_map(|tag| part.of(tag)).map(Tag::sent).collect());
        Conditional { change, if_match: IfMatch(seen) }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn sent(value: &str) -> OnlyIf {
        let request = Request::put("/").header("If-Match", value).body(()).expect("a request");
        OnlyIf::from_request_parts(&mut request.into_parts().0, &()).await.expect("well formed")
    }

    #[tokio::test]
    async fn each_part_of_a_tag_is_a_condition_of_its_own() {
        let of = async |value: &str, part| sent(value).await.on_part(part, ()).if_match.0;
        let tags = |all: &[&str]| Some(all.iter().map(|tag| Tag::sent(tag)).collect::<Vec<_>>());
        assert_eq!(of("*", Part::Own).await, None);
        assert_eq!(of("\"a-b-c-body\", \"d-e-f-body.gzip\"", Part::Own).await, tags(&["a", "d"]));
        assert_eq!(of("\"a-b-c-body\", \"d-e-f-body.gzip\"", Part::Projects).await, tags(&["c", "f"]));
    }

    #[tokio::test]
    async fn a_tag_that_is_weak_or_of_something_else_never_matches() {
        for never in ["W/\"a-body\"", "\"body\"", "\"x\""] {
            assert_eq!(sent(never).await.on(()).if_match, IfMatch(Some(Vec::new())), "{never}");
        }
    }
}
