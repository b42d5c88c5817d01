//! A random history of two people's time, which is recorded, approved, locked, paid, corrected and
//! admitted late. The same seed gives the same history.

use std::collections::BTreeMap;

use contracts::EmployeeId;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    api::{Person, Response},
    fixture::{Fixture, HOUR, MINUTE, WINDOWS, id},
};

/// The time zone of the organisation at the beginning.
pub const ZONE: &str = "Europe/Berlin";
/// A day without a change of the clocks, in milliseconds.
pub const DAY: i64 = 24 * HOUR;

/// A random number generator that gives the same numbers for the same seed.
pub struct Rng(u64);

impl Rng {
    pub fn up_to(&mut self, most: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % most as u64) as i64
    }
}

/// A window that was posted.
#[derive(Clone)]
pub struct Posted {
    id: String,
    body: Value,
    /// The start and end of the window, after corrections.
    pub range: (i64, i64),
}

impl Posted {
    fn overlaps(&self, (start, end): (i64, i64)) -> bool {
        self.range.0 < end && self.range.1 > start
    }
}

/// Two people who work on two projects for a little more than two weeks. The second week has a day
/// of 25 hours and a change of rates, and many windows overlap.
pub struct History {
    pub fixture: Fixture,
    pub people: Vec<Person>,
    /// The id of each project and of its task.
    pub projects: Vec<(String, String)>,
    pub rng: Rng,
    /// The starts of the three weeks and the end of the last one, in milliseconds since 1970.
    pub edges: [i64; 4],
    /// The posted windows of each employee, without those that were voided or discarded.
    pub worked: BTreeMap<EmployeeId, Vec<Posted>>,
    /// The windows that were discarded, and who has posted each of them.
    discarded: Vec<(Person, Posted)>,
    /// The approved periods by id, as the API answered their approval.
    pub approved: BTreeMap<String, Value>,
    /// How often each step of the history was made.
    pub done: BTreeMap<&'static str, usize>,
}

impl History {
    pub async fn begin(seed: u64) -> Self {
        let fixture = Fixture::start().await;
        let system = &fixture.system;
        let settings = json!({ "timezone": ZONE, "payPeriod": "week", "anchor": "2026-01-05", "weekStart": "monday" });
        system.put("/api/v1/settings", settings).await;
        let mut people = vec![fixture.ann.clone()];
        people.push(system.new_employee("Bea", "bea@example.org").await);
        let on = json!({ "employees": people.iter().map(|person| person.id).collect::<Vec<_>>() });
        system.put(&fixture.project_path(), on.clone()).await;
        system.put(&fixture.task_path(), on.clone()).await;
        let other = system.create_project(on.clone()).await;
        let task = system.create_task(json!({ "projectId": other["id"], "employees": on["employees"] })).await;
        let projects = vec![(fixture.project.clone(), fixture.task.clone()), (id(&other), id(&task))];
        for (kind, amount, day) in
            [("pay", 17.77, "2025-01-01"), ("pay", 23.31, "2025-10-22"), ("bill", 33.33, "2025-10-29")]
        {
            let scope = json!({ "project": fixture.project });
            let rate = json!({ "scope": scope, "kind": kind, "amount": amount, "validFrom": day });
            system.admin("POST", "/api/v1/rate", rate).await.expect(201);
        }
        let first = system.get(&format!("/api/v1/period/{}_2025-10-13", fixture.ann.id)).await;
        let start = first["start"].as_i64().unwrap();
        let edges = [start, start + 7 * DAY, start + 14 * DAY + HOUR, start + 21 * DAY + HOUR];
        Self {
            fixture,
            people,
            projects,
            rng: Rng(seed),
            edges,
            worked: BTreeMap::new(),
            discarded: Vec::new(),
            approved: BTreeMap::new(),
            done: BTreeMap::new(),
        }
    }

    fn did(&mut self, step: &'static str) {
        *self.done.entry(step).or_default() += 1;
    }

    fn somebody(&mut self) -> Person {
        let n = self.rng.up_to(self.people.len() as i64);
        self.people[n as usize].clone()
    }

    pub async fn admin(&self, method: &str, path: &str, body: Value) -> Response {
        self.fixture.system.admin(method, path, body).await
    }

    /// Posts a window of somebody at a random time.
    pub async fn record(&mut self) {
        let person = self.somebody();
        let start = self.edges[0] - HOUR + self.rng.up_to(15 * DAY);
        let end = start + MINUTE + self.rng.up_to(15 * HOUR);
        self.post(person, start, end).await;
    }

    async fn post(&mut self, person: Person, start: i64, end: i64) {
        let mut window = self.fixture.window(start, end);
        window["hwid"] = json!(format!("computer {}", self.rng.up_to(3)));
        let (project, task) = self.projects[self.rng.up_to(2) as usize].clone();
        (window["projectId"], window["taskId"]) = (json!(project), json!(task));
        let all = self.worked.get(&person.id).cloned().unwrap_or_default();
        let takes_another_s = self.rng.up_to(8) == 0 && !all.is_empty();
        if takes_another_s {
            let other = &all[self.rng.up_to(all.len() as i64) as usize];
            window["id"] = json!(other.id);
        }
        let range = (window["start"].as_i64().unwrap(), window["end"].as_i64().unwrap());
        let answer = self.fixture.system.employee(&person.token, "POST", WINDOWS, window.clone()).await;
        assert!(matches!(answer.status, 201 | 202) || takes_another_s && answer.status == 409, "{}", answer.text);
        let id = if takes_another_s { window["id"].as_str().unwrap().to_owned() } else { id(&answer.body) };
        window["id"] = json!(id);
        self.worked.entry(person.id).or_default().push(Posted { id, body: window, range });
        self.did(if takes_another_s { "take the id of another" } else { "record" });
    }

    /// Posts a window again that was posted before and not voided.
    pub async fn send_again(&mut self) {
        let person = self.somebody();
        let all: Vec<Posted> = self.worked.get(&person.id).into_iter().flatten().cloned().collect();
        let mut again: Vec<(Person, Posted)> = self.discarded.clone();
        again.extend(all.into_iter().map(|posted| (person.clone(), posted)));
        if again.is_empty() {
            return;
        }
        let (person, posted) = again.swap_remove(self.rng.up_to(again.len() as i64) as usize);
        let answer = self.fixture.system.employee(&person.token, "POST", WINDOWS, posted.body).await;
        assert!(matches!(answer.status, 200..=202 | 400 | 409), "{}", answer.text);
        self.did("send again");
    }

    /// Returns a random posted window of somebody, whose id no other posted window has. No
    /// adjustment overlaps it, not even if it became three hours longer: the time of an adjustment
    /// is fixed when the adjustment is made, so the sums that the test expects would be wrong after
    /// a change of a window that overlaps it.
    async fn recorded(&mut self) -> Option<(EmployeeId, Posted)> {
        let person = self.somebody().id;
        let all = self.worked.get(&person).cloned().unwrap_or_default();
        let late = self.fixture.system.get("/api/v1/adjustment?start=0&end=9000000000000").await;
        let is_late = |posted: &Posted| {
            late.as_array().unwrap().iter().any(|one| one["start"] == posted.range.0 && one["end"] == posted.range.1)
        };
        let is_free = |chosen: &&Posted| {
            let same_id = all.iter().filter(|other| other.id == chosen.id).count();
            let longest = (chosen.range.0, chosen.range.1 + 3 * HOUR);
            same_id == 1 && !all.iter().any(|other| other.overlaps(longest) && is_late(other))
        };
        let free: Vec<&Posted> = all.iter().filter(is_free).collect();
        let chosen = free.get(self.rng.up_to(free.len().max(1) as i64) as usize)?;
        Some((person, (*chosen).clone()))
    }

    /// Corrects the end of a window. A settled window is not changed.
    pub async fn correct(&mut self) {
        let Some((person, window)) = self.recorded().await else { return };
        let (start, end) = window.range;
        let end = start + 1 + self.rng.up_to(end - start + 3 * HOUR);
        let path = format!("{WINDOWS}/{}", window.id);
        let answer = self.admin("PATCH", &path, json!({ "end": end })).await;
        match answer.status {
            200 => {
                for posted in self.worked.entry(person).or_default() {
                    if posted.id == window.id {
                        posted.range = (start, end);
                    }
                }
                self.did("correct");
            }
            // The window is settled, quarantined or an adjustment. Such a window cannot be changed.
            status => assert!(matches!(status, 404 | 409), "{}", answer.text),
        }
    }

    /// Voids a window. A settled window is not changed.
    pub async fn void(&mut self) {
        let Some((person, window)) = self.recorded().await else { return };
        let answer = self.admin("DELETE", &format!("{WINDOWS}/{}", window.id), Value::Null).await;
        match answer.status {
            204 => {
                self.worked.entry(person).or_default().retain(|posted| posted.id != window.id);
                self.did("void");
            }
            status => assert!(matches!(status, 404 | 409), "{}", answer.text),
        }
    }

    /// Changes the length and the anchor of the pay periods, and the time zone, all from now on.
    pub async fn change_the_calendar(&mut self) {
        let zone = ["Europe/Berlin", "America/New_York", "UTC", "Asia/Kathmandu"][self.rng.up_to(4) as usize];
        let length = ["week", "biweek", "month"][self.rng.up_to(3) as usize];
        let anchor = format!("2026-01-{:02}", 1 + self.rng.up_to(28));
        let settings = json!({ "timezone": zone, "payPeriod": length, "anchor": anchor, "weekStart": "monday" });
        self.fixture.system.put("/api/v1/settings", settings).await;
        self.did("change the calendar");
    }

    /// Approves somebody's period: that of one of the three weeks, or the present one.
    pub async fn approve(&mut self) {
        let (person, week) = (self.somebody().id, self.rng.up_to(4));
        let now = self.fixture.system.harness.clock.now().0;
        let at = self.edges.get(week as usize).copied().filter(|_| week < 3).unwrap_or(now);
        let query = format!("start={at}&end={}&employeeId={person}", at + 1);
        let period = self.fixture.system.get(&format!("/api/v1/period?{query}")).await;
        self.approve_this(&id(&period[0])).await;
        self.did("approve");
    }

    pub async fn approve_this(&mut self, period: &str) {
        let approved = self.fixture.approve_now(&format!("/api/v1/period/{period}")).await;
        self.approved.entry(id(&approved)).or_insert(approved);
    }

    /// Reopens an unpaid period or a lock, and waits until the windows that were quarantined
    /// because of it are recorded.
    pub async fn reopen(&mut self) {
        let mut body = json!({ "reason": "A sheet was found." });
        let known: Vec<String> = self.approved.keys().cloned().collect();
        let chosen = self.rng.up_to(known.len() as i64 + 2) as usize;
        let Some(period) = known.get(chosen) else {
            if chosen > known.len() {
                body["projectId"] = json!(self.projects[self.rng.up_to(2) as usize].0);
            }
            let answer = self.admin("POST", "/api/v1/lock/reopen", body).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            self.did("reopen a lock");
            return self.until_none_waits().await;
        };
        let answer = self.admin("POST", &format!("/api/v1/period/{period}/reopen"), body).await;
        match answer.status {
            200 => {
                self.approved.remove(period);
                self.did("reopen");
            }
            _ => assert_eq!(answer.refused(409), "period_paid"),
        }
        self.until_none_waits().await;
    }

    /// Reopens the unpaid periods that an adjustment overlaps, and posts a window that overlaps the
    /// adjustment. The time that the adjustment counts must not count again.
    pub async fn record_beside(&mut self) {
        let late = self.fixture.system.get("/api/v1/adjustment?start=0&end=9000000000000").await;
        let late = late.as_array().unwrap();
        if late.is_empty() {
            return;
        }
        let one = &late[self.rng.up_to(late.len() as i64) as usize];
        let (start, end) = (one["start"].as_i64().unwrap(), one["end"].as_i64().unwrap());
        let holds = |period: &&Value| {
            let (from, until) = (period["start"].as_i64().unwrap(), period["end"].as_i64().unwrap());
            period["employeeId"] == one["employeeId"] && from < end && start < until
        };
        let periods: Vec<String> = self.approved.values().filter(holds).map(id).collect();
        for period in periods {
            let body = json!({ "reason": "A sheet was found." });
            if self.admin("POST", &format!("/api/v1/period/{period}/reopen"), body).await.status == 200 {
                self.approved.remove(&period);
            }
        }
        self.until_none_waits().await;
        let person = self.people.iter().find(|person| json!(person.id) == one["employeeId"]).unwrap().clone();
        let from = start + self.rng.up_to((end - start) / 2 + 1);
        // The API refuses windows that are longer than a day.
        let until = (end + self.rng.up_to(2 * HOUR)).min(from + 20 * HOUR);
        self.post(person, from, until).await;
    }

    pub async fn until_none_waits(&self) {
        eventually("what was let in is recorded, or held for another reason", async || {
            let held = self.fixture.system.get("/api/v1/quarantine").await;
            held.as_array().unwrap().iter().all(|held| held["waiting"] != true).then_some(())
        })
        .await;
    }

    pub async fn lock(&mut self) {
        let until = self.edges[0] + self.rng.up_to(12 * DAY);
        let lock = match self.rng.up_to(3) {
            0 => json!({ "lockedUntil": until }),
            n => json!({ "lockedUntil": until + 2 * DAY, "projectId": self.projects[n as usize - 1].0 }),
        };
        let answer = self.admin("PUT", "/api/v1/lock", lock).await;
        assert!(matches!(answer.status, 200 | 409), "{}", answer.text);
        self.did("lock");
    }

    pub async fn pay(&mut self) {
        let around = 40 * DAY * self.rng.up_to(2);
        let range = json!({ "start": self.edges[0] - around, "end": self.edges[1] + around });
        let answer = self.admin("POST", "/api/v1/pay-run", range).await;
        assert!(matches!(answer.status, 200 | 201 | 409), "{}", answer.text);
        self.did("pay");
    }

    /// Admits all quarantined windows. Those that would take time from a locked project are
    /// refused.
    pub async fn admit(&mut self) {
        for held in self.fixture.system.get("/api/v1/quarantine").await.as_array().unwrap() {
            let path = format!("/api/v1/quarantine/{}/admit?content={}", id(held), held["content"].as_str().unwrap());
            let answer = self.admin("POST", &path, Value::Null).await;
            match answer.status {
                200 => self.did("admit"),
                _ => {
                    assert_eq!(answer.refused(409), "period_locked");
                    self.did("admit later");
                }
            }
        }
    }

    /// Discards a random quarantined window.
    pub async fn discard(&mut self) {
        let all = self.fixture.system.get("/api/v1/quarantine").await;
        let all = all.as_array().unwrap();
        if all.is_empty() {
            return;
        }
        let held = &all[self.rng.up_to(all.len() as i64) as usize];
        let path = format!("/api/v1/quarantine/{}/discard?content={}", id(held), held["content"].as_str().unwrap());
        let answer = self.admin("POST", &path, Value::Null).await;
        assert_eq!(answer.status, 204, "{}", answer.text);
        let employee = held["employeeId"].as_str().unwrap().parse().unwrap();
        let person = self.people.iter().find(|person| person.id == employee).unwrap().clone();
        let of_one = self.worked.entry(employee).or_default();
        let is_it = |posted: &Posted| posted.id == id(held) && held["window"]["start"] == posted.range.0;
        let at = of_one.iter().position(is_it).unwrap_or_else(|| panic!("nobody has posted {held}"));
        self.discarded.push((person, of_one.remove(at)));
        self.did("discard");
    }
}
