//! Compares the copy of the bindings with directory and projects, which own that data.

use std::{collections::HashMap, sync::Arc, time::Duration};

use contracts::{
    AssignmentChanged, AssignmentKey, BindingsRepaired, EmployeeChanged, ListAssignments, ListEmployeeStates,
    ListMembers, ListProjectStates, ListTaskStates, MemberKey, Page, ReconcileTimetrack, Reconciled, Request,
};
use kit::{Call, Copies, Differences, Error, LocalCopy, Reconciler, Tally, new_id};

use crate::{
    App,
    domain::{Binding, BindingKey},
};

/// The names of the copies, in the order of comparison. A task needs its project, and an assignment
/// needs its membership, so projects and members are compared first.
pub(crate) const COPIES: [&str; 5] = ["employees", "projects", "tasks", "members", "assignments"];

impl Copies for App {
    fn reconciler(&self) -> &Reconciler {
        &self.reconciler
    }

    async fn compare_all(&self) -> Result<Vec<(&'static str, Tally)>, Error> {
        let employees = Kind {
            app: self,
            prefix: "e:",
            ask: |after| ListEmployeeStates { after },
            binding: |entry| Binding::Employee(EmployeeChanged(entry)),
            key: BindingKey::Employee,
        };
        let projects = Kind {
            app: self,
            prefix: "p:",
            ask: |after| ListProjectStates { after },
            binding: Binding::Project,
            key: BindingKey::Project,
        };
        let tasks = Kind {
            app: self,
            prefix: "t:",
            ask: |after| ListTaskStates { after },
            binding: Binding::Task,
            key: BindingKey::Task,
        };
        let members = Kind {
            app: self,
            prefix: "m:",
            ask: |after| ListMembers { after },
            binding: Binding::Member,
            key: |at: MemberKey| BindingKey::Member(at.project, at.employee),
        };
        let assignments = Kind {
            app: self,
            prefix: "a:",
            ask: |after| ListAssignments { after },
            binding: Binding::Assignment,
            key: |at: AssignmentKey| BindingKey::Assignment(at.task, at.employee),
        };
        let tallies = [
            self.reconciler.compare(&employees).await?,
            self.reconciler.compare(&projects).await?,
            self.reconciler.compare(&tasks).await?,
            self.reconciler.compare(&members).await?,
            self.reconciler.compare(&assignments).await?,
        ];
        Ok(COPIES.into_iter().zip(tallies).collect())
    }
}

/// Compares all copies now, repairs the differences, and returns the result. For admins.
pub(crate) async fn reconcile(app: Arc<App>, call: Call, _: ReconcileTimetrack) -> Result<Reconciled, Error> {
    call.require_admin()?;
    Reconciler::now(app).await
}

/// The bindings of one kind, as one copy that is compared.
struct Kind<'a, R, T, C> {
    app: &'a App,
    /// The prefix of the keys of this kind.
    prefix: &'static str,
    ask: fn(Option<C>) -> R,
    binding: fn(T) -> Binding,
    key: fn(C) -> BindingKey,
}

impl<R, T, C> LocalCopy for Kind<'_, R, T, C>
where
    R: Request<Reply = Page<T, C>>,
    T: Clone + Send + Sync,
    C: Copy + Send + Sync,
{
    type PageRequest = R;
    type Entry = T;
    type At = C;
    /// The key and the version of a stored binding.
    type Key = (BindingKey, i64);

    fn ask(&self, after: Option<C>) -> R {
        (self.ask)(after)
    }

    async fn differences(
        &self,
        after: Option<C>,
        page: &Page<T, C>,
    ) -> Result<Differences<T, (BindingKey, i64)>, Error> {
        let Self { app, prefix, .. } = self;
        let from = after.map_or_else(|| (*prefix).to_owned(), |after| (self.key)(after).to_string());
        // `~` sorts after every character of a key, so this limit is after all keys of the kind.
        let upto = page.next.map_or_else(|| format!("{prefix}~"), |next| (self.key)(next).to_string());
        let known = app.store.bindings.between(&from, &upto).await?;
        let mut only_here: HashMap<_, _> = known.into_iter().map(|known| (known.key(), known)).collect();
        let mut differences = Differences { differing: Vec::new(), extra: Vec::new() };
        for item in &page.items {
            let entry = (self.binding)(item.clone());
            let known = only_here.remove(&entry.key());
            if says_else(app, known, &entry).await? {
                differences.differing.push(item.clone());
            }
        }
        for (key, known) in only_here {
            if is_live(app, &known).await? {
                differences.extra.push((key, known.version()));
            }
        }
        Ok(differences)
    }

    async fn heal(&self, entry: T) -> Result<bool, Error> {
        let entry = (self.binding)(entry);
        tracing::warn!(key = %entry.key(), "a party was not as its service knows it");
        keep(self.app, &entry).await
    }

    async fn end(&self, (key, version): (BindingKey, i64)) -> Result<bool, Error> {
        tracing::warn!(%key, "no service knows of a party");
        end(self.app, key, version).await
    }
}

/// Stores a binding, unless a newer one is stored, and returns whether it was stored. The event
/// `BindingsRepaired` makes workers empty their caches.
async fn keep(app: &App, binding: &Binding) -> Result<bool, Error> {
    kit::change!(app.db.awaited(Duration::ZERO), tx => {
        let is_kept = app.store.bindings.heal(tx, binding.clone()).await?;
        if is_kept {
            tx.is_audited_elsewhere();
            tx.emit(&BindingsRepaired { id: new_id() }).await?;
        }
        Ok(is_kept)
    })
}

/// Ends a binding that its owner does not have, as the missed event would have done. A project or
/// task becomes deleted; a binding of another kind is removed.
async fn end(app: &App, key: BindingKey, version: i64) -> Result<bool, Error> {
    let known = app.store.bindings.rows([key]).await?.pop().filter(|known| known.version() == version);
    let now = app.clock.now();
    match known {
        None => Ok(false),
        Some(Binding::Project(mut project)) => {
            (project.deleted, project.version) = (true, version + 1);
            project.open.iter_mut().flat_map(|open| open.last_mut()).for_each(|last| last.end(now));
            keep(app, &Binding::Project(project)).await
        }
        Some(Binding::Task(mut task)) => {
            (task.deleted, task.version) = (true, version + 1);
            task.projects.iter_mut().flat_map(|on| on.last_mut()).for_each(|last| last.term.end(now));
            keep(app, &Binding::Task(task)).await
        }
        Some(_) => kit::change!(app.db.awaited(Duration::ZERO), tx => {
            let is_forgotten = app.store.bindings.forget(tx, key, version).await?;
            if is_forgotten {
                tx.is_audited_elsewhere();
                tx.emit(&BindingsRepaired { id: new_id() }).await?;
            }
            Ok(is_forgotten)
        }),
    }
}

/// Whether the owner must have this binding. The service `projects` keeps no deleted projects and
/// tasks, and it deletes the tasks of a deleted project without an event for each.
async fn is_live(app: &App, binding: &Binding) -> Result<bool, Error> {
    Ok(match binding {
        Binding::Project(project) => !project.deleted,
        Binding::Task(task) if task.deleted => false,
        Binding::Task(task) => {
            let project = app.store.bindings.rows([BindingKey::Project(task.project_id)]).await?.pop();
            !matches!(project, Some(Binding::Project(project)) if project.deleted)
        }
        Binding::Employee(_) | Binding::Member(_) | Binding::Assignment(_) | Binding::Rates(_) => true,
    })
}

/// Whether the stored binding is missing, or differs from the owner's and is not newer. Two things
/// are no difference: a field that an earlier version of the owner's program did not send, and a
/// change that follows from another event.
async fn says_else(app: &App, known: Option<Binding>, entry: &Binding) -> Result<bool, Error> {
    let Some(mut known) = known else { return Ok(true) };
    if known.version() > entry.version() {
        return Ok(false);
    }
    match (&mut known, entry) {
        (Binding::Employee(known), Binding::Employee(entry)) if known.0.active.is_none() => {
            known.0.active.clone_from(&entry.0.active);
        }
        (Binding::Project(known), Binding::Project(entry)) if known.open.is_none() => {
            known.open.clone_from(&entry.open)
        }
        (Binding::Task(known), Binding::Task(entry)) => {
            // When a membership ends, the service `projects` raises the version of the task without
            // an event about the task. So the version is not compared.
            known.version = entry.version;
            if known.projects.is_none() {
                known.projects.clone_from(&entry.projects);
            }
        }
        (Binding::Assignment(known), Binding::Assignment(entry))
            if ended_with_membership(app, known, entry).await? =>
        {
            return Ok(false);
        }
        _ => {}
    }
    Ok(known != *entry)
}

/// Whether the stored assignment differs from the owner's only in its version and in that its last
/// term has not ended, and the membership of that term has ended in the stored copy. Then the end
/// of the assignment follows from the end of the membership.
async fn ended_with_membership(app: &App, known: &AssignmentChanged, entry: &AssignmentChanged) -> Result<bool, Error> {
    let mut ended = AssignmentChanged { version: entry.version, ..known.clone() };
    let Some(last) = ended.terms.last_mut().filter(|last| last.term.is_open()) else { return Ok(false) };
    last.term.until = entry.terms.last().and_then(|last| last.term.until);
    let place = last.member_term as usize;
    if ended != *entry {
        return Ok(false);
    }
    let member = app.store.bindings.rows([BindingKey::Member(entry.project_id, entry.employee_id)]).await?.pop();
    let Some(Binding::Member(member)) = member else { return Ok(false) };
    Ok(member.terms.get(place).is_some_and(|term| !term.is_open()))
}
