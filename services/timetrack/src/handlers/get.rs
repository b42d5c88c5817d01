use std::{sync::Arc, time::Duration};

use async_nats::jetstream::stream::RawMessageErrorKind;
use contracts::{
    Bounded, Caller, Code, EmployeeId, Failure, GetWindow, INGEST_BATCHES_CONSUMER, IngestBatch, NOBODY, Service,
    WindowContent, WindowId, WindowState, Within, stream,
};
use kit::{Call, Error};
use tokio::time::timeout;

use super::list::with_negative_time;
use crate::{App, consumers::until_queue_is_done, domain::Quarantined, store::StoredWindow};

/// How long a request for an unknown window waits for the queue. It must be shorter than the
/// caller's timeout.
const PATIENCE: Duration = Duration::from_secs(1);

/// Gets the state of a window: recorded, queued, set aside or rejected; 404 if no such window was
/// sent.
pub(crate) async fn get(
    app: Arc<App>,
    call: Call,
    Bounded { asked: request, within }: Bounded<GetWindow>,
) -> Result<WindowState, Error> {
    let employee = owner(&app, &call, request, within.as_ref()).await?;
    if let Some(state) = known(&app, request, employee).await? {
        return Ok(state.told_to(request.set_aside));
    }
    let Some(seq) = request.seq else {
        // Without a sequence number, the window may be in any message that is in the queue now.
        match timeout(PATIENCE, until_queue_is_done(&app)).await {
            Ok(Err(error)) if error.to_failure().code != Code::WindowsWaiting => return Err(error),
            Ok(Ok(())) => {}
            _ => {
                let detail =
                    "Windows are still waiting to be recorded; yours may be among them. Ask again in a moment.";
                return Err(Failure::new(Code::Unavailable, detail).into());
            }
        }
        // The owner must be determined again, because the window may have left the queue since.
        let employee = owner(&app, &call, request, within.as_ref()).await?;
        let state = known(&app, request, employee).await?;
        return state.map(|state| state.told_to(request.set_aside)).ok_or_else(|| Failure::not_found("window").into());
    };
    // A sequence number counts only if its message contains this window. Otherwise a client could
    // query the state of a window with any number.
    if let Some(payload) = message_at(&app, seq).await? {
        return match holds(&payload, request.id, employee) {
            true => Ok(WindowState::Queued),
            false => Err(Failure::not_found("window").into()),
        };
    }
    // The window may have been recorded or quarantined since the first search.
    if let Some(state) = known(&app, request, employee).await? {
        return Ok(state.told_to(request.set_aside));
    }
    for consumer in [Service::Timetrack.name(), INGEST_BATCHES_CONSUMER] {
        let dead = kit::dead_at(&app.bus, stream::INGEST, consumer, seq).await?;
        if dead.is_some_and(|dead| holds(&dead.payload, request.id, employee)) {
            let detail = "The window could not be read. An admin finds it among the dead messages.";
            return Ok(WindowState::Rejected { code: Code::Internal, detail: detail.to_owned() });
        }
    }
    Err(Failure::not_found("window").into())
}

/// The employee that the window must belong to; none if the caller may see the windows of all
/// employees.
async fn owner(
    app: &App,
    call: &Call,
    request: GetWindow,
    within: Option<&Within>,
) -> Result<Option<EmployeeId>, Error> {
    if let Caller::Employee(id) = call.caller {
        return Ok(Some(id));
    }
    call.require_admin()?;
    match within {
        Some(within) => owner_within(app, request, within).await.map(Some),
        None => Ok(None),
    }
}

/// The employee of the window that a manager requests. For an unknown window, it is the manager:
/// the reply is then the same as for an unknown window of their own.
///
/// # Errors
/// 403 if the window belongs to an employee of another team.
async fn owner_within(app: &App, request: GetWindow, within: &Within) -> Result<EmployeeId, Error> {
    let mut owners: Vec<EmployeeId> = Vec::new();
    // A window may move from the queue to quarantine or to the recorded windows, and from
    // quarantine to the recorded windows. The search has the same order, so it does not miss a
    // window that moves meanwhile.
    if let Some(payload) = message_at(app, request.seq.unwrap_or_default()).await? {
        let batch = serde_json::from_slice::<IngestBatch>(&payload).map(|batch| batch.items).unwrap_or_default();
        owners.extend(batch.into_iter().filter(|item| item.id == request.id).map(|item| item.employee_id));
    }
    let quarantined = app.store.quarantine.under(request.id, None).await?;
    owners.extend(quarantined.iter().map(|quarantined| quarantined.item.employee_id));
    let stored = app.store.windows.find(request.id, None).await?;
    owners.extend(stored.map(|stored| stored.window.employee_id));
    match (owners.iter().find(|owner| within.holds(**owner)), owners.is_empty()) {
        (Some(owner), _) => Ok(*owner),
        (None, true) => Ok(within.manager.unwrap_or(NOBODY)),
        (None, false) => Err(Within::other_team().into()),
    }
}

/// The state of a window that has left the queue; none if it is unknown. If several contents were
/// sent with the same id, the sequence number says which one is meant.
async fn known(app: &App, request: GetWindow, employee: Option<EmployeeId>) -> Result<Option<WindowState>, Error> {
    let quarantined = app.store.quarantine.under(request.id, employee).await?;
    let stored = app.store.windows.find(request.id, employee).await?;
    let meant = request.seq.and_then(|seq| quarantined.iter().find(|quarantined| quarantined.came_at(seq)));
    match (stored, meant) {
        (Some(stored), None) => recorded(app, stored).await.map(Some),
        (Some(stored), Some(quarantined)) => {
            let content = WindowContent::from(&quarantined.item);
            match app.store.windows.was_sent_as(&stored, content, quarantined.item.hash).await? {
                true => recorded(app, stored).await.map(Some),
                false => state_of(app, quarantined).await.map(Some),
            }
        }
        (None, meant) => {
            let undecided = || quarantined.iter().find(|quarantined| quarantined.decision.is_none());
            match meant.or_else(undecided).or(quarantined.first()) {
                Some(quarantined) => state_of(app, quarantined).await.map(Some),
                None => Ok(None),
            }
        }
    }
}

/// The state of a quarantined window. It is recorded if an admin has admitted it.
pub(super) async fn state_of(app: &App, quarantined: &Quarantined) -> Result<WindowState, Error> {
    let admitted_as = quarantined.decision.as_ref().and_then(|decision| decision.recorded_as);
    if let Some(id) = admitted_as
        && let Some(stored) = app.store.windows.find(id, Some(quarantined.item.employee_id)).await?
    {
        return recorded(app, stored).await;
    }
    if let Some(id) = admitted_as
        && let Some(adjustment) = app.store.adjustments.find(id, Some(quarantined.item.employee_id)).await?
    {
        return Ok(WindowState::Recorded(Box::new(adjustment.window)));
    }
    Ok(quarantined.state())
}

/// The state of a recorded window: recorded, or rejected if it is voided.
pub(super) async fn recorded(app: &App, stored: StoredWindow) -> Result<WindowState, Error> {
    if stored.voided {
        let detail = "An admin has made this window count no longer.";
        return Ok(WindowState::Rejected { code: Code::Voided, detail: detail.to_owned() });
    }
    let window = with_negative_time(app, vec![stored.window]).await?.pop();
    window.map(|w| WindowState::Recorded(Box::new(w))).ok_or_else(|| Failure::not_found("window").into())
}

/// Whether a message of the queue contains this window, of this employee or (if none is given) of
/// any. If the message cannot be parsed, the ids are searched for in its text.
fn holds(payload: &[u8], id: WindowId, employee: Option<EmployeeId>) -> bool {
    match serde_json::from_slice::<IngestBatch>(payload) {
        Ok(batch) => batch.items.iter().any(|item| item.id == id && employee.is_none_or(|own| item.employee_id == own)),
        Err(_) => {
            let text = String::from_utf8_lossy(payload);
            text.contains(&id.to_string()) && employee.is_none_or(|own| text.contains(&own.to_string()))
        }
    }
}

/// The payload of the message with this sequence number in the queue; none once it is acknowledged.
async fn message_at(app: &App, seq: u64) -> Result<Option<bytes::Bytes>, Error> {
    // Sequence numbers begin at 1. NATS treats a request for the number 0 as a request without a
    // number.
    if seq == 0 {
        return Ok(None);
    }
    let queue = app.bus.jetstream.get_stream_no_info(stream::INGEST).await.map_err(|e| Error::Nats(e.into()))?;
    match queue.get_raw_message(seq).await {
        Ok(message) => Ok(Some(message.payload)),
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(Error::Nats(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use contracts::EmployeeId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_message_that_cannot_be_read_holds_the_window_whose_id_it_names() {
        let (id, other) = (WindowId(Uuid::from_u128(1)), WindowId(Uuid::from_u128(2)));
        let (ann, bob) = (EmployeeId(Uuid::from_u128(3)), EmployeeId(Uuid::from_u128(4)));
        let broken = format!("{{\"items\":[{{\"id\":\"{id}\",\"employeeId\":\"{ann}\",\"shape\":\"of tomorrow\"}}]}}");
        assert!(holds(broken.as_bytes(), id, None) && holds(broken.as_bytes(), id, Some(ann)));
        assert!(!holds(broken.as_bytes(), other, None) && !holds(broken.as_bytes(), id, Some(bob)));
    }
}
