//! Long lists of people, a page at a time.

use contracts::Failure;
use maud::{Markup, html};

use super::visitor::Visitor;
use crate::extract::Params;

/// Which part of a list is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pager {
    page: usize,
    count: usize,
    size: usize,
}

impl Pager {
    /// The page that the query names, of a list with so many items.
    pub(super) fn of(params: &Params, count: usize, size: usize) -> Result<Self, Failure> {
        let page: Option<usize> = params.get("page", "must be the number of a page")?;
        Ok(Self { page: page.unwrap_or(1).clamp(1, count.div_ceil(size).max(1)), count, size })
    }

    /// The items of the page.
    pub(super) fn part<T>(self, items: Vec<T>) -> Vec<T> {
        items.into_iter().skip((self.page - 1) * self.size).take(self.size).collect()
    }

    /// Links to the pages before and after, where there are any.
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
