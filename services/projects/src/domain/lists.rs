//! Checks of the lists in request bodies.

use std::{collections::HashSet, hash::Hash};

use contracts::{CHOICES_MOST, EmployeeId, Failure, FieldError, Label, MEMBERS_MOST};

/// Removes duplicates, and keeps the order.
pub(crate) fn distinct<T: Copy + Eq + Hash>(mut ids: Vec<T>) -> Vec<T> {
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    ids
}

/// The invalid fields of a request body, each with a message.
#[derive(Debug, Default)]
pub(super) struct Unfit(Vec<FieldError>);

impl Unfit {
    /// Checks the number of employees of a project.
    pub(super) fn employees(mut self, employees: Option<&Vec<EmployeeId>>) -> Self {
        if employees.is_some_and(|all| all.len() > MEMBERS_MOST) {
            self.add("employees", format!("must be at most {MEMBERS_MOST} employees"));
        }
        self
    }

    /// Checks a list of statuses or priorities.
    pub(super) fn choices(mut self, field: &str, choices: Option<&Vec<Label>>) -> Self {
        let Some(choices) = choices else { return self };
        let different: HashSet<_> = choices.iter().collect();
        if choices.is_empty() || choices.len() > CHOICES_MOST {
            self.add(field, format!("must be 1 to {CHOICES_MOST} words"));
        } else if different.len() < choices.len() {
            self.add(field, "must not hold the same word twice".into());
        } else if choices.iter().any(|choice| choice.as_str().is_empty()) {
            self.add(field, "must not hold an empty word".into());
        }
        self
    }

    fn add(&mut self, field: &str, message: String) {
        self.0.push(FieldError { field: field.to_owned(), message });
    }

    /// Refuses the body when a field is invalid.
    ///
    /// # Errors
    /// 422.
    pub(super) fn check(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::fields(self.0)) }
    }
}
