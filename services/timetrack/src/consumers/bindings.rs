//! Keeps the copy of who may track on what. The version tells old news from new.

use std::sync::Arc;

use contracts::{
    AssignmentChanged, Awaited, EmployeeChanged, MemberChanged, ProjectChanged, RatesChanged, TaskChanged,
};
use kit::{Delivery, Error};

use super::memory::FRESH;
use crate::{App, domain::Binding};

type Caused = Result<Vec<Awaited>, Error>;

pub(crate) async fn employee_changed(app: Arc<App>, _: Delivery, event: EmployeeChanged) -> Caused {
    keep(&app, Binding::Employee(event)).await
}

pub(crate) async fn project_changed(app: Arc<App>, delivery: Delivery, event: ProjectChanged) -> Caused {
    wait_for_memory(&delivery, event.version);
    keep(&app, Binding::Project(event)).await
}

pub(crate) async fn task_changed(app: Arc<App>, delivery: Delivery, event: TaskChanged) -> Caused {
    wait_for_memory(&delivery, event.version);
    keep(&app, Binding::Task(event)).await
}

pub(crate) async fn member_changed(app: Arc<App>, _: Delivery, event: MemberChanged) -> Caused {
    keep(&app, Binding::Member(event)).await
}

pub(crate) async fn assignment_changed(app: Arc<App>, _: Delivery, event: AssignmentChanged) -> Caused {
    keep(&app, Binding::Assignment(event)).await
}

pub(crate) async fn rates_changed(app: Arc<App>, delivery: Delivery, event: RatesChanged) -> Caused {
    delivery.report_later(FRESH);
    keep(&app, Binding::Rates(event)).await
}

/// Whoever has changed rates or terms is told so when every worker has heard of it: what they record after
/// that has the new ones. Nobody remembers what is new.
fn wait_for_memory(delivery: &Delivery, version: i64) {
    if version > 1 {
        delivery.report_later(FRESH);
    }
}

async fn keep(app: &App, binding: Binding) -> Caused {
    app.store.bindings.keep(binding).await?;
    Ok(Vec::new())
}
