//! Clusters of NATS and MongoDB.

use std::path::PathBuf;

use anyhow::{Context, Result};
use servers::{Mongo, MongoOptions, Nats, NatsOptions, Place};

/// The places of the servers.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Of NATS; the server in the first is `nats-1`.
    pub nats: Vec<Seat>,
    /// Of the members of MongoDB's replica set.
    pub mongo: Vec<Seat>,
}

/// The address and the folder of a server.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Its address.
    pub place: Place,
    /// Its folder.
    pub dir: PathBuf,
}

/// The port of routes between NATS servers; each server has an address of its own.
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
        let options = NatsOptions { place: place.clone(), dir: dir.clone(), extra, ..options.clone() };
        servers.push(Nats::start(options).await?);
    }
    Ok(servers)
}

pub(super) async fn mongo(options: MongoOptions, cluster: Option<&Cluster>) -> Result<Vec<Mongo>> {
    let Some(Cluster { mongo: seats, .. }) = cluster else { return Ok(vec![Mongo::start(options).await?]) };
    let first = seats.first().context("a cluster without servers")?;
    // Only a client on MongoDB's own loopback may create the first user, so the first member starts in this process's
    // network.
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

/// The size of each cache in GiB: all members share one machine.
const CACHE_GB: f64 = 0.5;
