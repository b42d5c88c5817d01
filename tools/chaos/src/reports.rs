use std::time::Duration;

use anyhow::{Result, bail};
use reqwest::StatusCode;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use crate::town::Town;

/// Reports are back once they are answered for so long without a refusal.
const CALM: Duration = Duration::from_secs(8);
/// They must be back by then.
const BOUND: Duration = Duration::from_secs(180);
/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks for a report again and again, while something breaks.
pub(crate) struct Reports {
    began: Instant,
    /// When the last refusal came.
    asking: JoinHandle<Result<(Option<Duration>, usize)>>,
}

impl Reports {
    pub(crate) fn ask(town: &Town) -> Self {
        let url = format!("{}/api/v1/analytics/project-time?start=1700000000000&end=1900000000000", town.fleet.base);
        let began = Instant::now();
        let asking = tokio::spawn(async move {
            let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
            let (mut last, mut refused) = (None, 0);
            while began.elapsed() < BOUND {
                let question = http.get(&url);
                let answer = question.header("X-API-Key", bench::fleet::ADMIN_KEY).send().await;
                if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                    let calm_since = last.unwrap_or_default();
                    if began.elapsed() > calm_since + CALM {
                        return Ok((last, refused));
                    }
                } else {
                    (last, refused) = (Some(began.elapsed()), refused + 1);
                }
                sleep(PAUSE).await;
            }
            bail!("reports are not back after {} s", BOUND.as_secs())
        });
        Self { began, asking }
    }

    pub(crate) async fn until_back(self, what: &str) -> Result<()> {
        let broken = self.began.elapsed().as_secs_f64();
        let (last, refused) = self.asking.await??;
        let last = last.unwrap_or_default().as_secs_f64();
        eprintln!("{what} (which took {broken:.1} s): reports are back after {last:.1} s, {refused} were refused");
        Ok(())
    }
}
