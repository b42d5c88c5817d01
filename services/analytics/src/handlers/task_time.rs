use std::sync::Arc;

use contracts::{GetTaskTime, TaskTime};
use kit::{Call, Error};

use crate::App;

/// The total time of an employee on a task. For admins, and callers who may see the data of this
/// employee.
pub(crate) async fn task_time(app: Arc<App>, call: Call, asked: GetTaskTime) -> Result<TaskTime, Error> {
    let GetTaskTime { employee_id, task_id } = asked;
    call.require_sight_of(employee_id)?;
    let total_time_millis = app.progress.caught_up(|| app.store.employees.on_task(employee_id, task_id)).await?;
    Ok(TaskTime { employee_id, task_id, total_time_millis })
}
