//! The requests of the gateway to services, read from the metrics of the gateway.

use std::{collections::BTreeMap, fmt};

/// The names of the sum and the count in the histogram of the gateway's requests to services.
const SUM: &str = "rpc_client_call_duration_seconds_sum{";
const COUNT: &str = "rpc_client_call_duration_seconds_count{";

/// How often each request was sent, and how many seconds its answers took in total.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked(BTreeMap<String, Calls>);

#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    count: f64,
    seconds: f64,
}

impl Asked {
    /// Reads the requests from metrics in the text format of Prometheus.
    pub(crate) fn read(metrics: &str) -> Self {
        let mut asked = Self::default();
        for line in metrics.lines() {
            let (rest, is_count) = match (line.strip_prefix(COUNT), line.strip_prefix(SUM)) {
                (Some(rest), _) => (rest, true),
                (_, Some(rest)) => (rest, false),
                _ => continue,
            };
            let Some((labels, value)) = rest.rsplit_once("} ") else { continue };
            let method = labels.split("rpc_method=\"").nth(1).and_then(|rest| rest.split('"').next());
            let calls = asked.0.entry(method.unwrap_or_default().to_owned()).or_default();
            let value: f64 = value.parse().unwrap_or_default();
            *(if is_count { &mut calls.count } else { &mut calls.seconds }) += value;
        }
        asked
    }

    /// Returns the requests that were sent since an earlier reading.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let more = self.0.iter().map(|(method, now)| {
            let then = before.0.get(method).copied().unwrap_or_default();
            (method.clone(), Calls { count: now.count - then.count, seconds: now.seconds - then.seconds })
        });
        Self(more.filter(|(_, calls)| calls.count > 0.0).collect())
    }
}

/// Prints for each request its number and the mean time of its answers, in milliseconds.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (method, Calls { count, seconds })) in self.0.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}{method} {count} × {:.2} ms", seconds * 1_000.0 / count)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_one_method_are_added_up_and_those_of_before_taken_off() {
        let of = |ok: u32, seconds: &str| {
            format!(
                "{COUNT}rpc_service=\"directory\",rpc_method=\"GetOne\",rpc_response_status_code=\"ok\"}} {ok}\n\
                 {COUNT}rpc_service=\"directory\",rpc_method=\"GetOne\",rpc_response_status_code=\"timeout\"}} 1\n\
                 {SUM}rpc_service=\"directory\",rpc_method=\"GetOne\",rpc_response_status_code=\"ok\"}} {seconds}\n\
                 something_else{{rpc_method=\"GetOne\"}} 7\n"
            )
        };
        let (before, after) = (Asked::read(&of(3, "0.5")), Asked::read(&of(7, "0.508")));
        assert_eq!(after.to_string(), "GetOne 8 × 63.50 ms");
        assert_eq!(after.since(&before).to_string(), "GetOne 4 × 2.00 ms");
        assert_eq!(after.since(&after).to_string(), "");
    }
}
