//! Starts clusters of NATS and MongoDB.

use std::path::PathBuf;

use anyhow::{Context, Result};
use servers::{Mongo, MongoOptions, Nats, NatsOptions, Place};

/// The addresses and folders of the servers of both clusters. One server of a kind is no cluster: it
/// has no connections to others.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The NATS servers; the first is `nats-1`.
    pub nats: Vec<Seat>,
    /// The members of MongoDB's replica set.
    pub mongo: Vec<Seat>,
}

/// The address and the folder of a server.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The address of the server.
    pub place: Place,
    /// The folder of the server.
    pub dir: PathBuf,
}

/// The port for the connections between NATS servers. It can be the same for all, because each
/// server has an IP address of its own.
const ROUTES: u16 = 6222;

pub(super) async fn nats(options: NatsOptions, cluster: Option<&Cluster>) -> Result<Vec<Nats>> {
    let Some(Cluster { nats: seats, .. }) = cluster else { return Ok(vec![Nats::start(options).await?]) };
    let mut servers = Vec::new();
    for (number, Seat { place, dir }) in (1..).zip(seats) {
        let others = seats.iter().filter(|other| other.place != *place);
        let routes: Vec<String> = others.map(|other| format!("\"nats://{}:{ROUTES}\"", other.place.host)).collect();
        let (host, routes) = (place.host, routes.join(", "));
        let extra = format!(
            "{}\nserver_name: nats-{number}\ncluster {{ name: t3, listen: \"{host}:{ROUTES}\", routes: [{routes}] }}\n",
            options.extra
        );
        let extra = if seats.len() > 1 { extra } else { options.extra.clone() };
        let options = NatsOptions { place: place.clone(), dir: dir.clone(), extra, ..options.clone() };
        servers.push(Nats::start(options).await?);
    }
    Ok(servers)
}

pub(super) async fn mongo(options: MongoOptions, cluster: Option<&Cluster>) -> Result<Vec<Mongo>> {
    let Some(Cluster { mongo: seats, .. }) = cluster else { return Ok(vec![Mongo::start(options).await?]) };
    let first = seats.first().context("a cluster without servers")?;
    if seats.len() == 1 {
        return Ok(vec![
            Mongo::start(MongoOptions { place: first.place.clone(), dir: first.dir.clone(), ..options }).await?,
        ]);
    }
    // Only a client on MongoDB's own loopback may create the first user. So the first member is
    // started on this process's loopback before it is started on its own address.
    let mut alone = Mongo::start(MongoOptions { dir: first.dir.clone(), ..options.clone() }).await?;
    alone.stop().await;
    drop(alone);
    let mut members = Vec::new();
    for (number, Seat { place, dir }) in seats.iter().enumerate() {
        let (place, dir, joins, cache_gb) = (place.clone(), dir.clone(), number > 0, CACHE_GB);
        members.push(Mongo::start(MongoOptions { place, dir, joins, cache_gb, ..options.clone() }).await?);
    }
    if let Some((first, others)) = members.split_first_mut() {
        first.add(others).await?;
    }
    Ok(members)
}

/// The size of each member's cache in GiB. It is small because all members share one machine.
const CACHE_GB: f64 = 0.5;
