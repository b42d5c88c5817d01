//! Tests of repricing: recorded windows get the present rates of their days.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bson::{Document, doc};
use contracts::{
    Cents, Code, GetReprice, HOUR, PreviewReprice, RepriceFilter, RepriceJob, RepricePreview, RepriceState, Service,
    StartReprice, VoidWindow, stream,
};
use jiff::civil::date;
use testkit::{eventually, eventually_within};
use timetrack::{Config, Faults, Step};

use crate::{
    pricing::{amount, bill},
    support::{Fixture, NOON},
};

impl Fixture {
    fn of_ann(&self) -> RepriceFilter {
        RepriceFilter { employees: vec![self.ann], ..RepriceFilter::default() }
    }

    async fn preview(&self) -> RepricePreview {
        self.harness.ask(&PreviewReprice { filter: self.of_ann() }).await.unwrap()
    }

    async fn start(&self, hash: &str) -> Result<RepriceJob, contracts::Failure> {
        self.harness.ask(&StartReprice { filter: self.of_ann(), hash: hash.to_owned() }).await
    }

    async fn until_done(&self, job: &RepriceJob) -> RepriceJob {
        // A job may take long, because every chunk is synced to disk.
        eventually_within(Duration::from_secs(60), "the job is done", async || {
            let job = self.harness.ask(&GetReprice { id: job.id }).await.unwrap();
            (job.state == RepriceState::Done).then_some(job)
        })
        .await
    }

    async fn revisions(&self) -> Vec<i64> {
        let windows = self.harness.database(Service::Timetrack).await.collection::<Document>("windows");
        let mut revisions = Vec::new();
        let mut found = windows.find(doc! {}).sort(doc! { "window.start": 1 }).await.unwrap();
        while found.advance().await.unwrap() {
            let row: Document = found.deserialize_current().unwrap();
            revisions.push(row.get_i64("revision").unwrap());
        }
        revisions
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_says_what_a_job_then_does_and_nothing_before_that() {
    let fixture = Fixture::with_ann().await;
    for hour in 0..4 {
        fixture.record(NOON + hour * HOUR, NOON + (hour + 1) * HOUR).await;
    }
    // Half of this window's time counts already, in the window before it.
    let overlapping = fixture.record(NOON + 7 * HOUR / 2, NOON + 9 * HOUR / 2).await;
    let voided = fixture.record(NOON + 10 * HOUR, NOON + 11 * HOUR).await;
    fixture.harness.ask(&VoidWindow { id: voided.id, reason: None }).await.unwrap();
    let nothing = fixture.preview().await;
    assert_eq!((nothing.count, nothing.income, nothing.difference.income), (0, Cents(0), Cents(0)));

    fixture.tell(&fixture.of_project(1, vec![bill(60.0, date(2025, 1, 1))])).await;
    let before = fixture.stored().await;
    let preview = fixture.preview().await;
    assert_eq!((preview.count, preview.settled, preview.costs), (5, 0, Cents(0)));
    assert_eq!((preview.income, preview.difference.income), (Cents(27_000), Cents(4_500)), "4.5 hours");
    assert_eq!(fixture.preview().await, preview);
    assert_eq!(fixture.stored().await, before);

    let job = fixture.until_done(&fixture.start(&preview.hash).await.unwrap()).await;
    assert_eq!((job.count, job.changed, job.settled, job.seen, job.total), (5, 5, 0, 5, 5));
    assert!(fixture.stored().await.iter().all(|window| window.bill_rate == amount(60.0)));
    assert_eq!(fixture.revisions().await, [2, 2, 2, 2, 2, 2], "the voided one by the void");
    assert_eq!(fixture.preview().await.count, 0);
    // A second call with the same hash returns the same job, and changes nothing.
    assert_eq!(fixture.start(&preview.hash).await.unwrap(), job);
    assert_eq!(fixture.revisions().await, [2, 2, 2, 2, 2, 2]);
    let actions = fixture.harness.audited_actions(3).await;
    assert_eq!(actions, ["window.voided", "reprice.started", "reprice.finished"]);
    drop(overlapping);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_changed_since_the_preview_is_refused() {
    let fixture = Fixture::with_ann().await;
    fixture.record(NOON, NOON + HOUR).await;
    fixture.tell(&fixture.of_project(1, vec![bill(60.0, date(2025, 1, 1))])).await;
    let preview = fixture.preview().await;
    fixture.tell(&fixture.of_project(2, vec![bill(61.0, date(2025, 1, 1))])).await;
    assert_eq!(fixture.start(&preview.hash).await.unwrap_err().code, Code::PreviewChanged);
    for no_hash in ["", "x", "00000000000000000000000000000000"] {
        assert_eq!(fixture.start(no_hash).await.unwrap_err().code, Code::PreviewChanged);
    }
    let fresh = fixture.preview().await;
    // Windows that already have the present price do not change the preview.
    fixture.record(NOON + HOUR, NOON + 2 * HOUR).await;
    assert_eq!(fixture.preview().await, fresh);
    let everything = RepriceFilter::default();
    let refused = fixture.harness.ask(&PreviewReprice { filter: everything }).await.unwrap_err();
    assert_eq!(refused.code, Code::NoFilter);
    assert_eq!(fixture.harness.ask(&GetReprice { id: kit::new_id() }).await.unwrap_err().code, Code::NotFound);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_stopped_in_the_middle_is_gone_on_with_and_does_nothing_twice() {
    let mut fixture = Fixture::with_ann().await;
    fixture.timetrack.take().unwrap().stop().await;
    let died = Arc::new(AtomicUsize::new(0));
    let count = died.clone();
    let faults = Faults::when(move |at| at == Step::Repriced && count.fetch_add(1, Ordering::SeqCst) == 0);
    let run = |deps, shutdown| timetrack::run_with(faults, Config::default(), deps, shutdown);
    let mortal = fixture.harness.spawn(timetrack::needs(), run).await;
    let many = 700;
    for some in (0..many).collect::<Vec<_>>().chunks(350) {
        fixture.send(some.iter().map(|hour| fixture.window(*hour)).collect()).await;
    }
    fixture.tell(&fixture.of_project(1, vec![bill(60.0, date(2025, 1, 1))])).await;
    let job = fixture.start(&fixture.preview().await.hash).await.unwrap();
    eventually("it has died", async || (died.load(Ordering::SeqCst) > 0).then_some(())).await;
    let half = fixture.harness.ask(&GetReprice { id: job.id }).await.unwrap();
    assert_eq!((half.state, half.changed, half.count), (RepriceState::Running, 300, 700));
    // The lease of the run that died is set to expired, so that the job is taken up without
    // waiting.
    let jobs = fixture.harness.database(Service::Timetrack).await.collection::<Document>("reprices");
    jobs.update_one(doc! {}, doc! { "$set": { "lease": 0_i64 } }).await.unwrap();
    let done = fixture.until_done(&job).await;
    assert_eq!((done.changed, done.seen), (700, 700));
    assert_eq!(fixture.revisions().await, vec![2; 700]);
    fixture.harness.until_consumed(stream::EVENTS, Service::Timetrack).await;
    assert_eq!(fixture.harness.audited_actions(2).await, ["reprice.started", "reprice.finished"]);
    mortal.stop().await;
    fixture.harness.finish().await;
}
