//! Adds names to items that have only the ids of projects, tasks and employees, so that people can
//! read them.

use std::borrow::Cow;

use contracts::{
    Adjustment, EmployeeId, LongDay, Name, Overlap, PaidPeriod, ProjectId, ProjectTime, TaskId, TimeRow, Window,
};
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{AllOfBuilder, Ref, RefOr, Schema},
};

use crate::names::{Ids, KnownNames, Names};

/// The ids in an item for which names are added.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ItemIds {
    project: Option<ProjectId>,
    task: Option<TaskId>,
    employee: Option<EmployeeId>,
}

/// A value that contains ids for which names are added.
pub(super) trait HasIds {
    /// The ids in the value.
    fn ids(&self) -> ItemIds;
}

/// An item together with the names of its ids.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Named<T> {
    #[serde(flatten)]
    pub(super) item: T,
    #[serde(flatten)]
    names: ItemNames,
}

/// The names of an item's ids. Names that are not known are missing.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ItemNames {
    /// The name of the project. A deleted project keeps its last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "Website")]
    project_name: Option<Name>,
    /// The name of the task. A deleted task keeps its last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "Front page")]
    task_name: Option<Name>,
    /// The name of the employee.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "Ann Example")]
    employee_name: Option<Name>,
}

// The macro `utoipa::path` does not support generic types inside lists, so each type needs an
// alias.
pub(super) type NamedWindow = Named<Window>;
pub(super) type NamedTimeRow = Named<TimeRow>;
pub(super) type NamedProjectTime = Named<ProjectTime>;
pub(super) type NamedOverlap = Named<Overlap>;
pub(super) type NamedLongDay = Named<LongDay>;
pub(super) type NamedPaidPeriod = Named<PaidPeriod>;
pub(super) type NamedAdjustment = Named<Adjustment>;

/// Looks up the names of the ids in these items, and adds them.
pub(super) async fn named<T: HasIds>(names: &Names, items: Vec<T>) -> Vec<Named<T>> {
    let known = names.of(ids_in(&items)).await;
    with_names(items, &known)
}

/// The ids in these items.
pub(super) fn ids_in<T: HasIds>(items: &[T]) -> Ids {
    let mut all = Ids::default();
    for ItemIds { project, task, employee } in items.iter().map(HasIds::ids) {
        all.projects.extend(project);
        all.tasks.extend(task);
        all.employees.extend(employee);
    }
    all
}

/// Adds the known names to these items.
pub(super) fn with_names<T: HasIds>(items: Vec<T>, known: &KnownNames) -> Vec<Named<T>> {
    let beside = |item: T| {
        let ItemIds { project, task, employee } = item.ids();
        let names = ItemNames {
            project_name: project.and_then(|id| known.work.projects.get(&id).cloned()),
            task_name: task.and_then(|id| known.work.tasks.get(&id).cloned()),
            employee_name: employee.and_then(|id| known.employees.get(&id).cloned()),
        };
        Named { item, names }
    };
    items.into_iter().map(beside).collect()
}

impl<T: ToSchema> PartialSchema for Named<T> {
    fn schema() -> RefOr<Schema> {
        let item = Ref::from_schema_name(T::name());
        RefOr::T(Schema::AllOf(AllOfBuilder::new().item(item).item(ItemNames::schema()).build()))
    }
}

impl<T: ToSchema> ToSchema for Named<T> {
    fn name() -> Cow<'static, str> {
        format!("Named{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl HasIds for Window {
    fn ids(&self) -> ItemIds {
        ItemIds { project: Some(self.project_id), task: Some(self.task_id), employee: Some(self.employee_id) }
    }
}

impl HasIds for TimeRow {
    fn ids(&self) -> ItemIds {
        ItemIds { project: self.project, task: self.task, employee: self.employee }
    }
}

impl HasIds for ProjectTime {
    fn ids(&self) -> ItemIds {
        ItemIds { project: Some(self.id), ..ItemIds::default() }
    }
}

impl HasIds for Overlap {
    fn ids(&self) -> ItemIds {
        ItemIds { project: Some(self.project_id), task: Some(self.task_id), employee: Some(self.employee_id) }
    }
}

impl HasIds for Adjustment {
    fn ids(&self) -> ItemIds {
        ItemIds { project: Some(self.project_id), task: Some(self.task_id), employee: Some(self.employee_id) }
    }
}

impl HasIds for PaidPeriod {
    fn ids(&self) -> ItemIds {
        ItemIds { employee: Some(self.employee_id), ..ItemIds::default() }
    }
}

impl HasIds for LongDay {
    fn ids(&self) -> ItemIds {
        ItemIds { employee: Some(self.employee_id), ..ItemIds::default() }
    }
}
