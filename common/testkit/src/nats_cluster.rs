use std::{net::Ipv4Addr, time::Duration};

use async_nats::jetstream;
use contracts::{Account, User, stream};
use kit::config::Environment;
use servers::Nats;
use tempfile::TempDir;

use crate::{
    eventually_within,
    servers::{nats_settings_of_test, start_nats_with},
};

/// How long the servers may take to elect a leader.
const AGREED: Duration = Duration::from_secs(30);

/// Three nats-servers of one test, which are a cluster. Each has a replica of the stream EVENTS.
#[derive(Debug)]
pub struct NatsCluster {
    servers: Vec<Nats>,
    /// The index of the leader of EVENTS in `servers`.
    leader: usize,
    /// A JetStream context that is connected only to that leader.
    jetstream: jetstream::Context,
    _folder: TempDir,
}

impl NatsCluster {
    /// Starts the cluster, creates EVENTS and publishes one event.
    ///
    /// # Panics
    /// When the cluster cannot be started.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let host = Ipv4Addr::LOCALHOST;
        let routes: [u16; 3] = servers::free_ports().expect("free ports");
        let urls = routes.map(|port| format!("\"nats://{host}:{port}\"")).join(", ");
        let mut servers = Vec::new();
        for (number, port) in routes.iter().enumerate() {
            let cluster = format!(
                "server_name: nats-{number}\ncluster {{ name: t3, listen: \"{host}:{port}\", routes: [{urls}] }}\n"
            );
            servers.push(start_nats_with(&folder.path().join(number.to_string()), &cluster).await);
        }
        let events = jetstream::stream::Config {
            name: stream::EVENTS.into(),
            subjects: vec![stream::EVENTS_SUBJECTS.into()],
            num_replicas: servers.len(),
            ..Default::default()
        };
        let first = jetstream_at(&servers[0]).await;
        let leader = eventually_within(AGREED, "the stream has a leader", async || {
            let made = first.get_or_create_stream(events.clone()).await.ok()?;
            made.cached_info().cluster.as_ref()?.leader.as_ref()?.strip_prefix("nats-")?.parse().ok()
        })
        .await;
        let jetstream = jetstream_at(&servers[leader]).await;
        let sent = jetstream.publish("evt.directory.v1.employee.0.changed", "{}".into()).await.expect("sent");
        sent.await.expect("taken");
        Self { servers, leader, jetstream, _folder: folder }
    }

    /// A JetStream context that is connected only to the leader of EVENTS.
    pub fn jetstream(&self) -> &jetstream::Context {
        &self.jetstream
    }

    /// Suspends the other two servers, so that the leader is cut off. The leader still answers for
    /// some seconds.
    pub fn silence_the_others(&self) {
        self.others().for_each(Nats::pause);
    }

    /// Resumes the other two servers.
    pub fn wake_the_others(&self) {
        self.others().for_each(Nats::resume);
    }

    fn others(&self) -> impl Iterator<Item = &Nats> {
        self.servers.iter().enumerate().filter(|(place, _)| *place != self.leader).map(|(_, nats)| nats)
    }
}

async fn jetstream_at(nats: &Nats) -> jetstream::Context {
    let settings = nats_settings_of_test(&nats.url(), Account::Streams).await;
    let client = kit::connect_nats(&settings, Environment::Development, User::Provision).await.expect("NATS");
    jetstream::new(client)
}
