//! Splits long lists into pages.

use contracts::Failure;
use maud::{Markup, html};

use super::visitor::Visitor;
use crate::extract::Params;

/// Which page of a list is shown, and how long the list and its pages are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pager {
    page: usize,
    count: usize,
    size: usize,
}

impl Pager {
    /// The number of items before the requested page. It is needed to request only the items of
    /// that page.
    pub(super) fn skipped(params: &Params, size: usize) -> Result<usize, Failure> {
        Ok(Self::number(params)?.saturating_sub(1).saturating_mul(size))
    }

    fn number(params: &Params) -> Result<usize, Failure> {
        Ok(params.get("page", "must be the number of a page")?.unwrap_or(1))
    }

    /// Whether the list has more than one page.
    pub(super) fn is_long(self) -> bool {
        self.count > self.size
    }

    /// The number of items in the whole list.
    pub(super) fn count(self) -> usize {
        self.count
    }

    /// The requested page of a list with `count` items. A number beyond the last page gives the
    /// last page.
    pub(super) fn of(params: &Params, count: usize, size: usize) -> Result<Self, Failure> {
        Ok(Self { page: Self::number(params)?.clamp(1, count.div_ceil(size).max(1)), count, size })
    }

    /// The number of items before the page.
    pub(super) fn before(self) -> usize {
        (self.page - 1) * self.size
    }

    /// Keeps only the items of the page.
    pub(super) fn part<T>(self, items: Vec<T>) -> Vec<T> {
        items.into_iter().skip(self.before()).take(self.size).collect()
    }

    /// Renders links to the previous and the next page, if there are any.
    pub(super) fn links(self, visitor: &Visitor) -> Markup {
        let last = self.count.div_ceil(self.size).max(1);
        let (path, query) = visitor.here.split_once('?').unwrap_or((&visitor.here, ""));
        let others: Vec<&str> =
            query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("page=")).collect();
        let to = |page: usize| {
            let page = format!("page={page}");
            let pairs: Vec<&str> = others.iter().copied().chain([page.as_str()]).collect();
            format!("{}?{}", visitor.address(path), pairs.join("&"))
        };
        html! {
            @if last > 1 {
                nav.row aria-label="Pages of this list" {
                    @if self.page > 1 { a.button.quiet rel="prev" href=(to(self.page - 1)) { "Before" } }
                    span { "Page " (self.page) " of " (last) }
                    @if self.page < last { a.button.quiet rel="next" href=(to(self.page + 1)) { "After" } }
                }
            }
        }
    }
}
