//! Consumers that keep timetrack's copy of the bindings, from the events of the services that own
//! them. A stored binding is replaced only by a later version of it.

use std::sync::Arc;

use contracts::{
    AssignmentChanged, Awaited, EmployeeChanged, MemberChanged, ProjectChanged, RatesChanged, TaskChanged,
};
use kit::{Delivery, Error};

use crate::{App, domain::Binding};

type Caused = Result<Vec<Awaited>, Error>;

pub(crate) async fn employee_changed(app: Arc<App>, _: Delivery, event: EmployeeChanged) -> Caused {
    keep(&app, Binding::Employee(event)).await
}

pub(crate) async fn project_changed(app: Arc<App>, _: Delivery, event: ProjectChanged) -> Caused {
    keep(&app, Binding::Project(event)).await
}

pub(crate) async fn task_changed(app: Arc<App>, _: Delivery, event: TaskChanged) -> Caused {
    keep(&app, Binding::Task(event)).await
}

pub(crate) async fn member_changed(app: Arc<App>, _: Delivery, event: MemberChanged) -> Caused {
    keep(&app, Binding::Member(event)).await
}

pub(crate) async fn assignment_changed(app: Arc<App>, _: Delivery, event: AssignmentChanged) -> Caused {
    keep(&app, Binding::Assignment(event)).await
}

pub(crate) async fn rates_changed(app: Arc<App>, _: Delivery, event: RatesChanged) -> Caused {
    keep(&app, Binding::Rates(event)).await
}

async fn keep(app: &App, binding: Binding) -> Caused {
    app.store.bindings.keep(binding).await?;
    Ok(Vec::new())
}
