//! Plans the changes to durable consumers and their settings.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use async_nats::jetstream::{
    Context as JetStream,
    consumer::{AckPolicy, DeliverPolicy, IntoConsumerConfig, PullConsumer},
    stream::ConsumerErrorKind,
};
use kit::Pull;

use crate::plan::{Plan, Step};

/// Plans the creation or the change of one consumer.
pub(crate) async fn plan(jetstream: &JetStream, pull: &Pull) -> Result<Plan> {
    let Pull { stream, durable, .. } = *pull;
    let (name, context, wanted) = (format!("consumer {durable} of {stream}"), jetstream.clone(), pull.config());
    let mut plan = Plan::default();
    let says = match jetstream.get_consumer_from_stream(durable, stream).await {
        Ok(found) => {
            let found: PullConsumer = found;
            let (found, wanted) = (&found.cached_info().config, wanted.clone().into_consumer_config());
            if found.deliver_policy != DeliverPolicy::All || found.ack_policy != AckPolicy::Explicit {
                plan.refused.push(format!(
                    "the {name} does not deliver everything from the start and await every acknowledgement: that cannot be changed; delete it and run this again"
                ));
            }
            let mut says = Vec::new();
            let (hears, is_to_hear): (BTreeSet<_>, BTreeSet<_>) =
                (kit::filter_subjects(found), kit::filter_subjects(&wanted));
            if hears != is_to_hear {
                says.push(format!("subjects from {hears:?} to {is_to_hear:?}"));
            }
            macro_rules! compare {
                ($($field:ident),*) => {$(
                    if found.$field != wanted.$field {
                        says.push(format!("{} from {:?} to {:?}", stringify!($field), found.$field, wanted.$field));
                    }
                )*};
            }
            compare!(ack_wait, max_ack_pending, max_deliver);
            says
        }
        // The consumer does not exist, or its stream does not exist.
        Err(error) if matches!(error.kind(), ConsumerErrorKind::JetStream(e) if e.code() == 404) => {
            vec!["create".to_owned()]
        }
        Err(error) => return Err(error).with_context(|| format!("cannot look at the {name}")),
    };
    if !says.is_empty() {
        // `create_consumer_on_stream` also changes a consumer that exists.
        plan.then.push(Step::new(format!("{name}: {}", says.join(", ")), async move {
            context.create_consumer_on_stream(wanted, stream).await?;
            Ok(())
        }));
    }
    Ok(plan)
}
