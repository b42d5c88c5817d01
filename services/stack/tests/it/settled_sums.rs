//! What time comes out at, whatever was recorded, approved, locked, paid, corrected and admitted late, in whatever
//! order: the sums of periods are those of analytics, and what came late stands beside them.

use std::collections::{BTreeMap, BTreeSet};

use contracts::EmployeeId;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    api::{Person, Response},
    office::{HOUR, MINUTE, Office, WINDOWS, id},
};

const ZONE: &str = "Europe/Berlin";
const DAY: i64 = 24 * HOUR;

/// Numbers that look like chance, and are the same each time.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, most: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % most as u64) as i64
    }
}

/// Two people who work for little more than two weeks, of which the second has a day of 25 hours and a rate that
/// changes, so much that their windows overlap.
struct History {
    office: Office,
    people: Vec<Person>,
    dice: Dice,
    /// The first moments of the weeks, and the end of the last.
    edges: [i64; 4],
    /// What of everybody was posted and not taken back.
    worked: BTreeMap<EmployeeId, BTreeMap<String, (i64, i64)>>,
    /// Periods as they were approved.
    approved: BTreeMap<String, Value>,
}

impl History {
    async fn begin(seed: u64) -> Self {
        let office = Office::open().await;
        let system = &office.system;
        let settings = json!({ "timezone": ZONE, "payPeriod": "week", "anchor": "2026-01-05", "weekStart": "monday" });
        system.put("/api/v1/settings", settings).await;
        let mut people = vec![office.ann.clone()];
        people.push(system.new_employee("Bea", "bea@example.org").await);
        let on = json!({ "employees": people.iter().map(|person| person.id).collect::<Vec<_>>() });
        system.put(&office.project_path(), on.clone()).await;
        system.put(&office.task_path(), on).await;
        for (kind, amount, day) in
            [("pay", 17.77, "2025-01-01"), ("pay", 23.31, "2025-10-22"), ("bill", 33.33, "2025-10-29")]
        {
            let scope = json!({ "project": office.project });
            let rate = json!({ "scope": scope, "kind": kind, "amount": amount, "validFrom": day });
            system.admin("POST", "/api/v1/rate", rate).await.expect(201);
        }
        let first = system.get(&format!("/api/v1/period/{}_2025-10-13", office.ann.id)).await;
        let start = first["start"].as_i64().unwrap();
        let edges = [start, start + 7 * DAY, start + 14 * DAY + HOUR, start + 21 * DAY + HOUR];
        let (worked, approved) = (BTreeMap::new(), BTreeMap::new());
        Self { office, people, dice: Dice(seed), edges, worked, approved }
    }

    fn somebody(&mut self) -> Person {
        let n = self.dice.up_to(self.people.len() as i64);
        self.people[n as usize].clone()
    }

    async fn admin(&self, method: &str, path: &str, body: Value) -> Response {
        self.office.system.admin(method, path, body).await
    }

    /// Somebody's hours come in, at whatever time they were worked.
    async fn record(&mut self) {
        let person = self.somebody();
        let start = self.edges[0] - HOUR + self.dice.up_to(15 * DAY);
        let end = start + MINUTE + self.dice.up_to(15 * HOUR);
        self.post(person, start, end).await;
    }

    async fn post(&mut self, person: Person, start: i64, end: i64) {
        let mut window = self.office.window(start, end);
        window["hwid"] = json!(format!("computer {}", self.dice.up_to(3)));
        let range = (window["start"].as_i64().unwrap(), window["end"].as_i64().unwrap());
        let answer = self.office.system.employee(&person.token, "POST", WINDOWS, window).await;
        assert!(matches!(answer.status, 201 | 202), "{}", answer.text);
        self.worked.entry(person.id).or_default().insert(id(&answer.body), range);
    }

    /// Somebody's end of a window is set right, where nothing settles it.
    async fn correct(&mut self) {
        let person = self.somebody().id;
        let mut all: Vec<_> =
            self.worked.get(&person).into_iter().flatten().map(|(id, range)| (id.clone(), *range)).collect();
        all.sort_unstable_by_key(|(_, range)| *range);
        if all.is_empty() {
            return;
        }
        let (window, (start, end)) = all[self.dice.up_to(all.len() as i64) as usize].clone();
        // Which of two that overlap counts was decided when one of them came late.
        if all.iter().filter(|(_, (from, until))| *from < end && *until > start).count() > 1 {
            return;
        }
        let end = start + 1 + self.dice.up_to((end - start).max(2) - 1);
        let path = format!("{WINDOWS}/{window}");
        let answer = self.admin("PATCH", &path, json!({ "end": end })).await;
        match answer.status {
            200 => drop(self.worked.entry(person).or_default().insert(window, (start, end))),
            // It is settled; or held back; or an adjustment, which nobody changes.
            status => assert!(matches!(status, 404 | 409), "{}", answer.text),
        }
    }

    /// Somebody's week is approved, be it one of the three or that of now.
    async fn approve(&mut self) {
        let (person, week) = (self.somebody().id, self.dice.up_to(4));
        let now = self.office.system.world.clock.now().0;
        let at = self.edges.get(week as usize).copied().filter(|_| week < 3).unwrap_or(now);
        let query = format!("start={at}&end={}&employeeId={person}", at + 1);
        let period = self.office.system.get(&format!("/api/v1/period?{query}")).await;
        let path = format!("/api/v1/period/{}", id(&period[0]));
        let approved = self.office.approve_now(&path).await;
        self.approved.entry(id(&approved)).or_insert(approved);
    }

    /// A period that is not paid, or a lock, is opened again: what was held back because of it is recorded.
    async fn reopen(&mut self) {
        let body = json!({ "reason": "A sheet was found." });
        let known: Vec<String> = self.approved.keys().cloned().collect();
        let chosen = self.dice.up_to(known.len() as i64 + 1) as usize;
        let Some(period) = known.get(chosen) else {
            let answer = self.admin("POST", "/api/v1/lock/reopen", body).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            return self.until_none_waits().await;
        };
        let answer = self.admin("POST", &format!("/api/v1/period/{period}/reopen"), body).await;
        match answer.status {
            200 => drop(self.approved.remove(period)),
            _ => assert_eq!(answer.refused(409), "period_paid"),
        }
        self.until_none_waits().await;
    }

    /// The period that an adjustment belongs to is opened again, and more of the same hours come in: what the adjustment
    /// counts must not be counted once more.
    async fn record_beside(&mut self) {
        let late = self.office.system.get("/api/v1/adjustment?start=0&end=9000000000000").await;
        let late = late.as_array().unwrap();
        if late.is_empty() {
            return;
        }
        let one = &late[self.dice.up_to(late.len() as i64) as usize];
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
        let from = start + self.dice.up_to((end - start) / 2 + 1);
        let until = end + self.dice.up_to(2 * HOUR);
        self.post(person, from, until).await;
    }

    async fn until_none_waits(&self) {
        eventually("what was let in is recorded, or held for another reason", async || {
            let held = self.office.system.get("/api/v1/quarantine").await;
            held.as_array().unwrap().iter().all(|held| held["waiting"] != true).then_some(())
        })
        .await;
    }

    async fn lock(&mut self) {
        let until = self.edges[0] + self.dice.up_to(12 * DAY);
        let lock = match self.dice.up_to(2) {
            0 => json!({ "lockedUntil": until }),
            _ => json!({ "lockedUntil": until + 2 * DAY, "projectId": self.office.project }),
        };
        let answer = self.admin("PUT", "/api/v1/lock", lock).await;
        assert!(matches!(answer.status, 200 | 409), "{}", answer.text);
    }

    async fn pay(&self) {
        let range = json!({ "start": self.edges[0], "end": self.edges[1] });
        let answer = self.admin("POST", "/api/v1/pay-run", range).await;
        assert!(matches!(answer.status, 200 | 201 | 409), "{}", answer.text);
    }

    /// All that is held back is admitted.
    async fn admit(&self) {
        for held in self.office.system.get("/api/v1/quarantine").await.as_array().unwrap() {
            let path = format!("/api/v1/quarantine/{}/admit", id(held));
            self.admin("POST", &path, Value::Null).await.expect(200);
        }
    }

    /// What the API says of periods, of analytics and of adjustments fits together.
    async fn check(&self) {
        let system = &self.office.system;
        let now = system.world.clock.now().0;
        let late = system.get(&format!("/api/v1/adjustment?start=0&end={}", now + 60 * DAY)).await;
        let late = late.as_array().unwrap();
        let mut beside = BTreeSet::new();
        for (start, end) in [(self.edges[0], self.edges[3]), (now, now + 21 * DAY)] {
            let periods = system.get(&format!("/api/v1/period?start={start}&end={end}")).await;
            for period in periods.as_array().unwrap() {
                let (from, until) = (period["start"].as_i64().unwrap(), period["end"].as_i64().unwrap());
                let query = format!("start={from}&end={until}&groupBy=employee&timezone={ZONE}");
                let query = format!("{query}&employeeId={}", period["employeeId"].as_str().unwrap());
                let counted = system.get(&format!("/api/v1/analytics/time?{query}")).await;
                let zero = json!({ "time": 0, "costs": 0.0, "income": 0.0 });
                let counted = counted.get(0).unwrap_or(&zero);
                for sum in ["time", "costs", "income"] {
                    assert_eq!(period[sum], counted[sum], "{sum} of {period}");
                }
                let counts = |one: &&Value| {
                    one["employeeId"] == period["employeeId"]
                        && (from..until).contains(&one["countsAt"].as_i64().unwrap())
                };
                let of_period: Vec<&Value> = late.iter().filter(counts).collect();
                let time: i64 = of_period.iter().map(|one| one["time"].as_i64().unwrap()).sum();
                assert_eq!(period["adjustments"]["time"], time, "{period}");
                let cents = |of: &Value| (of["costs"].as_f64().unwrap() * 100.0).round() as i64;
                assert_eq!(
                    cents(&period["adjustments"]),
                    of_period.iter().map(|one| cents(one)).sum::<i64>(),
                    "{period}"
                );
                beside.extend(of_period.into_iter().map(id));
                if let Some(approved) = self.approved.get(&id(period)) {
                    for sum in ["time", "costs", "income", "adjustments", "hash"] {
                        assert_eq!(period[sum], approved[sum], "{sum} of {period}");
                    }
                }
            }
        }
        assert_eq!(beside, late.iter().map(id).collect(), "each adjustment counts in some period");
    }

    /// No second that somebody has worked is counted twice, by analytics or by adjustments; where nothing is held back,
    /// each is counted once.
    async fn check_whole(&self, is_all_decided: bool) {
        let system = &self.office.system;
        let late = system.get("/api/v1/adjustment?start=0&end=9000000000000").await;
        for person in &self.people {
            let query = format!("start=0&end=9000000000000&groupBy=employee&employeeId={}", person.id);
            let counted = system.get(&format!("/api/v1/analytics/time?{query}")).await;
            let counted = counted.get(0).map_or(0, |row| row["time"].as_i64().unwrap());
            let own = late.as_array().unwrap().iter().filter(|one| one["employeeId"] == json!(person.id));
            let late: i64 = own.map(|one| one["time"].as_i64().unwrap()).sum();
            let worked = self.worked.get(&person.id).map_or(0, |all| covered(all.values().copied().collect()));
            assert!(counted + late <= worked, "{counted} and {late} late are more than the {worked} that were worked");
            assert!(!is_all_decided || counted + late == worked, "{counted} and {late} late are not {worked}");
        }
    }
}

/// How long some stretches are together, each moment once.
fn covered(mut all: Vec<(i64, i64)>) -> i64 {
    all.sort_unstable();
    let (mut sum, mut at) = (0, i64::MIN);
    for (start, end) in all {
        sum += (end - start.max(at)).max(0);
        at = at.max(end);
    }
    sum
}

#[tokio::test(flavor = "multi_thread")]
async fn periods_say_what_analytics_says_and_each_second_counts_there_or_as_an_adjustment_and_once() {
    let mut history = History::begin(0x7415).await;
    for step in 1..=90 {
        match history.dice.up_to(20) {
            0..=6 => history.record().await,
            7 => history.correct().await,
            8..=10 => history.approve().await,
            11 | 12 => history.admit().await,
            13 => history.lock().await,
            14 | 15 => history.reopen().await,
            16 => history.pay().await,
            _ => history.record_beside().await,
        }
        if step % 9 == 0 {
            history.check().await;
            history.check_whole(false).await;
        }
    }
    history.admit().await;
    history.check().await;
    history.check_whole(true).await;
    let late = history.office.system.get("/api/v1/adjustment?start=0&end=9000000000000").await;
    assert!(late.as_array().unwrap().len() > 3, "enough has come late: {late}");
    history.office.system.finish().await;
}
