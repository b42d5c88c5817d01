use std::sync::Arc;

use async_nats::jetstream::consumer::{self, pull};
use contracts::{Caller, Code, Failure, GetWindow, Service, WindowState, stream};
use kit::{Call, Error};

use super::list::with_negative_time;
use crate::{App, domain::refusal};

/// What became of a window: recorded, waiting, rejected; or, where nobody can tell, 404.
pub(crate) async fn get(app: Arc<App>, call: Call, request: GetWindow) -> Result<WindowState, Error> {
    let employee = match call.caller {
        Caller::Employee(id) => Some(id),
        _ => {
            call.require_admin()?;
            None
        }
    };
    // In the order of a window's way, so that none is missed which moves on meanwhile: the queue,
    // quarantine, what is recorded.
    let queue = ingest_info(&app).await?;
    let held = app.store.quarantine.find(request.id, employee).await?;
    if let Some(stored) = app.store.windows.find(request.id, employee).await? {
        if stored.voided {
            let detail = "An admin has made this window count no longer.";
            return Ok(WindowState::Rejected { code: Code::Voided, detail: detail.to_owned() });
        }
        let window = with_negative_time(&app, vec![stored]).await?.pop();
        return window.map(|w| WindowState::Recorded(Box::new(w))).ok_or_else(|| Failure::not_found("window").into());
    }
    if let Some(held) = held {
        return Ok(match held.waiting {
            true => WindowState::Queued,
            false => WindowState::Rejected { code: held.code, detail: refusal(held.code).to_owned() },
        });
    }
    match request.seq {
        Some(seq) if queue.ack_floor.stream_sequence < seq => Ok(WindowState::Queued),
        Some(_) => {
            let detail = "The window could not be read. An admin finds it among the dead messages.";
            Ok(WindowState::Rejected { code: Code::Internal, detail: detail.to_owned() })
        }
        None if queue.num_pending > 0 || queue.num_ack_pending > 0 => {
            let detail = "Windows are still waiting to be recorded; yours may be among them. Ask again in a moment.";
            Err(Failure::new(Code::Unavailable, detail).into())
        }
        None => Err(Failure::not_found("window").into()),
    }
}

async fn ingest_info(app: &App) -> Result<consumer::Info, Error> {
    let durable = Service::Timetrack.name();
    let consumer = app.bus.jetstream.get_consumer_from_stream::<pull::Config, _, _>(durable, stream::INGEST).await;
    Ok(consumer.map_err(|e| Error::Nats(e.into()))?.cached_info().clone())
}
