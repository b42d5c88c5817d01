use bson::doc;
use contracts::{EmployeeId, EventId, SettledTime, SettlementChanged, TimeRange, WindowId};
use futures::TryStreamExt;
use kit::{Database, Error, Shape, Tx, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// The document of time that is reserved for a window that is being admitted. Until the adjustment
/// is stored, no worker may record the employee's work in this time, on any project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Reservation {
    /// The id of the window.
    #[serde(rename = "_id")]
    pub(crate) id: WindowId,
    pub(crate) employee: EmployeeId,
    /// A part of the id of each settlement of this reservation. If time is released and reserved
    /// again, the settlements get other ids, and no worker takes them for the old ones.
    attempt: EventId,
    pub(crate) stretches: Vec<TimeRange>,
}

impl Reservation {
    /// The settlements that announce the reservation to workers.
    pub(crate) fn settlements(&self) -> Vec<SettlementChanged> {
        self.said(1, |stretch| {
            let (start, end) = (Some(stretch.start()), stretch.end());
            Some(SettledTime { employee_id: Some(self.employee), project_id: None, start, end })
        })
    }

    /// The settlements that announce the release to workers.
    fn given_back(&self) -> Vec<SettlementChanged> {
        self.said(2, |_| None)
    }

    fn said(&self, version: i64, settles: impl Fn(&TimeRange) -> Option<SettledTime>) -> Vec<SettlementChanged> {
        let id = |stretch: &TimeRange| format!("{}_{}_{}", self.id, self.attempt, stretch.start());
        let one = |stretch| SettlementChanged { id: id(stretch), version, settles: settles(stretch) };
        self.stretches.iter().map(one).collect()
    }
}

/// The collection of reservations. There is rarely more than one document.
#[derive(Clone, Debug)]
pub(crate) struct ReservationStore(Collection<Reservation>);

impl ReservationStore {
    pub(super) fn shape() -> Shape {
        ("reservations", vec![mongo::index(doc! { "employee": 1 })])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("reservations"))
    }

    /// Reserves time for a window, in addition to time that is reserved for it already. Returns the
    /// whole reservation.
    pub(crate) async fn add(
        &self,
        tx: &mut Tx<'_>,
        id: WindowId,
        employee: EmployeeId,
        stretches: Vec<TimeRange>,
    ) -> Result<Reservation, Error> {
        let this = doc! { "_id": mongo::value(&id) };
        let known = self.0.find_one(this.clone()).session(&mut tx.session).await?;
        let mut all =
            known.unwrap_or_else(|| Reservation { id, employee, attempt: kit::new_id(), stretches: Vec::new() });
        all.stretches.extend(stretches);
        self.0.replace_one(this, &all).upsert(true).session(&mut tx.session).await?;
        Ok(all)
    }

    /// Releases the reservation of a window. Returns the settlements that announce the release to
    /// workers.
    pub(crate) async fn take(&self, tx: &mut Tx<'_>, id: WindowId) -> Result<Vec<SettlementChanged>, Error> {
        let taken = self.0.find_one_and_delete(doc! { "_id": mongo::value(&id) }).session(&mut tx.session).await?;
        Ok(taken.map(|taken| taken.given_back()).unwrap_or_default())
    }

    /// The reservations of an employee, read in a transaction.
    pub(crate) async fn of(&self, tx: &mut Tx<'_>, employee: EmployeeId) -> Result<Vec<Reservation>, Error> {
        let own = doc! { "employee": mongo::value(&employee) };
        let mut found = self.0.find(own).session(&mut tx.session).await?;
        Ok(found.stream(&mut tx.session).try_collect().await?)
    }

    /// The settlements of all reservations.
    pub(super) async fn settlements(&self) -> Result<Vec<SettlementChanged>, Error> {
        let all: Vec<Reservation> = self.0.find(doc! {}).await?.try_collect().await?;
        Ok(all.iter().flat_map(Reservation::settlements).collect())
    }

    /// The settlements of all reservations, read in a transaction.
    pub(super) async fn settlements_in(&self, tx: &mut Tx<'_>) -> Result<Vec<SettlementChanged>, Error> {
        let mut found = self.0.find(doc! {}).session(&mut tx.session).await?;
        let all: Vec<Reservation> = found.stream(&mut tx.session).try_collect().await?;
        Ok(all.iter().flat_map(Reservation::settlements).collect())
    }
}
