use std::io;

use contracts::Page;
use futures::{Stream, TryStreamExt};
use serde::Serialize;

/// The most bytes of a page's items as JSON: half of what NATS carries in one message.
const MOST_BYTES: usize = 512 * 1024;
/// The most items of a page.
pub const PAGE_MOST: usize = 1_000;

/// Collects the next items of a stream into a page: at most [`PAGE_MOST`] items, and at most 512
/// KiB of JSON unless the first item alone is longer. `cursor` gives the position of an item. The
/// next page continues after the position of the last item.
///
/// # Errors
/// Those of the stream.
pub async fn page_within<T: Serialize, C, E>(
    items: impl Stream<Item = Result<T, E>>,
    cursor: impl Fn(&T) -> C,
) -> Result<Page<T, C>, E> {
    let mut items = std::pin::pin!(items);
    let mut page = Page { items: Vec::new(), next: None };
    let mut bytes = 0;
    while let Some(item) = items.try_next().await? {
        bytes += length(&item);
        let is_full = bytes > MOST_BYTES || page.items.len() == PAGE_MOST;
        if let Some(last) = page.items.last().filter(|_| is_full) {
            page.next = Some(cursor(last));
            break;
        }
        page.items.push(item);
    }
    Ok(page)
}

/// The number of bytes of a value as JSON.
fn length(value: &impl Serialize) -> usize {
    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, value).map_or(0, |()| counted.0)
}

/// A writer that only counts the bytes.
struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Collects all items of a list that is read page by page. `ask` requests the page after a
/// position, or the first page for None.
///
/// # Errors
/// The error of the first request that fails.
pub async fn all_pages<T, C, E, Answer>(mut ask: impl FnMut(Option<C>) -> Answer) -> Result<Vec<T>, E>
where
    Answer: Future<Output = Result<Page<T, C>, E>>,
{
    let first = ask(None).await?;
    pages_from(first, ask).await
}

/// Collects the items of a page and of all pages after it. `ask` requests the page after a
/// position.
///
/// # Errors
/// The error of the first request that fails.
pub async fn pages_from<T, C, E, Answer>(
    first: Page<T, C>,
    mut ask: impl FnMut(Option<C>) -> Answer,
) -> Result<Vec<T>, E>
where
    Answer: Future<Output = Result<Page<T, C>, E>>,
{
    let Page { mut items, mut next } = first;
    while let Some(after) = next {
        let page = ask(Some(after)).await?;
        items.extend(page.items);
        next = page.next;
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn a_page_ends_before_it_outgrows_a_reply_and_says_where_the_next_starts() {
        let items = stream::iter((0..10).map(|n| Ok::<_, ()>((n, "x".repeat(100 * 1024)))));
        let page = page_within(items, |item| item.0).await.unwrap();
        assert_eq!(page.items.len(), 5);
        assert_eq!(page.next, Some(4));
    }

    #[tokio::test]
    async fn all_pages_of_a_list_are_its_items_in_order_and_a_page_that_fails_is_told() {
        let page = |after: Option<u32>| {
            let from = after.map_or(0, |after| after + 1);
            let items: Vec<u32> = (from..(from + 3).min(8)).collect();
            Page { next: items.last().copied().filter(|last| *last < 7), items }
        };
        let whole = all_pages(async |after| Ok::<_, ()>(page(after))).await.unwrap();
        assert_eq!(whole, (0..8).collect::<Vec<_>>());
        let broken = all_pages(async |after| if after == Some(2) { Err("away") } else { Ok(page(after)) }).await;
        assert_eq!(broken, Err("away"));
    }

    #[tokio::test]
    async fn the_last_page_has_no_next() {
        let page = page_within(stream::iter([Ok::<_, ()>(1), Ok(2)]), |n| *n).await.unwrap();
        assert_eq!((page.items.len(), page.next), (2, None));
    }
}
