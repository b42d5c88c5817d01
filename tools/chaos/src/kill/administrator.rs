use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bench::Mailbox;
use contracts::{Employee, EmployeeId, Project, ProjectId, Task, TaskId, WindowId};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    client::{ApiClient, As, Reply},
    ledger::{Act, Attempt, Away, Done, Invited, Ledger, Serial, Shown, Word, now},
    pace::Pace,
    people::{PASSWORD, Person, Works},
    rng::Rng,
};

/// The shortest and the longest pause between two changes of an admin, in milliseconds.
const PAUSE: (u64, u64) = (20, 250);
/// The largest number of employees that each admin invites.
const INVITED_MOST: usize = 12;

/// An admin who changes a set of employees and projects at random. Nobody else changes these, so
/// their expected state is known.
pub(crate) struct Administrator {
    pub(crate) number: usize,
    pub(crate) people: Vec<Arc<Person>>,
    pub(crate) projects: Vec<ProjectId>,
    pub(crate) tasks: Vec<TaskId>,
    pub(crate) client: ApiClient,
    pub(crate) ledger: Ledger,
    pub(crate) pace: Pace,
    pub(crate) works: Works,
    pub(crate) mailbox: Mailbox,
    pub(crate) rng: Rng,
    /// The tokens that employees had when they were deactivated.
    pub(crate) dead_tokens: BTreeMap<EmployeeId, Vec<String>>,
    pub(crate) invited: usize,
    pub(crate) made: usize,
}

impl Administrator {
    /// Makes random changes until the campaign ends.
    pub(crate) async fn run(mut self) {
        while !self.pace.is_over() {
            match self.rng.below(100) {
                0..22 => self.set_members().await,
                22..44 => self.assign().await,
                44..52 => self.move_task().await,
                52..58 => self.archive().await,
                58..61 => self.replace_task().await,
                61..63 => self.replace_project().await,
                63..71 => self.deactivate().await,
                71..80 => self.reactivate().await,
                80..84 => self.rename().await,
                84..86 => self.invite().await,
                86..92 => self.correct().await,
                92..96 => self.void().await,
                96..98 => self.update_windows().await,
                _ => self.at_once().await,
            }
            sleep(Duration::from_millis(self.rng.between(PAUSE.0, PAUSE.1))).await;
        }
    }

    /// Sends a request as the admin, and records it with its answer.
    async fn act(&self, what: String, about: Vec<String>, method: Method, path: &str, body: Option<Value>) -> Reply {
        let sent = now();
        let reply = self.client.call(method, path, As::Admin, body.as_ref()).await;
        let act = Act { sent, answered: now(), what, answer: reply.words(), about };
        self.ledger.book().acts.push(act);
        reply
    }

    fn person(&mut self) -> Option<Arc<Person>> {
        let place = self.rng.below(self.people.len());
        self.people.get(place).cloned()
    }

    /// Returns some of the employees at random. Sometimes one of them is deactivated, or may be:
    /// the system must refuse a request with a deactivated one.
    fn some_people(&mut self) -> BTreeSet<EmployeeId> {
        let ids: Vec<EmployeeId> = self.people.iter().map(|person| person.id).collect();
        ids.into_iter().filter(|id| (!self.is_away(*id) || self.rng.percent(5)) && self.rng.percent(70)).collect()
    }

    fn is_away(&self, id: EmployeeId) -> bool {
        self.ledger.book().expected.deactivated.get(&id).copied().flatten() != Some(false)
    }

    fn members(&self, project: ProjectId) -> Option<BTreeSet<EmployeeId>> {
        self.ledger.book().expected.projects.get(&project).cloned().flatten()
    }

    async fn set_members(&mut self) {
        let Some(project) = self.rng.one_of(&self.projects) else { return };
        let people = self.some_people();
        let about = [project.to_string()].into_iter().chain(people.iter().map(ToString::to_string)).collect();
        let body = json!({ "employees": people });
        let path = format!("/api/v1/project/{project}");
        let reply =
            self.act(format!("put {people:?} on project {project}"), about, Method::PUT, &path, Some(body)).await;
        self.project_is(project, &reply, people).await;
    }

    /// Applies the answer to a change of a project's members. If the members are unknown
    /// afterwards, reads them again.
    async fn project_is(&self, project: ProjectId, reply: &Reply, people: BTreeSet<EmployeeId>) {
        if self.takes_in(project, reply, people) {
            self.look_again().await;
        }
    }

    /// Applies the answer to the expected state, and returns whether the members are unknown now.
    fn takes_in(&self, project: ProjectId, reply: &Reply, people: BTreeSet<EmployeeId>) -> bool {
        let mut book = self.ledger.book();
        let expected = &mut book.expected;
        match reply.done() {
            Done::No => false,
            Done::Yes => {
                for (of, on) in expected.tasks.values_mut().flatten() {
                    if *of == project {
                        on.retain(|id| people.contains(id));
                    }
                }
                expected.projects.insert(project, Some(people));
                false
            }
            Done::Unknown => {
                expected.projects.insert(project, None);
                let of = |task: &Option<(ProjectId, _)>| task.as_ref().is_none_or(|(of, _)| *of == project);
                expected.tasks.values_mut().filter(|task| of(task)).for_each(|task| *task = None);
                true
            }
        }
    }

    /// Reads unknown state again. Before that it waits until calls in progress must have ended,
    /// because these may still change the state.
    async fn look_again(&self) {
        sleep(Duration::from_secs(6)).await;
        for project in &self.projects {
            if self.members(*project).is_some() {
                continue;
            }
            let path = format!("/api/v1/project/{project}");
            let read = self.client.call(Method::GET, &path, As::Admin, None).await;
            if let Some(read) = read.read::<Project>().filter(|_| read.is_ok()) {
                self.ledger.book().expected.projects.insert(*project, Some(read.employees.into_iter().collect()));
            }
        }
        for task in &self.tasks {
            if matches!(self.ledger.book().expected.tasks.get(task), Some(Some(_))) {
                continue;
            }
            let read = self.client.call(Method::GET, &format!("/api/v1/task/{task}"), As::Admin, None).await;
            if let Some(read) = read.read::<Task>().filter(|_| read.is_ok()) {
                let is = (read.project_id, read.employees.into_iter().collect());
                self.ledger.book().expected.tasks.insert(*task, Some(is));
            }
        }
    }

    async fn assign(&mut self) {
        let Some(task) = self.rng.one_of(&self.tasks) else { return };
        let Some(Some((project, _))) = self.ledger.book().expected.tasks.get(&task).cloned() else { return };
        let on = self.members(project).unwrap_or_default();
        let people: BTreeSet<_> =
            self.some_people().into_iter().filter(|id| on.contains(id) || self.rng.percent(3)).collect();
        self.change_task(task, project, people, json!({})).await;
    }

    async fn move_task(&mut self) {
        let Some(task) = self.rng.one_of(&self.tasks) else { return };
        let Some(project) = self.rng.one_of(&self.projects) else { return };
        let on = self.members(project).unwrap_or_default();
        let people: BTreeSet<_> = on.into_iter().filter(|_| self.rng.percent(70)).collect();
        self.change_task(task, project, people, json!({ "projectId": project })).await;
    }

    async fn change_task(&self, task: TaskId, project: ProjectId, people: BTreeSet<EmployeeId>, mut body: Value) {
        body["employees"] = json!(people);
        let about = [task.to_string(), project.to_string()].into_iter().chain(people.iter().map(ToString::to_string));
        let (what, path) = (format!("put {people:?} on task {task} of {project}"), format!("/api/v1/task/{task}"));
        let reply = self.act(what, about.collect(), Method::PUT, &path, Some(body)).await;
        match reply.done() {
            Done::No => return,
            Done::Yes => {
                self.ledger.book().expected.tasks.insert(task, Some((project, people)));
                self.works.add(project, task);
                return;
            }
            Done::Unknown => self.ledger.book().expected.tasks.insert(task, None),
        };
        self.look_again().await;
    }

    async fn archive(&mut self) {
        let Some(project) = self.rng.one_of(&self.projects) else { return };
        let path = format!("/api/v1/project/{project}");
        for archived in [true, false] {
            let (what, about) = (format!("archived = {archived} of {project}"), vec![project.to_string()]);
            self.act(what, about, Method::PUT, &path, Some(json!({ "archived": archived }))).await;
            sleep(Duration::from_millis(self.rng.between(PAUSE.0, PAUSE.1))).await;
        }
    }

    async fn replace_task(&mut self) {
        let place = self.rng.below(self.tasks.len());
        let Some(task) = self.tasks.get(place).copied() else { return };
        let Some(project) = self.rng.one_of(&self.projects) else { return };
        let Some(on) = self.members(project) else { return };
        let path = format!("/api/v1/task/{task}");
        let reply = self.act(format!("delete task {task}"), vec![task.to_string()], Method::DELETE, &path, None).await;
        // Without a success the task may still exist, so its expected state is unknown. In both
        // cases the task is not used any more.
        if reply.is_ok() {
            self.ledger.book().expected.tasks.remove(&task);
        } else {
            self.ledger.book().expected.tasks.insert(task, None);
        }
        self.tasks.remove(place);
        self.new_task(project, on).await;
    }

    async fn new_task(&mut self, project: ProjectId, on: BTreeSet<EmployeeId>) {
        self.made += 1;
        let body =
            json!({ "name": format!("Task {}-{}", self.number, self.made), "projectId": project, "employees": on });
        let what = format!("new task of {project} with {on:?}");
        let reply = self.act(what, vec![project.to_string()], Method::POST, "/api/v1/task", Some(body)).await;
        if let Some(made) = reply.read::<Task>().filter(|_| reply.is_ok()) {
            self.ledger.book().expected.tasks.insert(made.id, Some((project, on)));
            self.works.add(project, made.id);
            self.tasks.push(made.id);
        }
    }

    async fn replace_project(&mut self) {
        let place = self.rng.below(self.projects.len());
        let Some(project) = self.projects.get(place).copied() else { return };
        let (what, about) = (format!("delete project {project}"), vec![project.to_string()]);
        let reply = self.act(what, about, Method::DELETE, &format!("/api/v1/project/{project}"), None).await;
        if reply.done() == Done::No {
            return;
        }
        self.projects.remove(place);
        {
            let mut book = self.ledger.book();
            book.expected.projects.remove(&project);
            let of = |task: &Option<(ProjectId, _)>| task.as_ref().is_none_or(|(of, _)| *of == project);
            let gone: Vec<TaskId> =
                self.tasks.iter().copied().filter(|id| book.expected.tasks.get(id).is_none_or(of)).collect();
            gone.iter().for_each(|task| drop(book.expected.tasks.remove(task)));
            self.tasks.retain(|task| !gone.contains(task));
        }
        self.made += 1;
        let people: BTreeSet<_> = self.some_people();
        let body = json!({
            "name": format!("Project {}-{}", self.number, self.made), "employees": people,
            "payroll": { "*": { "billRate": 61.37, "payRate": 23.19 } },
        });
        let reply = self.act("new project".into(), Vec::new(), Method::POST, "/api/v1/project", Some(body)).await;
        if let Some(made) = reply.read::<Project>().filter(|_| reply.is_ok()) {
            self.ledger.book().expected.projects.insert(made.id, Some(people.clone()));
            self.projects.push(made.id);
            for _ in 0..2 {
                self.new_task(made.id, people.clone()).await;
            }
        }
    }

    async fn deactivate(&mut self) {
        let Some(person) = self.person() else { return };
        let (id, token) = (person.id, person.token());
        // `already_deactivated` shows that the employee stays deactivated only if the state was
        // known before. Otherwise a reactivation without an answer may still be carried out.
        let was_known = self.ledger.book().expected.deactivated.insert(id, None).flatten().is_some();
        let path = format!("/api/v1/employee/{id}/deactivate");
        let reply = self.act(format!("deactivate {id}"), vec![id.to_string()], Method::POST, &path, None).await;
        let is_over = reply.is_ok() || (reply.body["code"] == "already_deactivated" && was_known);
        {
            let mut book = self.ledger.book();
            if is_over {
                book.expected.deactivated.insert(id, Some(true));
                if reply.is_ok() || !book.aways.iter().any(|away| away.employee == id && away.until.is_none()) {
                    book.aways.push(Away { employee: id, from: now(), until: None });
                }
                book.expected.projects.values_mut().flatten().for_each(|on| on.retain(|other| *other != id));
                book.expected.tasks.values_mut().flatten().for_each(|(_, on)| on.retain(|other| *other != id));
            } else {
                // It is unknown whether the employee was removed from projects and tasks.
                let had = |on: &BTreeSet<EmployeeId>| on.contains(&id);
                book.expected.projects.values_mut().filter(|on| on.as_ref().is_some_and(had)).for_each(|on| *on = None);
                let tasks = book.expected.tasks.values_mut();
                tasks.filter(|task| task.as_ref().is_some_and(|(_, on)| had(on))).for_each(|task| *task = None);
            }
        }
        self.dead_tokens.entry(id).or_default().extend(token);
        if is_over {
            self.show_dead_tokens(id).await;
        } else {
            self.look_again().await;
        }
    }

    /// Sends the last two tokens of a deactivated employee to every gateway, and records the
    /// answers. The final check requires that none was accepted.
    async fn show_dead_tokens(&self, id: EmployeeId) {
        for base in self.client.bases() {
            for token in self.dead_tokens.get(&id).into_iter().flatten().rev().take(2) {
                let at = now();
                let status = self.client.show(&base, token).await;
                self.ledger.book().shown.push(Shown { employee: id, at, status });
            }
        }
    }

    async fn reactivate(&mut self) {
        let away: Vec<_> = self.people.iter().filter(|person| self.is_away(person.id)).cloned().collect();
        let place = self.rng.below(away.len());
        let Some(person) = away.get(place).cloned() else { return };
        let id = person.id;
        if self.ledger.book().expected.deactivated.get(&id) == Some(&Some(true)) {
            self.show_dead_tokens(id).await;
        }
        {
            let mut book = self.ledger.book();
            book.expected.deactivated.insert(id, None);
            let at = now();
            for away in book.aways.iter_mut().filter(|away| away.employee == id && away.until.is_none()) {
                away.until = Some(at);
            }
        }
        let path = format!("/api/v1/employee/{id}/reactivate");
        let reply = self.act(format!("reactivate {id}"), vec![id.to_string()], Method::POST, &path, None).await;
        if reply.is_ok() || reply.body["code"] == "not_deactivated" {
            self.ledger.book().expected.deactivated.insert(id, Some(false));
            if let Some(token) = self.client.log_in(&person.email, PASSWORD).await {
                person.set_token(Some(token));
            }
        }
    }

    /// Changes an employee's title, which causes an event but no change of memberships.
    async fn rename(&mut self) {
        let Some(person) = self.person() else { return };
        let body = json!({ "title": format!("Number {}", self.rng.below(1_000)) });
        let (what, path) = (format!("rename {}", person.id), format!("/api/v1/employee/{}", person.id));
        self.act(what, vec![person.id.to_string()], Method::PUT, &path, Some(body)).await;
    }

    /// Invites a new employee. Every third invitation is used twice at the same time.
    async fn invite(&mut self) {
        if self.invited == INVITED_MOST {
            return;
        }
        self.invited += 1;
        let name = format!("guest-{}-{}", self.number, self.invited);
        let email = format!("{name}@chaos.example");
        let body = json!({ "name": name, "email": email });
        let reply = self
            .act(format!("invite {email}"), vec![email.clone()], Method::POST, "/api/v1/employee", Some(body))
            .await;
        let Some(made) = reply.read::<Employee>().filter(|_| reply.is_ok()) else { return };
        self.ledger.book().invited.insert(made.id, Invited { email: email.clone(), used: BTreeMap::new() });
        if !self.invited.is_multiple_of(3) {
            return;
        }
        // During an outage the mail may arrive too late for this. The final check requires that it
        // has arrived.
        let waiting = timeout(Duration::from_secs(5), self.mailbox.invitation(&email, None)).await;
        let Ok(Ok(token)) = waiting else { return };
        let activate = async |password: &str| {
            let body = json!({ "token": token, "password": password });
            self.client.call(Method::POST, "/api/auth/activate", As::Nobody, Some(&body)).await
        };
        let (one, other) = tokio::join!(activate(PASSWORD), activate("quiet lantern over the harbour"));
        let used = u32::from(one.is_ok()) + u32::from(other.is_ok());
        if let Some(invited) = self.ledger.book().invited.get_mut(&made.id) {
            *invited.used.entry(token).or_default() += used;
        }
    }

    /// Picks a random window of a random employee. Returns its serial number and id, or `None` if
    /// the window is not certainly recorded.
    fn recorded(&mut self) -> Option<(Serial, WindowId)> {
        let person = self.person()?;
        let book = self.ledger.book();
        let mine = book.by_employee.get(&person.id)?;
        let serial = self.rng.one_of(mine)?;
        let sent = book.windows.get(serial as usize)?;
        let is_recorded = sent.attempts.iter().any(|attempt| attempt.word.is_recorded());
        is_recorded.then_some((serial, sent.id?))
    }

    async fn correct(&mut self) {
        let Some((serial, id)) = self.recorded() else { return };
        let end = self.ledger.book().windows.get(serial as usize).map(|sent| (sent.start, sent.end));
        let Some((start, end)) = end else { return };
        let shorter = start + ((end - start) / 2).max(1);
        let body = match self.rng.below(3) {
            0 => json!({ "end": shorter }),
            1 => json!({ "billRate": self.rng.between(1, 100) as f64 + 0.37 }),
            _ => json!({ "overtime": true }),
        };
        let (what, path) = (format!("correct {id} to {body}"), format!("/api/v1/time-entries/{id}"));
        self.act(what, vec![id.to_string()], Method::PATCH, &path, Some(body)).await;
    }

    async fn void(&mut self) {
        let Some((serial, id)) = self.recorded() else { return };
        let sent = now();
        let path = format!("/api/v1/time-entries/{id}");
        let reply = self.act(format!("void {id}"), vec![id.to_string()], Method::DELETE, &path, None).await;
        let word = match reply.done() {
            Done::Yes => Word::Stored,
            Done::No => Word::Refused(None),
            Done::Unknown => Word::Unknown(reply.words()),
        };
        if let Some(window) = self.ledger.book().windows.get_mut(serial as usize) {
            window.voids.push(Attempt { sent, answered: now(), word });
        }
    }

    async fn update_windows(&mut self) {
        let Some(person) = self.person() else { return };
        let body = json!({ "billRate": self.rng.between(1, 100) as f64 + 0.11, "paid": true });
        let (what, path) =
            (format!("update all of {}", person.id), format!("/api/v1/time-entries/update?employeeId={}", person.id));
        self.act(what, vec![person.id.to_string()], Method::PUT, &path, Some(body)).await;
    }

    /// Sends two concurrent changes of one project. They do not change its members.
    async fn at_once(&mut self) {
        let Some(project) = self.rng.one_of(&self.projects) else { return };
        let path = format!("/api/v1/project/{project}");
        let bodies =
            [json!({ "description": "one" }), json!({ "payroll": { "*": { "billRate": 61.37, "payRate": 23.2 } } })];
        let [one, other] = bodies;
        let change = async |body: Value| self.client.call(Method::PUT, &path, As::Admin, Some(&body)).await;
        tokio::join!(change(one), change(other));
    }
}
