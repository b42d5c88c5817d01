//! Clusters of servers instead of one of each.

use std::path::PathBuf;

use anyhow::{Context, Result};
use servers::{Mongo, MongoOptions, Nats, NatsOptions, Place};

/// Where the servers of a cluster are.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Those of NATS: `nats-1` is the first.
    pub nats: Vec<Seat>,
    /// The members of MongoDB's replica set.
    pub mongo: Vec<Seat>,
}

/// Where one of them is, and where its files are.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Where it is reached.
    pub place: Place,
    /// The folder of its files.
    pub dir: PathBuf,
}

/// The port on which the servers of NATS reach each other: each has an address of its own.
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
    // The first user can be made from the server's own network only: so it starts in ours, and then moves.
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

/// The cache of each: their files are small, and all are on one machine.
const CACHE_GB: f64 = 0.5;
