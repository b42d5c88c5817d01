//! Tests that the sums of pay periods equal those of analytics after a random history of recording,
//! approving, locking, paying, correcting and late admission, and that late time is shown as
//! adjustments. The variables `SETTLED_SEED` and `SETTLED_STEPS` choose the history and its length.

use std::{collections::BTreeSet, env};

use serde_json::{Value, json};

use crate::{
    fixture::id,
    settled_history::{DAY, History, ZONE},
};

impl History {
    /// Checks that the periods, the reports and the adjustments of the API agree.
    async fn check(&self) {
        let system = &self.fixture.system;
        let now = system.harness.clock.now().0;
        let late = system.get(&format!("/api/v1/adjustment?start=0&end={}", now + 60 * DAY)).await;
        let late = late.as_array().unwrap();
        let mut beside = BTreeSet::new();
        for (start, end) in [(self.edges[0], self.edges[3]), (now, now + 150 * DAY)] {
            let periods = system.get(&format!("/api/v1/period?start={start}&end={end}")).await;
            self.check_that_they_adjoin(periods.as_array().unwrap(), (start, end));
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

    /// Checks that analytics and adjustments together count no second of worked time twice. If
    /// nothing is quarantined, they must count each second once.
    async fn check_whole(&self, is_all_decided: bool) {
        let system = &self.fixture.system;
        let late = system.get("/api/v1/adjustment?start=0&end=9000000000000").await;
        for person in &self.people {
            let query = format!("start=0&end=9000000000000&groupBy=employee&employeeId={}", person.id);
            let counted = system.get(&format!("/api/v1/analytics/time?{query}")).await;
            let counted = counted.get(0).map_or(0, |row| row["time"].as_i64().unwrap());
            let own = late.as_array().unwrap().iter().filter(|one| one["employeeId"] == json!(person.id));
            let late: i64 = own.map(|one| one["time"].as_i64().unwrap()).sum();
            let worked = self.worked.get(&person.id).into_iter().flatten().map(|posted| posted.range);
            let worked = covered(worked.collect());
            assert!(counted + late <= worked, "{counted} and {late} late are more than the {worked} that were worked");
            assert!(!is_all_decided || counted + late == worked, "{counted} and {late} late are not {worked}");
        }
    }

    /// Checks that the periods of each employee adjoin, so that each moment is in exactly one of
    /// them.
    fn check_that_they_adjoin(&self, periods: &[Value], (start, end): (i64, i64)) {
        for person in &self.people {
            let own = periods.iter().filter(|period| period["employeeId"] == json!(person.id));
            let mut own: Vec<_> =
                own.map(|period| (period["start"].as_i64().unwrap(), period["end"].as_i64().unwrap())).collect();
            own.sort_unstable();
            assert!(own[0].0 <= start && own[own.len() - 1].1 >= end, "{own:?}");
            assert!(own.windows(2).all(|pair| pair[0].1 == pair[1].0), "{own:?}");
        }
    }

    /// Approves all periods, and checks that together they count as much time as analytics.
    async fn approve_all(&mut self) {
        let (start, end) = (self.edges[0] - DAY, self.edges[3] + DAY);
        let all = self.fixture.system.get(&format!("/api/v1/period?start={start}&end={end}")).await;
        for period in all.as_array().unwrap() {
            self.approve_this(&id(period)).await;
        }
        let all = self.fixture.system.get(&format!("/api/v1/period?start={start}&end={end}")).await;
        for person in &self.people {
            let own = all.as_array().unwrap().iter().filter(|period| period["employeeId"] == json!(person.id));
            let time: i64 = own.map(|period| period["time"].as_i64().unwrap()).sum();
            let query = format!("start=0&end=9000000000000&groupBy=employee&employeeId={}", person.id);
            let counted = self.fixture.system.get(&format!("/api/v1/analytics/time?{query}")).await;
            assert_eq!(json!(time), counted.get(0).map_or(json!(0), |row| row["time"].clone()));
        }
        assert!(all.as_array().unwrap().iter().all(|period| period["status"] == "approved"), "{all}");
    }
}

fn steps() -> usize {
    env::var("SETTLED_STEPS").ok().and_then(|text| text.parse().ok()).unwrap_or(160)
}

fn seed() -> u64 {
    env::var("SETTLED_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0x7415)
}

/// Returns the length of the union of these ranges, in milliseconds.
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
    let mut history = History::begin(seed()).await;
    for step in 1..=steps() {
        match history.rng.up_to(30) {
            0..=7 => history.record().await,
            8 | 9 => history.correct().await,
            10 | 11 => history.void().await,
            12..=14 => history.approve().await,
            15 | 16 => history.admit().await,
            17 => history.discard().await,
            18 => history.lock().await,
            19..=21 => history.reopen().await,
            22 | 23 => history.send_again().await,
            24 => history.change_the_calendar().await,
            25 => history.pay().await,
            _ => history.record_beside().await,
        }
        if step % 12 == 0 {
            history.check().await;
            history.check_whole(false).await;
        }
    }
    for project in history.projects.clone() {
        let body = json!({ "reason": "All is to be counted.", "projectId": project.0 });
        assert_eq!(history.admin("POST", "/api/v1/lock/reopen", body).await.status, 200);
    }
    history.until_none_waits().await;
    history.admit().await;
    history.check().await;
    history.check_whole(true).await;
    history.approve_all().await;
    history.check().await;
    let all = ["record", "take the id of another", "send again", "correct", "void", "approve", "admit", "discard"];
    let others = ["lock", "reopen", "reopen a lock", "change the calendar", "pay"];
    let done = &history.done;
    assert!(all.iter().chain(&others).all(|step| done.contains_key(step)), "each has happened: {done:?}");
    let late = history.fixture.system.get("/api/v1/adjustment?start=0&end=9000000000000").await;
    assert!(late.as_array().unwrap().len() > 3, "enough has come late: {late}");
    history.fixture.system.finish().await;
}
