use std::collections::BTreeSet;

use bson::{Bson, Document, doc};
use contracts::{EmployeeId, ManagedTeams, Name, ProjectId, Role, TeamId};
use futures::{Stream, TryStreamExt};
use kit::{
    Database, Error, Shape, Tx,
    mongo::{index, one_of, unique, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::domain::Team;

/// A team as it is stored. Its members are stored in the employees' documents, so that nobody can
/// be in two teams.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    #[serde(rename = "_id")]
    id: TeamId,
    version: i64,
    name: Name,
    /// The normalised name, for comparison.
    name_key: String,
    managers: BTreeSet<EmployeeId>,
    /// The members, which a `$lookup` adds when the team is read.
    #[serde(default, skip_serializing)]
    members: Vec<Id<EmployeeId>>,
}

/// A document of which only the id is read.
#[derive(Debug, Deserialize)]
struct Id<T> {
    #[serde(rename = "_id")]
    id: T,
}

/// An employee with their team and projects.
#[derive(Debug, Deserialize)]
struct Member {
    #[serde(rename = "_id")]
    id: EmployeeId,
    team: Option<TeamId>,
    projects: Vec<ProjectId>,
}

/// The fields of an employee that are checked before the employee becomes a member or a manager.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Candidate {
    #[serde(rename = "_id")]
    pub(crate) id: EmployeeId,
    #[serde(default)]
    pub(crate) team: Option<TeamId>,
    #[serde(default)]
    deactivated_at: Option<Bson>,
}

impl Candidate {
    pub(crate) fn is_deactivated(&self) -> bool {
        self.deactivated_at.as_ref().is_some_and(|at| *at != Bson::Null)
    }
}

/// The collection of teams, and that of employees.
#[derive(Clone, Debug)]
pub(crate) struct Teams {
    teams: Collection<Stored>,
    employees: Collection<Document>,
}

impl Teams {
    pub(super) fn shape() -> Shape {
        ("teams", vec![unique(doc! { "nameKey": 1 }), index(doc! { "managers": 1 })])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self { teams: db.collection("teams"), employees: db.collection("employees") }
    }

    pub(crate) async fn get(&self, id: TeamId) -> Result<Option<Team>, Error> {
        let mut found = self.teams.aggregate(joined(doc! { "_id": value(&id) })).with_type::<Stored>().await?;
        Ok(found.try_next().await?.map(Into::into))
    }

    /// The teams after this one, in the order of their creation.
    pub(crate) async fn list(
        &self,
        after: Option<TeamId>,
    ) -> Result<impl Stream<Item = Result<Team, Error>> + use<>, Error> {
        let filter = after.map_or_else(Document::new, |id| doc! { "_id": { "$gt": value(&id) } });
        let cursor = self.teams.aggregate(joined(filter)).with_type::<Stored>().await?;
        Ok(cursor.map_ok(Into::into).map_err(Into::into))
    }

    /// The ids of the members of these teams, sorted, at most `most` + 1: so the caller can detect
    /// that there are more than `most`.
    pub(crate) async fn members(&self, teams: &[TeamId], most: usize) -> Result<Vec<EmployeeId>, Error> {
        let members = self.employees.clone_with_type::<Id<EmployeeId>>();
        let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        let found = members.find(doc! { "team": one_of(teams) }).projection(doc! { "_id": 1 }).limit(limit).await?;
        let mut ids: Vec<EmployeeId> = found.map_ok(|member| member.id).try_collect().await?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// The employees who manage a team, are not deactivated and have one of these roles, with ids
    /// after `after`, in the order of their ids.
    pub(crate) async fn managers(
        &self,
        roles: &[Role],
        after: Option<EmployeeId>,
    ) -> Result<impl Stream<Item = Result<EmployeeId, Error>> + use<>, Error> {
        let mut ids = doc! { "$in": self.teams.distinct("managers", doc! {}).await? };
        if let Some(after) = after {
            ids.insert("$gt", value(&after));
        }
        let these = doc! { "_id": ids, "deactivatedAt": Bson::Null, "role": one_of(roles) };
        let employees = self.employees.clone_with_type::<Id<EmployeeId>>();
        let found = employees.find(these).projection(doc! { "_id": 1 }).sort(doc! { "_id": 1 }).await?;
        Ok(found.map_ok(|manager| manager.id).map_err(Into::into))
    }

    /// The teams that an employee manages, the members of these teams, and the projects of the
    /// members and of the manager.
    pub(crate) async fn managed_by(&self, manager: EmployeeId) -> Result<ManagedTeams, Error> {
        let teams = self.teams.clone_with_type::<Id<TeamId>>();
        let found = teams.find(doc! { "managers": value(&manager) }).projection(doc! { "_id": 1 }).await?;
        let teams: Vec<TeamId> = found.map_ok(|team| team.id).try_collect().await?;
        let these = doc! { "$or": [{ "team": one_of(&teams) }, { "_id": value(&manager) }] };
        let members = self.employees.clone_with_type::<Member>();
        let fields = doc! { "team": 1, "projects": 1 };
        let members: Vec<Member> = members.find(these).projection(fields).await?.try_collect().await?;
        let is_managed = |member: &&Member| member.team.is_some_and(|team| teams.contains(&team));
        let employees = members.iter().filter(is_managed).map(|member| member.id).collect::<BTreeSet<_>>();
        let projects = members.iter().flat_map(|member| member.projects.iter().copied()).collect::<BTreeSet<_>>();
        let (employees, projects) = (employees.into_iter().collect(), projects.into_iter().collect());
        Ok(ManagedTeams { teams, employees, projects })
    }

    /// Loads a team in this transaction, in order to change it.
    pub(crate) async fn load(&self, tx: &mut Tx<'_>, id: TeamId) -> Result<Option<Team>, Error> {
        let asked = self.teams.aggregate(joined(doc! { "_id": value(&id) })).with_type::<Stored>();
        let mut found = asked.session(&mut tx.session).await?;
        Ok(found.next(&mut tx.session).await.transpose()?.map(Into::into))
    }

    /// Inserts a team. Fails with a duplicate key if another team has the name.
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, team: &Team) -> Result<(), Error> {
        self.teams.insert_one(Stored::from(team)).session(&mut tx.session).await?;
        Ok(())
    }

    /// Stores a changed team. If another transaction changes it at the same time, one of the two
    /// runs again. Fails with a duplicate key if another team has the name.
    pub(crate) async fn save(&self, tx: &mut Tx<'_>, team: &Team) -> Result<(), Error> {
        self.teams.replace_one(doc! { "_id": value(&team.id) }, Stored::from(team)).session(&mut tx.session).await?;
        Ok(())
    }

    pub(crate) async fn delete(&self, tx: &mut Tx<'_>, id: TeamId) -> Result<(), Error> {
        self.teams.delete_one(doc! { "_id": value(&id) }).session(&mut tx.session).await?;
        Ok(())
    }

    /// The fields of these employees that must be checked. Unknown ids are left out.
    pub(crate) async fn candidates(
        &self,
        tx: &mut Tx<'_>,
        ids: impl IntoIterator<Item = &EmployeeId>,
    ) -> Result<Vec<Candidate>, Error> {
        let candidates = self.employees.clone_with_type::<Candidate>();
        let asked = candidates.find(doc! { "_id": one_of(ids) }).projection(doc! { "team": 1, "deactivatedAt": 1 });
        let mut found = asked.session(&mut tx.session).await?;
        Ok(found.stream(&mut tx.session).try_collect().await?)
    }

    /// Puts employees into a team, or out of their team if `team` is None. If another transaction
    /// changes one of them at the same time, one of the two runs again.
    pub(crate) async fn put_into(
        &self,
        tx: &mut Tx<'_>,
        ids: impl IntoIterator<Item = &EmployeeId>,
        team: Option<TeamId>,
    ) -> Result<(), Error> {
        let these = doc! { "_id": one_of(ids) };
        self.employees.update_many(these, doc! { "$set": { "team": value(&team) } }).session(&mut tx.session).await?;
        Ok(())
    }
}

/// The aggregation pipeline that reads teams together with their members.
fn joined(filter: Document) -> Vec<Document> {
    let members = doc! {
        "from": "employees", "localField": "_id", "foreignField": "team", "as": "members",
        "pipeline": [{ "$project": { "_id": 1 } }],
    };
    vec![doc! { "$match": filter }, doc! { "$sort": { "_id": 1 } }, doc! { "$lookup": members }]
}

impl From<&Team> for Stored {
    fn from(team: &Team) -> Self {
        let (name_key, Team { id, version, name, managers, .. }) = (team.name_key(), team.clone());
        Self { id, version, name, name_key, managers, members: Vec::new() }
    }
}

impl From<Stored> for Team {
    fn from(Stored { id, version, name, managers, members, .. }: Stored) -> Self {
        Self { id, version, name, managers, employees: members.into_iter().map(|member| member.id).collect() }
    }
}
