use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use contracts::{
    AccountId, DeliveryChanged, DeliveryState, Email, EmployeeId, EmployeeState, InvitationDelivery, InvitationId,
    Label, ListRoster, Millis, Name, ProjectId, Role, Roster, SessionId, SystemPermissions, TeamId, Term, Within,
};
use futures::{Stream, TryStreamExt};
use kit::{
    Database, Error, Shape, Tx,
    mongo::{index, is_duplicate, one_of, unique, value},
};
use mongodb::{
    Collection, IndexModel,
    options::{Collation, CollationStrength},
};
use serde::{Deserialize, Serialize};

use super::roster::{Rostered, Rosters, roster};
use crate::domain::{Delivery, Employee};

/// An employee as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    #[serde(rename = "_id")]
    id: EmployeeId,
    version: i64,
    epoch: i64,
    #[serde(default)]
    generation: i64,
    #[serde(default)]
    spared: Option<SessionId>,
    #[serde(default)]
    role: Role,
    account_id: AccountId,
    name: Name,
    email: Email,
    /// The normalised address, for comparison.
    email_key: String,
    #[serde(default)]
    email_unconfirmed: bool,
    title: Option<Label>,
    #[serde(default)]
    team: Option<TeamId>,
    projects: Vec<ProjectId>,
    permissions: Vec<SystemPermissions>,
    invitation: InvitationId,
    invited_at: Millis,
    #[serde(default)]
    delivery: Option<StoredDelivery>,
    activated_at: Option<Millis>,
    deactivated_at: Option<Millis>,
    /// None in documents of earlier versions.
    #[serde(default)]
    active: Option<Vec<Term>>,
    created_at: Millis,
}

/// An employee's id and name.
#[derive(Debug, Deserialize)]
struct Named {
    #[serde(rename = "_id")]
    id: EmployeeId,
    name: Name,
}

/// The delivery state of the last invitation, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct StoredDelivery {
    version: i64,
    shown: InvitationDelivery,
}

/// The collection of employees.
#[derive(Clone, Debug)]
pub(crate) struct Employees {
    stored: Collection<Stored>,
    rosters: Rosters,
}

impl Employees {
    pub(super) fn shape() -> Shape {
        let by_state = index(doc! { "deactivatedAt": 1, "activatedAt": 1 });
        let by_delivery = index(doc! { "delivery.shown.state": 1 });
        let indexes = vec![unique(doc! { "emailKey": 1 }), index(doc! { "team": 1, "_id": 1 }), by_state, by_delivery];
        ("employees", [indexes, vec![by_name()]].concat())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self { stored: db.collection("employees"), rosters: Rosters::open(db) }
    }

    pub(crate) async fn get(&self, id: EmployeeId) -> Result<Option<Employee>, Error> {
        Ok(self.stored.find_one(by_id(id)).await?.map(Into::into))
    }

    pub(crate) async fn with_email(&self, email: &Email) -> Result<Option<Employee>, Error> {
        let former = email.former_key();
        let found = self.stored.find(doc! { "emailKey": { "$in": [email.key(), &former] } }).await?;
        let mut found: Vec<Stored> = found.try_collect().await?;
        // Earlier versions could store one address for two employees in two spellings. Each of them
        // is found by their own spelling first.
        found.sort_by_key(|stored| stored.email_key != former);
        Ok(found.into_iter().next().map(Into::into))
    }

    /// Replaces the keys of addresses from earlier normalisations with today's form. If another
    /// employee has the same address in a different spelling, the employee keeps the earlier form:
    /// both log in as before, until an admin decides whose address it is.
    pub(crate) async fn renew_keys(&self) -> Result<(), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Keyed {
            #[serde(rename = "_id")]
            id: EmployeeId,
            email: Email,
            email_key: String,
        }
        // An address in plain ASCII has the same form in every normalisation.
        let not_plain = doc! { "emailKey": { "$regex": r"[^\x00-\x7F]" } };
        let mut all = self.stored.clone_with_type::<Keyed>().find(not_plain).await?;
        while let Some(Keyed { id, email, email_key }) = all.try_next().await? {
            let key = email.key();
            if key == email_key {
                continue;
            }
            let unchanged = doc! { "_id": value(&id), "email": email.as_str(), "emailKey": email_key };
            match self.stored.update_one(unchanged, doc! { "$set": { "emailKey": key } }).await {
                Ok(_) => {}
                Err(error) if is_duplicate(&error) => tracing::error!(
                    employee = %id,
                    "has the e-mail address of another employee in another spelling: give one of them another address"
                ),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The employees after `after`, limited to the ids in `within` if that is given, in the order
    /// of their ids, which is the order of creation.
    pub(crate) async fn list(
        &self,
        after: Option<EmployeeId>,
        within: Option<Within>,
    ) -> Result<impl Stream<Item = Result<Employee, Error>>, Error> {
        let mut ids = Document::new();
        ids.extend(after.map(|id| ("$gt".to_owned(), value(&id))));
        ids.extend(within.map(|within| ("$in".to_owned(), value(&within.employees))));
        let filter = if ids.is_empty() {
            ids
        } else {
            doc! { "_id": ids }
        };
        let cursor = self.stored.find(filter).sort(doc! { "_id": 1 }).await?;
        Ok(cursor.map_ok(Into::into).map_err(Into::into))
    }

    /// The names of these employees. Unknown ids are left out.
    pub(crate) async fn names(&self, ids: Vec<EmployeeId>) -> Result<BTreeMap<EmployeeId, Name>, Error> {
        let named = self.stored.clone_with_type::<Named>();
        let found = named.find(doc! { "_id": one_of(ids) }).projection(doc! { "name": 1 }).await?;
        Ok(found.map_ok(|Named { id, name }| (id, name)).try_collect().await?)
    }

    /// The employees who may have worked since the start of `asked.range`: their number, and a page
    /// of them sorted by name. If `asked.employees` is not empty, only these employees count.
    pub(crate) async fn roster(&self, asked: &ListRoster) -> Result<Roster, Error> {
        let read = async {
            let activated = doc! { "activatedAt": { "$ne": null } };
            let people = self.stored.clone_with_type::<Rostered>();
            let found = people.find(activated).projection(doc! { "name": 1, "deactivatedAt": 1 }).collation(letters());
            Ok(found.sort(doc! { "name": 1, "_id": 1 }).batch_size(10_000).await?.try_collect().await?)
        };
        Ok(roster(&self.rosters.people(read).await?, asked))
    }

    /// The number of employees whose last invitation could not be delivered, or could not be
    /// delivered yet. If `employees` is not empty, only these employees count.
    pub(crate) async fn undelivered(&self, employees: &[EmployeeId]) -> Result<u64, Error> {
        let states = [DeliveryState::Retrying, DeliveryState::Failed];
        let mut filter = doc! { "delivery.shown.state": one_of(states) };
        if !employees.is_empty() {
            filter.insert("_id", one_of(employees));
        }
        Ok(self.stored.count_documents(filter).await?)
    }

    /// The states of these employees. Unknown ids are left out.
    pub(crate) async fn employee_states(&self, ids: Vec<EmployeeId>) -> Result<Vec<EmployeeState>, Error> {
        let cursor = self.stored.find(doc! { "_id": one_of(ids) }).await?;
        Ok(cursor.map_ok(|stored| Employee::from(stored).state()).try_collect().await?)
    }

    /// Loads an employee in this transaction, in order to change the employee.
    pub(crate) async fn load(&self, tx: &mut Tx<'_>, id: EmployeeId) -> Result<Option<Employee>, Error> {
        Ok(self.stored.find_one(by_id(id)).session(&mut tx.session).await?.map(Into::into))
    }

    /// Inserts an employee. Fails with a duplicate key if another employee has the address.
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, employee: &Employee) -> Result<(), Error> {
        self.stored.insert_one(Stored::from(employee)).session(&mut tx.session).await?;
        if employee.activated_at.is_some() {
            self.rosters.count_change(tx, employee.id).await?;
        }
        Ok(())
    }

    /// Stores a changed employee. If another transaction changes the employee at the same time, one
    /// of the two runs again.
    pub(crate) async fn save(&self, tx: &mut Tx<'_>, employee: &Employee) -> Result<(), Error> {
        let was = self.stored.find_one_and_replace(by_id(employee.id), Stored::from(employee));
        let was = was.session(&mut tx.session).await?;
        let shown = |name: &Name, activated_at, deactivated_at| (name.clone(), activated_at, deactivated_at);
        let is = shown(&employee.name, employee.activated_at, employee.deactivated_at);
        if was.is_none_or(|was| shown(&was.name, was.activated_at, was.deactivated_at) != is) {
            self.rosters.count_change(tx, employee.id).await?;
        }
        Ok(())
    }

    /// Adds a project to the employee's list, or removes it from the list.
    pub(crate) async fn set_project(
        &self,
        tx: &mut Tx<'_>,
        id: EmployeeId,
        project: ProjectId,
        is_on: bool,
    ) -> Result<(), Error> {
        let change = doc! { if is_on { "$addToSet" } else { "$pull" }: { "projects": value(&project) } };
        self.stored.update_one(by_id(id), change).session(&mut tx.session).await?;
        Ok(())
    }

    /// The lists of projects of all employees.
    pub(crate) async fn lists(&self) -> Result<Vec<(EmployeeId, Vec<ProjectId>)>, Error> {
        #[derive(Deserialize)]
        struct Listed {
            #[serde(rename = "_id")]
            id: EmployeeId,
            projects: Vec<ProjectId>,
        }
        let listed = self.stored.clone_with_type::<Listed>();
        let found = listed.find(doc! {}).projection(doc! { "projects": 1 }).await?;
        Ok(found.map_ok(|Listed { id, projects }| (id, projects)).try_collect().await?)
    }

    /// Replaces the list of projects of an employee.
    pub(crate) async fn set_projects(
        &self,
        tx: &mut Tx<'_>,
        id: EmployeeId,
        projects: &BTreeSet<ProjectId>,
    ) -> Result<(), Error> {
        let change = doc! { "$set": { "projects": value(projects) } };
        self.stored.update_one(by_id(id), change).session(&mut tx.session).await?;
        Ok(())
    }

    /// Stores the delivery state of the last invitation. A report about an earlier invitation, or
    /// an older report, changes nothing.
    pub(crate) async fn set_delivery(&self, report: DeliveryChanged) -> Result<(), Error> {
        let stored = StoredDelivery { version: report.version, shown: report.delivery };
        let older = doc! {
            "_id": value(&report.employee_id),
            "invitation": value(&report.invitation_id),
            "$or": [{ "delivery": Bson::Null }, { "delivery.version": { "$lt": report.version } }],
        };
        self.stored.update_one(older, doc! { "$set": { "delivery": value(&stored) } }).await?;
        Ok(())
    }
}

/// The collation for sorting names: alphabetical, case-insensitive.
fn letters() -> Collation {
    Collation::builder().locale("en").strength(CollationStrength::Secondary).build()
}

fn by_name() -> IndexModel {
    let mut index = index(doc! { "name": 1, "_id": 1 });
    index.options.get_or_insert_default().collation = Some(letters());
    index
}

fn by_id(id: EmployeeId) -> Document {
    doc! { "_id": value(&id) }
}

impl From<&Employee> for Stored {
    fn from(employee: &Employee) -> Self {
        let employee = employee.clone();
        Self {
            id: employee.id,
            version: employee.version,
            epoch: employee.epoch,
            generation: employee.generation,
            spared: employee.spared,
            role: employee.role,
            account_id: employee.account_id,
            name: employee.name,
            email_key: employee.email_key,
            email: employee.email,
            email_unconfirmed: employee.email_unconfirmed,
            title: employee.title,
            team: employee.team,
            projects: employee.projects,
            permissions: employee.permissions,
            invitation: employee.invitation,
            invited_at: employee.invited_at,
            delivery: employee.delivery.map(|Delivery { version, shown }| StoredDelivery { version, shown }),
            activated_at: employee.activated_at,
            deactivated_at: employee.deactivated_at,
            active: Some(employee.active),
            created_at: employee.created_at,
        }
    }
}

impl From<Stored> for Employee {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.id,
            version: stored.version,
            epoch: stored.epoch,
            generation: stored.generation,
            spared: stored.spared,
            role: stored.role,
            account_id: stored.account_id,
            name: stored.name,
            email: stored.email,
            email_key: stored.email_key,
            email_unconfirmed: stored.email_unconfirmed,
            title: stored.title,
            team: stored.team,
            projects: stored.projects,
            permissions: stored.permissions,
            invitation: stored.invitation,
            invited_at: stored.invited_at,
            delivery: stored.delivery.map(|StoredDelivery { version, shown }| Delivery { version, shown }),
            activated_at: stored.activated_at,
            active: stored.active.unwrap_or_else(|| vec![Term { from: None, until: stored.deactivated_at }]),
            deactivated_at: stored.deactivated_at,
            created_at: stored.created_at,
        }
    }
}
