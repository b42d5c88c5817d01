use std::{collections::VecDeque, sync::Arc, sync::atomic::Ordering, time::Duration};

use contracts::{Code, Millis, ProjectId, TaskId, WindowId};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    client::{ApiClient, As, Reply},
    ledger::{Attempt, Ledger, Sent, Serial, Word, now},
    pace::Pace,
    people::{Person, Works},
    rng::Rng,
};

/// The start of an employee's first old window: 2015-01-01 UTC, in milliseconds since 1970. Old
/// windows follow each other and do not overlap. All other windows are of the last 90 seconds by
/// the computer's clock.
const LONG_AGO: i64 = 1_420_070_400_000;
const DAY: i64 = 86_400_000;
/// The length of an old window, ten minutes in milliseconds, and the number of old windows that are
/// sent for each day. A day would hold three times as many.
const LENGTH: i64 = 600_000;
const A_DAY: i64 = 48;
/// The pause of an employee whose token is refused.
const REFUSED: Duration = Duration::from_millis(500);
/// The age, in milliseconds, at which a window is sent once more. Streams detect duplicate message
/// ids for two minutes only, so a stream takes this repetition for a new message.
const LATER: i64 = 125_000;

/// The desktop app of one employee, which sends windows.
pub(crate) struct Tracker {
    pub(crate) person: Arc<Person>,
    pub(crate) client: ApiClient,
    pub(crate) ledger: Ledger,
    pub(crate) pace: Pace,
    /// The projects and tasks for which the employee sends windows. For a steady employee they
    /// never change.
    pub(crate) works: Works,
    pub(crate) rng: Rng,
    /// The windows that will be sent once more, and since when each of them waits.
    pub(crate) later: VecDeque<(Millis, Serial)>,
}

impl Tracker {
    /// Sends windows until the campaign ends.
    pub(crate) async fn run(mut self) {
        loop {
            let many = match self.rng.below(10) {
                0..5 => 1,
                5..8 => self.rng.between(5, 40),
                _ => self.rng.between(40, 160),
            };
            if !self.pace.turn(many).await {
                break;
            }
            let mut serials: Vec<Serial> = (0..many).filter_map(|_| self.next()).collect();
            if self.rng.percent(10) {
                serials.extend(self.due());
            }
            if serials.is_empty() {
                sleep(Duration::from_millis(50)).await;
                continue;
            }
            self.send(&serials).await;
            if matches!(self.last_word(serials[0]), None | Some(Word::NoToken)) {
                // The employee is deactivated. If these refused windows counted, such employees
                // would send most windows of the campaign.
                self.pace.take_back(many);
                sleep(REFUSED).await;
                continue;
            }
            self.send_again(&serials).await;
        }
    }

    /// Sends one of five windows again, and half of those without a definite answer. One of ten of
    /// these is sent again only after [`LATER`].
    async fn send_again(&mut self, serials: &[Serial]) {
        let mut again = Vec::new();
        for serial in serials {
            let is_unknown = matches!(self.last_word(*serial), Some(Word::Unknown(_)));
            if self.rng.percent(if is_unknown { 50 } else { 20 }) {
                match self.rng.percent(10) {
                    true => self.later.push_back((now(), *serial)),
                    false => again.push(*serial),
                }
            }
        }
        if !again.is_empty() {
            self.send(&again).await;
        }
    }

    fn last_word(&self, serial: Serial) -> Option<Word> {
        Some(self.ledger.book().windows.get(serial as usize)?.attempts.last()?.word.clone())
    }

    /// Returns at most 100 windows that have waited for [`LATER`] and are sent again now.
    fn due(&mut self) -> Vec<Serial> {
        let old = now() - LATER;
        let many = self.later.iter().take_while(|(at, _)| *at < old).count().min(100);
        self.later.drain(..many).map(|(_, serial)| serial).collect()
    }

    /// Makes the next window, and records it in the ledger before it is sent.
    fn next(&mut self) -> Option<Serial> {
        let (project, task) = self.rng.one_of(&self.works.all())?;
        // The reports that are checked cover old windows only, so steady employees send no others.
        let (start, end) = match !self.person.is_steady && self.rng.percent(40) {
            true => self.just_now(),
            false => self.long_ago(),
        };
        // Some windows have no id, like those of present desktop apps. One of a hundred has the id
        // of an earlier window, unless the employee is steady.
        let id = match self.rng.below(100) {
            0 if !self.person.is_steady => self.taken_id().or_else(|| Some(self.new_id())),
            1..20 => None,
            _ => Some(self.new_id()),
        };
        Some(self.begin(id, start, end, project, task))
    }

    fn begin(&self, id: Option<WindowId>, start: Millis, end: Millis, project: ProjectId, task: TaskId) -> Serial {
        self.person.sent.fetch_add(end - start, Ordering::SeqCst);
        let (attempts, voids) = (Vec::new(), Vec::new());
        let employee = self.person.id;
        self.ledger.book().begin(Sent { employee, id, start, end, project, task, attempts, voids })
    }

    fn new_id(&mut self) -> WindowId {
        let half = |rng: &mut Rng| u128::from(rng.between(0, u64::MAX));
        let random = half(&mut self.rng) << 64 | half(&mut self.rng);
        // The time is mixed into the random number, so that two runs with the same seed do not
        // generate the same ids.
        WindowId(Uuid::from_u128(random ^ u128::from(now().0 as u64)))
    }

    /// Returns the id of an earlier window of this employee.
    fn taken_id(&mut self) -> Option<WindowId> {
        let book = self.ledger.book();
        let mine = book.by_employee.get(&self.person.id)?;
        let serial = self.rng.one_of(mine)?;
        book.windows.get(serial as usize)?.id
    }

    /// Returns the start and end of the next old window. Old windows do not overlap.
    fn long_ago(&self) -> (Millis, Millis) {
        let n = self.person.next_past() as i64;
        let start = Millis(LONG_AGO + n / A_DAY * DAY + n % A_DAY * LENGTH);
        (start, start + LENGTH)
    }

    /// Returns the start and end of a window in the last 90 seconds, in which assignments may have
    /// changed. Such windows may overlap.
    fn just_now(&mut self) -> (Millis, Millis) {
        let back = self.rng.between(200, 90_000) as i64;
        let start = now() + self.pace.off() - back;
        (start, start + 1 + self.rng.between(0, back as u64) as i64)
    }

    async fn send(&self, serials: &[Serial]) {
        let Some(token) = self.person.token() else { return };
        let windows: Vec<Value> = serials.iter().filter_map(|serial| self.json(*serial)).collect();
        let sent = now();
        let (path, body) = match &windows[..] {
            [window] => ("/api/v1/time-entries", window.clone()),
            _ => ("/api/v1/time-entries/batch", json!({ "windows": windows })),
        };
        let reply = self.client.call(Method::POST, path, As::Employee(&token), Some(&body)).await;
        let answered = now();
        let words = words(&reply, serials.len());
        let mut book = self.ledger.book();
        for (serial, word) in serials.iter().zip(words) {
            let known = book.windows.get(*serial as usize);
            let first_time = known.is_some_and(|sent| !sent.attempts.iter().any(|one| one.word.is_recorded()));
            let length = known.map_or(0, |sent| sent.end - sent.start);
            if word.is_recorded() && first_time {
                self.person.recorded.fetch_add(length, Ordering::SeqCst);
            }
            book.note(*serial, Attempt { sent, answered, word });
        }
    }

    fn json(&self, serial: Serial) -> Option<Value> {
        let book = self.ledger.book();
        let Sent { id, start, end, project, task, .. } = book.windows.get(serial as usize)?;
        let mut window = json!({
            "start": start, "end": end, "timezoneOffset": 3_600_000, "projectId": project, "taskId": task,
            "note": serial.to_string(), "computer": "chaos-pc", "user": "chaos", "os": "linux", "osVersion": "6.1",
            "hwid": "0f1e2d3c4b5a",
        });
        if let Some(id) = id {
            window["id"] = json!(id);
        }
        Some(window)
    }
}

/// Returns what an answer says about each of `count` windows.
fn words(reply: &Reply, count: usize) -> Vec<Word> {
    let code = |of: &Value| serde_json::from_value::<Code>(of["code"].clone()).ok();
    if let Some(items) = reply.body["items"].as_array().filter(|items| items.len() == count) {
        let word = |item: &Value| match item["status"].as_str() {
            Some("stored") => Word::Stored,
            Some("duplicate") => Word::Duplicate,
            Some("queued") => Word::Queued,
            Some("rejected" | "conflict") => Word::Refused(code(item)),
            _ => Word::Unknown(item.to_string()),
        };
        return items.iter().map(word).collect();
    }
    let word = match reply.status {
        201 if count == 1 => Word::Stored,
        200 if count == 1 => Word::Duplicate,
        202 if count == 1 => Word::Queued,
        400 | 409 | 413 | 422 => Word::Refused(code(&reply.body)),
        401 | 403 => Word::NoToken,
        _ => Word::Unknown(reply.words()),
    };
    vec![word; count]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_a_batch_says_something_of_each_window() {
        let items = json!({ "items": [{ "status": "stored" }, { "status": "rejected", "code": "not_on_task" }] });
        let said = words(&Reply { status: 200, body: items }, 2);
        assert_eq!(said, [Word::Stored, Word::Refused(Some(Code::NotOnTask))]);
        let said = words(&Reply { status: 503, body: Value::Null }, 2);
        assert!(said.iter().all(|word| matches!(word, Word::Unknown(_))), "{said:?}");
    }
}
