use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result};
use bench::senders::Senders;
use contracts::WindowId;
use reqwest::{Response, StatusCode, header};
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::{
    Options,
    answers::{Answers, Word},
    gateways::OpenGateways,
    system::System,
};

/// The number of windows in a batch.
const TOGETHER: usize = 100;

/// A load generator that sends windows until [`Load::end`].
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    sending: JoinSet<Result<Answers>>,
}

/// One connection of the load generator.
struct Sender {
    number: usize,
    /// The number of windows in a request. With 1, the path for single windows is used.
    together: usize,
    senders: Arc<Senders>,
    gateways: OpenGateways,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Batch {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    status: String,
}

impl Load {
    pub(crate) fn start(system: &System, options: &Options) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut sending = JoinSet::new();
        let kinds = [(options.singles, 1), (options.batches, TOGETHER)];
        let together = kinds.into_iter().flat_map(|(count, together)| std::iter::repeat_n(together, count));
        for (number, together) in together.enumerate() {
            let (senders, gateways) = (system.senders.clone(), system.gateways.clone());
            let stop = stop.clone();
            sending.spawn(async move {
                let http = reqwest::Client::builder().no_proxy().build()?;
                let sender = Sender { number, together, senders, gateways, http };
                let mut answers = Answers::default();
                while !stop.load(Ordering::Relaxed) {
                    sender.send(&mut answers).await?;
                }
                Ok(answers)
            });
        }
        Self { stop, sending }
    }

    /// Stops sending after the open requests are answered, and returns all answers.
    pub(crate) async fn end(mut self) -> Result<Answers> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Answers::default();
        while let Some(answers) = self.sending.join_next().await {
            all.add(answers??);
        }
        Ok(all)
    }
}

impl Sender {
    async fn send(&self, answers: &mut Answers) -> Result<()> {
        let sender = self.senders.sender(self.number);
        let (ids, windows): (Vec<WindowId>, Vec<String>) =
            (0..self.together).map(|_| self.senders.window_with_id(sender)).unzip();
        let (path, body) = match &windows[..] {
            [window] => ("/api/v1/time-entries", window.clone()),
            many => ("/api/v1/time-entries/batch", format!(r#"{{"windows":[{}]}}"#, many.join(","))),
        };
        let base = self.gateways.pick(self.number).context("no gateway is open")?;
        let request = self.http.post(format!("{base}{path}")).header(header::AUTHORIZATION, &sender.authorization);
        let sent = Instant::now();
        let answer = request.header(header::CONTENT_TYPE, "application/json").body(body).send().await;
        let words = match answer {
            Ok(answer) => {
                answers.took(sent.elapsed(), answer.status().as_u16());
                words(answer, ids.len(), &mut answers.faults).await?
            }
            Err(error) => {
                answers.faults.push(format!("no answer: {:#}", anyhow::Error::from(error)));
                vec![Word::NotTaken; ids.len()]
            }
        };
        answers.words.extend(ids.into_iter().zip(words));
        Ok(())
    }
}

/// Returns what an answer says about each of `count` windows. An answer that the API does not allow
/// is recorded as a fault.
async fn words(answer: Response, count: usize, faults: &mut Vec<String>) -> Result<Vec<Word>> {
    let status = answer.status();
    let comes_again = answer.headers().contains_key(header::RETRY_AFTER);
    let body = answer.bytes().await.context("an answer that breaks off")?;
    if let Ok(batch) = serde_json::from_slice::<Batch>(&body) {
        let word = |item: &Item| match item.status.as_str() {
            "stored" | "duplicate" => Some(Word::Stored),
            "queued" => Some(Word::Queued),
            _ => None,
        };
        let words: Vec<Word> = batch.items.iter().filter_map(word).collect();
        if words.len() == count {
            return Ok(words);
        }
    }
    let word = match status {
        StatusCode::OK | StatusCode::CREATED if count == 1 => Word::Stored,
        StatusCode::ACCEPTED if count == 1 => Word::Queued,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE if comes_again => Word::NotTaken,
        _ => {
            faults.push(format!("{status}: {}", String::from_utf8_lossy(&body)));
            Word::NotTaken
        }
    };
    Ok(vec![word; count])
}
