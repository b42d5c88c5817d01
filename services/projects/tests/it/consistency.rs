use std::collections::{BTreeMap, BTreeSet};

use bson::doc;
use contracts::{EmployeeId, Millis, Payee, Payroll, ProjectId, Service, TaskId, TaskTerm, Term};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::fixture::Fixture;

#[derive(Serialize, Deserialize)]
struct StoredProject {
    #[serde(rename = "_id")]
    id: ProjectId,
    employees: Vec<EmployeeId>,
    payroll: Payroll,
    version: i64,
}

#[derive(Serialize, Deserialize)]
struct StoredTask {
    #[serde(rename = "_id")]
    id: TaskId,
    project_id: ProjectId,
    employees: Vec<EmployeeId>,
}

#[derive(Serialize, Deserialize)]
struct MemberKey {
    project: ProjectId,
    employee: EmployeeId,
}

#[derive(Serialize, Deserialize)]
struct StoredMember {
    #[serde(rename = "_id")]
    key: MemberKey,
    open: bool,
    terms: Vec<Term>,
}

#[derive(Serialize, Deserialize)]
struct AssignmentKey {
    task: TaskId,
    employee: EmployeeId,
}

#[derive(Serialize, Deserialize)]
struct StoredAssignment {
    #[serde(rename = "_id")]
    key: AssignmentKey,
    project: ProjectId,
    open: bool,
    terms: Vec<TaskTerm>,
}

#[derive(Serialize, Deserialize)]
struct StoredRef {
    #[serde(rename = "_id")]
    id: EmployeeId,
    deactivated_at: Option<Millis>,
}

impl Fixture {
    async fn all<T: Serialize + DeserializeOwned + Send + Sync>(&self, collection: &str) -> Vec<T> {
        let db = self.harness.database(Service::Projects).await;
        db.collection::<T>(collection).find(doc! {}).await.unwrap().try_collect().await.unwrap()
    }

    pub(crate) async fn project_version(&self, id: ProjectId) -> i64 {
        let all: Vec<StoredProject> = self.all("projects").await;
        all.iter().find(|project| project.id == id).unwrap().version
    }

    /// Checks that the stored lists of employees, edges, employees' states and payrolls agree with
    /// each other.
    pub(crate) async fn assert_consistent(&self) {
        let projects: Vec<StoredProject> = self.all("projects").await;
        let tasks: Vec<StoredTask> = self.all("tasks").await;
        let members: Vec<StoredMember> = self.all("members").await;
        let assignments: Vec<StoredAssignment> = self.all("assignments").await;
        let refs: Vec<StoredRef> = self.all("employee_refs").await;

        let listed: BTreeSet<_> = projects.iter().flat_map(|p| p.employees.iter().map(|e| (p.id, *e))).collect();
        let open: BTreeSet<_> = members.iter().filter(|m| m.open).map(|m| (m.key.project, m.key.employee)).collect();
        assert_eq!(listed, open, "the projects' lists and the members' edges agree");
        for member in &members {
            let ends: Vec<_> = member.terms.iter().map(|term| term.until.is_none()).collect();
            let (last, others) = ends.split_last().expect("an edge has a term");
            assert_eq!(*last, member.open, "open is said of the last term");
            assert!(others.iter().all(|open| !open), "only the last term can be open");
        }

        let assigned: BTreeSet<_> =
            tasks.iter().flat_map(|t| t.employees.iter().map(|e| (t.project_id, t.id, *e))).collect();
        let open: BTreeSet<_> =
            assignments.iter().filter(|a| a.open).map(|a| (a.project, a.key.task, a.key.employee)).collect();
        assert_eq!(assigned, open, "the tasks' lists and the assignments' edges agree");
        for (project, _, employee) in assigned {
            assert!(listed.contains(&(project, employee)), "nobody is on a task without being on its project");
        }

        let existing: BTreeSet<_> = projects.iter().map(|project| project.id).collect();
        assert!(tasks.iter().all(|task| existing.contains(&task.project_id)), "a task has a project");

        let terms: BTreeMap<_, _> = members.iter().map(|m| ((m.key.project, m.key.employee), m.terms.len())).collect();
        for assignment in &assignments {
            let last = assignment.terms.last();
            assert_eq!(last.is_some_and(|last| last.term.until.is_none()), assignment.open);
            if let Some(last) = last.filter(|_| assignment.open) {
                let membership = terms[&(assignment.project, assignment.key.employee)];
                assert_eq!(last.member_term as usize + 1, membership, "an assignment hangs on the open membership");
            }
        }

        let deactivated = refs.iter().filter(|r| r.deactivated_at.is_some()).map(|r| r.id);
        for employee in deactivated {
            assert!(listed.iter().all(|(_, on)| *on != employee), "nobody deactivated is on anything");
        }
        for project in &projects {
            let of = |payee: &Payee| match payee {
                Payee::Everybody => true,
                Payee::Employee(id) => project.employees.contains(id),
            };
            assert!(project.payroll.0.keys().all(of), "the payroll names only who is on the project");
        }
    }
}
