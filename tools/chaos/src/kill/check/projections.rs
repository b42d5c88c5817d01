use std::collections::{BTreeMap, BTreeSet, HashMap};

use contracts::{EmployeeId, ProjectId, Term};

use super::{
    Outcome,
    state::{AssignmentKey, BindingRow, Edges, MemberKey, State},
};
use crate::kill::ledger::Book;

/// Checks I6: copies equal their originals, nothing is in progress any more, and DEAD has exactly
/// the unreadable messages that the campaign has published.
pub(crate) fn equal(book: &Book, state: &State) -> Outcome {
    let mut outcome = Outcome::new("I6 copies equal their originals");
    lists(&mut outcome, &state.edges);
    references(&mut outcome, state);
    bindings(&mut outcome, state);
    for (what, many) in &state.under_way {
        outcome.check(false, what, || format!("{many} are still under way"));
    }
    outcome.checked += 1;
    for dead in &state.dead {
        let is_poison = book.poison.contains(&dead.payload);
        outcome.check(is_poison, &dead.subject, || format!("is dead and was not poisoned: {}", dead.payload));
    }
    for poison in &book.poison {
        let is_dead = state.dead.iter().any(|dead| dead.payload == *poison);
        outcome.check(is_dead, poison, || "was poisoned and is not in DEAD".into());
    }
    outcome
}

/// Compares the list of projects that directory stores for each employee with the memberships that
/// the service `projects` stores.
fn lists(outcome: &mut Outcome, edges: &Edges) {
    let mut on: BTreeMap<EmployeeId, BTreeSet<ProjectId>> = BTreeMap::new();
    for member in edges.members.iter().filter(|member| member.open) {
        on.entry(member.key.employee).or_default().insert(member.key.project);
    }
    for employee in edges.employees.values() {
        let shown: BTreeSet<ProjectId> = employee.projects.iter().copied().collect();
        let must = on.remove(&employee.id).unwrap_or_default();
        outcome.check(shown == must, employee.id, || format!("shows the projects {shown:?} and is on {must:?}"));
    }
}

/// Compares the copy of the employees' states that the service `projects` stores with the states in
/// directory.
fn references(outcome: &mut Outcome, state: &State) {
    for heard in &state.refs {
        let is = state.edges.employees.get(&heard.id).map(|stored| (stored.epoch, stored.deactivated_at));
        let says = (heard.epoch, heard.deactivated_at);
        outcome.check(is == Some(says), heard.id, || format!("projects has heard {says:?}, directory has {is:?}"));
    }
}

/// Compares the copies that timetrack stores with the data of directory and projects.
fn bindings(outcome: &mut Outcome, state: &State) {
    let edges = &state.edges;
    let (mut employees, mut projects, mut tasks) = (HashMap::new(), HashMap::new(), HashMap::new());
    let (mut members, mut assignments, mut rates) = (HashMap::new(), HashMap::new(), HashMap::new());
    for binding in &state.bindings {
        match binding {
            BindingRow::Employee(e) => employees.extend([(e.0.id, &e.0)]),
            BindingRow::Project(p) => projects.extend([(p.id, p)]),
            BindingRow::Task(t) => tasks.extend([(t.id, t)]),
            BindingRow::Member(m) => {
                members.extend([(MemberKey { project: m.project_id, employee: m.employee_id }, m)]);
            }
            BindingRow::Rates(r) => drop(rates.insert(r.scope.to_string(), r.version)),
            BindingRow::Assignment(a) => {
                assignments.extend([(AssignmentKey { task: a.task_id, employee: a.employee_id }, a)]);
            }
        }
    }
    for stored in edges.employees.values() {
        let copy = employees.get(&stored.id).map(|copy| (copy.version, copy.epoch, copy.deactivated_at));
        let must = (stored.version, stored.epoch, stored.deactivated_at);
        outcome.check(copy == Some(must), stored.id, || format!("timetrack has {copy:?}, directory {must:?}"));
    }
    for stored in edges.projects.values() {
        let copy = projects.get(&stored.id).map(|copy| (copy.version, copy.archived, copy.deleted));
        let must = (stored.version, stored.archived, false);
        outcome.check(copy == Some(must), stored.id, || format!("timetrack has {copy:?}, projects {must:?}"));
    }
    for (id, copy) in projects.iter().filter(|(_, copy)| !copy.deleted) {
        outcome.check(edges.projects.contains_key(id), id, || format!("is gone, and timetrack has {copy:?}"));
    }
    for stored in edges.tasks.values() {
        let copy = tasks.get(&stored.id).map(|copy| (copy.project_id, copy.deleted));
        let must = (stored.project_id, false);
        outcome.check(copy == Some(must), stored.id, || format!("timetrack has {copy:?}, projects {must:?}"));
    }
    for (id, copy) in tasks.iter().filter(|(_, copy)| !copy.deleted) {
        // A task that is deleted with its project has no event of its own, so timetrack may still
        // have it.
        let is_over = projects.get(&copy.project_id).is_some_and(|project| project.deleted);
        outcome.check(edges.tasks.contains_key(id) || is_over, id, || format!("is gone, and timetrack has {copy:?}"));
    }
    for stored in &state.rate_scopes {
        let copy = rates.get(&stored.scope);
        outcome.check(copy == Some(&stored.version), &stored.scope, || {
            format!("timetrack has version {copy:?} of its rates, projects {}", stored.version)
        });
    }
    for stored in &edges.members {
        let copy = members.get(&stored.key).map(|copy| (copy.version, &copy.terms));
        let must = (stored.version, &stored.terms);
        outcome.check(copy == Some(must), stored.key.employee, || {
            format!("on project {}: timetrack has {copy:?}, projects {must:?}", stored.key.project)
        });
    }
    for stored in &edges.assignments {
        let key = stored.key;
        let copy = assignments.get(&key);
        // An assignment that ends with its membership has no event of its own. So an assignment is
        // open only if the term of the membership to which it belongs is open too.
        let is_on = copy.is_some_and(|copy| {
            let member = members.get(&MemberKey { project: copy.project_id, employee: key.employee });
            copy.terms.last().is_some_and(|last| {
                let hangs_on = member.and_then(|member| member.terms.get(last.member_term as usize));
                last.term.is_open() && hangs_on.is_some_and(Term::is_open)
            })
        });
        outcome.check(is_on == stored.open, key.employee, || {
            format!("on task {}: timetrack has {copy:?}, projects {stored:?}", key.task)
        });
        let terms = copy.map_or(0, |copy| copy.terms.len());
        let same = copy.is_some_and(|copy| copy.project_id == stored.project) && terms == stored.terms.len();
        outcome.check(same, key.employee, || format!("on task {}: {copy:?} is no copy of {stored:?}", key.task));
    }
}

#[cfg(test)]
mod tests {
    use contracts::{Millis, Term};

    use super::*;
    use crate::kill::check::{
        state::{DeadRow, RateScopeRow},
        tests::{only, settled},
    };

    #[test]
    fn copies_that_equal_their_originals_are_no_finding() {
        assert_eq!(equal(&Book::default(), &settled()).findings, []);
    }

    #[test]
    fn a_list_of_projects_that_is_behind_is_found() {
        let mut state = settled();
        state.edges.employees.values_mut().for_each(|employee| employee.projects.clear());
        assert!(only(&equal(&Book::default(), &state)).contains("shows the projects"));
    }

    #[test]
    fn a_copy_of_an_older_version_or_with_other_terms_is_found() {
        let changes: [fn(&mut contracts::MemberChanged); 2] =
            [|member| member.version -= 1, |member| member.terms[0].from = Some(Millis(7))];
        for change in changes {
            let mut state = settled();
            let members = state.bindings.iter_mut().filter_map(|binding| match binding {
                BindingRow::Member(member) => Some(member),
                _ => None,
            });
            members.for_each(change);
            assert!(only(&equal(&Book::default(), &state)).contains("on project"));
        }
    }

    #[test]
    fn rates_of_an_older_version_and_rates_that_nobody_has_heard_of_are_found() {
        let mut state = settled();
        state.rate_scopes.push(RateScopeRow { scope: "org".into(), version: 2 });
        assert!(only(&equal(&Book::default(), &state)).contains("of its rates"));
        let rates = |version| serde_json::json!({ "scope": {}, "version": version, "rates": [] });
        for (version, findings) in [(1, 1), (2, 0)] {
            let heard: contracts::RatesChanged = serde_json::from_value(rates(version)).unwrap();
            state.rate_scopes[0].scope = heard.scope.to_string();
            state.bindings.retain(|binding| !matches!(binding, BindingRow::Rates(_)));
            state.bindings.push(BindingRow::Rates(heard));
            assert_eq!(equal(&Book::default(), &state).findings.len(), findings);
        }
    }

    #[test]
    fn an_assignment_that_timetrack_still_takes_for_open_is_found() {
        let mut state = settled();
        state.edges.assignments[0].open = false;
        assert!(only(&equal(&Book::default(), &state)).contains("on task"));
        // The assignment has ended with its membership, and timetrack has the event about the
        // membership.
        for binding in &mut state.bindings {
            if let BindingRow::Member(member) = binding {
                member.terms = vec![Term { from: None, until: Some(Millis(9)) }];
            }
        }
        state.edges.members[0].terms = vec![Term { from: None, until: Some(Millis(9)) }];
        assert_eq!(equal(&Book::default(), &state).findings, []);
    }

    #[test]
    fn what_is_under_way_and_what_died_without_poison_is_found_and_so_is_poison_that_is_away() {
        let mut state = settled();
        state.under_way.insert("outbox of projects".into(), 1);
        assert!(only(&equal(&Book::default(), &state)).contains("under way"));
        let mut state = settled();
        state.dead.push(DeadRow { subject: "dead.x".into(), payload: "p".into() });
        assert!(only(&equal(&Book::default(), &state)).contains("not poisoned"));
        let book = Book { poison: ["p".to_owned()].into(), ..Book::default() };
        assert_eq!(equal(&book, &state).findings, []);
        assert!(only(&equal(&book, &settled())).contains("not in DEAD"));
    }
}
