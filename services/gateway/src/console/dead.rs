//! A section about dead messages, which a service could not process: for which service, for which
//! reason, how many and since when.

use std::collections::BTreeMap;

use contracts::Failure;
use maud::{Markup, html};

use super::visitor::Visitor;

/// The dead messages, as far as the gateway could read them from the stream DEAD.
#[derive(Debug)]
pub(super) struct Dead {
    /// The number of dead messages; `None` if the stream cannot be read.
    count: Option<u64>,
    /// The oldest messages, grouped by consumer and reason.
    groups: BTreeMap<(String, String), Group>,
    /// The number of messages that were read, which is the sum of the groups' counts.
    looked_at: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct Group {
    count: u64,
    /// When the first message of the group was moved to DEAD (RFC 3339).
    since: String,
}

/// Reads the dead messages. If they cannot be read, the page is still shown.
pub(super) async fn found(visitor: &Visitor) -> Result<Dead, Failure> {
    Ok(match kit::all_dead(&visitor.app.bus).await {
        Ok((count, oldest)) => Dead::of(count, oldest.into_iter().map(|dead| (dead.consumer, dead.reason, dead.at))),
        Err(error) => {
            tracing::warn!(%error, "what has died cannot be looked up");
            Dead { count: None, groups: BTreeMap::new(), looked_at: 0 }
        }
    })
}

impl Dead {
    fn of(count: u64, oldest: impl Iterator<Item = (String, String, String)>) -> Self {
        let (mut groups, mut looked_at) = (BTreeMap::new(), 0);
        for (consumer, reason, at) in oldest {
            // The messages are read from the oldest to the newest, so the first message of a group
            // is its oldest.
            groups.entry((consumer, reason)).or_insert(Group { count: 0, since: at }).count += 1;
            looked_at += 1;
        }
        Self { count: Some(count), groups, looked_at }
    }

    /// Whether there are no dead messages.
    pub(super) fn is_calm(&self) -> bool {
        self.count == Some(0)
    }

    /// The section of the page.
    pub(super) fn shown(&self, visitor: &Visitor) -> Markup {
        let Some(count) = self.count else {
            return html! { section {
                h2 { "Dead messages" }
                p.error { "Whether there are any cannot be told at the moment. Load this page again in a few seconds." }
            } };
        };
        html! {
            @if count > 0 {
                section {
                    h2 { "Dead messages (" (visitor.reader.count(usize::try_from(count).unwrap_or(usize::MAX))) ")" }
                    p { "A service could not take them, so what they say is not done: hours may be missing from sums, or a mail may not have gone out. Nothing is lost." }
                    div.wide tabindex="0" role="region" aria-label="Dead messages" { table {
                        thead { tr {
                            th scope="col" { "Service" } th scope="col" { "Reason" } th.number scope="col" { "How many" } th scope="col" { "Since" }
                        } }
                        tbody { @for ((consumer, reason), group) in &self.groups { tr {
                            th.text scope="row" { (service(consumer)) }
                            td.text { (reason) }
                            td.number { (group.count) }
                            td { (since(visitor, &group.since)) }
                        } } }
                    } }
                    @if self.looked_at < count { p.hint { "These are the oldest " (self.looked_at) "." } }
                    p { "Whoever runs this looks at them with " code { "timetrack dead list" } ", mends the cause, and has them taken again with " code { "timetrack dead replay" } "." }
                }
            }
        }
    }
}

/// The name of the consumer: the last part of `dead.<stream>.<consumer>`.
fn service(consumer: &str) -> &str {
    consumer.rsplit('.').next().unwrap_or(consumer)
}

fn since(visitor: &Visitor, at: &str) -> String {
    match at.parse::<jiff::Timestamp>() {
        Ok(at) => visitor.reader.moment(contracts::Millis(at.as_millisecond())),
        Err(_) => at.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_died_of_the_same_is_told_once_with_when_that_began() {
        let dead = |consumer: &str, reason: &str, at: &str| {
            (format!("dead.events.{consumer}"), reason.to_owned(), at.to_owned())
        };
        let oldest =
            [dead("analytics", "no JSON", "1"), dead("mailer", "no JSON", "2"), dead("analytics", "no JSON", "3")];
        let told = Dead::of(200, oldest.into_iter());
        let groups: Vec<_> =
            told.groups.iter().map(|((who, _), group)| (service(who), group.count, &*group.since)).collect();
        assert_eq!(groups, [("analytics", 2, "1"), ("mailer", 1, "2")]);
        assert_eq!((told.looked_at, told.is_calm()), (3, false));
        assert!(Dead::of(0, [].into_iter()).is_calm());
    }
}
