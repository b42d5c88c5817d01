//! The replica set: its initiation with one member, a change of address, waiting for the primary,
//! and adding members.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mongodb::Client;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::ErrorKind;
use mongodb::options::{ClientOptions, Credential, ServerAddress};
use tokio::time::{Instant, sleep};

use super::Access;
use crate::process::TICK;

/// The name of the replica set.
pub(super) const NAME: &str = "t3";

/// The IP address and the port of a server.
pub(super) type Address = (Ipv4Addr, u16);

/// The election timeout of a set with several members, and the interval of their heartbeats, in
/// milliseconds. MongoDB's defaults are 10 s and 2 s.
const ELECTION: (i32, i32) = (4_000, 1_000);

/// Waits until the server at this address is a writable primary. Initiates the set of a new server,
/// and creates its first user if the server has users. If the configuration of an existing set
/// names another address, replaces it with this one.
pub(super) async fn until_writable(address: Address, access: Option<&Access>, limit: Duration) -> Result<()> {
    let stranger = client(address, None)?;
    let root = access.map(|access| client(address, Some(access))).transpose()?;
    let host = format!("{}:{}", address.0, address.1);
    let writable = async {
        wait(&stranger, root.as_ref(), &host, limit).await?;
        match access {
            Some(access) => first_user(&stranger, access).await,
            None => Ok(()),
        }
    };
    let writable = writable.await;
    stranger.shutdown().immediate(true).await;
    if let Some(root) = root {
        root.shutdown().immediate(true).await;
    }
    writable.context("mongod runs, but its replica set does not")
}

fn client((host, port): Address, access: Option<&Access>) -> Result<Client> {
    let address = ServerAddress::Tcp { host: host.to_string(), port: Some(port) };
    let credential = access.map(|access| {
        let password = access.root_password.expose().to_owned();
        Credential::builder().username("root".to_owned()).source("admin".to_owned()).password(password).build()
    });
    // A direct connection reaches the server even if the configuration of the set names another
    // address.
    let options = ClientOptions::builder()
        .hosts(vec![address])
        .credential(credential)
        .direct_connection(true)
        .server_selection_timeout(Duration::from_secs(5))
        .build();
    Client::with_options(options).context("cannot reach mongod")
}

/// Adds members to the set of this primary, one after the other, and waits until they have copied
/// its data.
pub(super) async fn add(primary: Address, access: Option<&Access>, others: &[String], limit: Duration) -> Result<()> {
    let client = client(primary, access)?;
    let deadline = Instant::now() + limit;
    while let Err(error) = add_next(&client, others).await {
        // `add_next` takes one step and then fails, until nothing is left to do: a majority must
        // know each step before the next one can be taken.
        if Instant::now() > deadline {
            return Err(error.context(format!("the set has not all its members after {limit:?}")));
        }
        sleep(10 * TICK).await;
    }
    client.shutdown().immediate(true).await;
    Ok(())
}

/// Adds the first missing member. Fails until all members are added and have copied the data.
async fn add_next(client: &Client, others: &[String]) -> Result<()> {
    let admin = client.database("admin");
    let mut reply = admin.run_command(doc! { "replSetGetConfig": 1 }).await?;
    let Ok(Bson::Document(mut configuration)) = reply.remove("config").context("no configuration") else {
        bail!("its configuration is no document: {reply}");
    };
    let members = configuration.get_array_mut("members")?;
    let is_member = |host: &String| {
        members.iter().filter_map(Bson::as_document).any(|member| member.get_str("host").is_ok_and(|one| one == host))
    };
    if let Some(missing) = others.iter().find(|host| !is_member(host)) {
        members.push(doc! { "_id": i32::try_from(members.len())?, "host": missing }.into());
        let (election, heartbeat) = ELECTION;
        let settings = doc! { "electionTimeoutMillis": election, "heartbeatIntervalMillis": heartbeat };
        configuration.insert("settings", settings);
        configuration.insert("version", version(&configuration)? + 1);
        admin.run_command(doc! { "replSetReconfig": configuration }).await?;
        bail!("{missing} has just been added");
    }
    // Only the stored configuration shows whether a new member has its vote. A member gets its vote
    // once it has copied all data.
    let kept = client.database("local").collection::<Document>("system.replset").find_one(doc! {}).await?;
    let has_new = kept.is_some_and(|kept| kept.to_string().contains("newlyAdded"));
    if has_new {
        bail!("a member has not copied everything");
    }
    Ok(())
}

/// Creates the first user. MongoDB allows this without a log-in, from this machine, while it has no
/// users.
async fn first_user(stranger: &Client, access: &Access) -> Result<()> {
    const UNAUTHORIZED: i32 = 13;
    let create = doc! { "createUser": "root", "pwd": access.root_password.expose(), "roles": ["root"] };
    match stranger.database("admin").run_command(create).await {
        // A user exists already, so MongoDB requires a log-in.
        Err(error) if matches!(&*error.kind, ErrorKind::Command(e) if e.code == UNAUTHORIZED) => Ok(()),
        made => made.map(drop).context("its first user cannot be made"),
    }
}

async fn wait(stranger: &Client, root: Option<&Client>, host: &str, limit: Duration) -> Result<()> {
    let admin = stranger.database("admin");
    let deadline = Instant::now() + limit;
    loop {
        let hello = match admin.run_command(doc! { "hello": 1 }).await {
            Ok(hello) => hello,
            Err(error) if Instant::now() > deadline => return Err(error.into()),
            // A server closes its connections when it becomes a member.
            Err(_) => {
                sleep(TICK).await;
                continue;
            }
        };
        if hello.get_bool("isWritablePrimary").unwrap_or(false) {
            return Ok(());
        }
        // A server that reports no set name is not a member, or has not read its configuration yet.
        if !hello.contains_key("setName")
            && let Err(error) = make_member(stranger, root, host).await
        {
            // The server may have become a member in the meantime, or may not be ready yet: the
            // loop tries again.
            tracing::debug!(%error, "mongod refused a replica set command");
        }
        if Instant::now() > deadline {
            bail!("it is no primary after {limit:?}; it says of itself: {hello}");
        }
        sleep(TICK).await;
    }
}

/// Runs the command that makes the server a member of the set, if a command is needed.
async fn make_member(stranger: &Client, root: Option<&Client>, host: &str) -> Result<()> {
    let Some(root) = root else { return run(stranger, missing_step(stranger, host).await?).await };
    match missing_step(root, host).await {
        Ok(step) => run(root, step).await,
        // A new server has no users, so `root` cannot log in. A client without a log-in may
        // initiate the set there.
        Err(_) => run(stranger, Some(initiate(host))).await,
    }
}

async fn run(client: &Client, command: Option<Document>) -> Result<()> {
    if let Some(command) = command {
        client.database("admin").run_command(command).await?;
    }
    Ok(())
}

fn initiate(host: &str) -> Document {
    doc! { "replSetInitiate": { "_id": NAME, "members": [{ "_id": 0, "host": host }] } }
}

/// The command that makes the server a member of the set under this address. None if no command is
/// needed.
async fn missing_step(client: &Client, host: &str) -> Result<Option<Document>> {
    // Read from the collection, because a server outside of a set refuses `replSetGetConfig`.
    let kept = client.database("local").collection::<Document>("system.replset");
    let Some(mut configuration) = kept.find_one(doc! {}).await? else {
        return Ok(Some(initiate(host)));
    };
    let version = version(&configuration)?;
    let members = configuration.get_array_mut("members")?;
    let Some(member) = members.first_mut().and_then(Bson::as_document_mut) else {
        bail!("its configuration has no member: {configuration}");
    };
    if member.get_str("host").is_ok_and(|found| found == host) {
        return Ok(None);
    }
    member.insert("host", host);
    configuration.insert("version", version + 1);
    // A forced reconfiguration needs no primary. The server sets the term itself.
    configuration.remove("term");
    Ok(Some(doc! { "replSetReconfig": configuration, "force": true }))
}

fn version(configuration: &Document) -> Result<i64> {
    match configuration.get("version") {
        Some(Bson::Int32(version)) => Ok(i64::from(*version)),
        Some(Bson::Int64(version)) => Ok(*version),
        _ => bail!("its configuration has no version: {configuration}"),
    }
}
