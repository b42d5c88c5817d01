//! The replica set of one member: initiation, change of port, and waiting for the primary.

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

/// Waits until the server on this port is a writable primary. A new server is initiated and gets its first
/// user; a server with data from another port gets its new address.
pub(super) async fn until_writable(port: u16, access: Option<&Access>, limit: Duration) -> Result<()> {
    let stranger = client(port, None)?;
    let root = access.map(|access| client(port, Some(access))).transpose()?;
    let host = format!("{}:{port}", Ipv4Addr::LOCALHOST);
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

fn client(port: u16, access: Option<&Access>) -> Result<Client> {
    let address = ServerAddress::Tcp { host: Ipv4Addr::LOCALHOST.to_string(), port: Some(port) };
    let credential = access.map(|access| {
        let password = access.root_password.expose().to_owned();
        Credential::builder().username("root".to_owned()).source("admin".to_owned()).password(password).build()
    });
    // A direct connection reaches the server whatever address its configuration names.
    let options = ClientOptions::builder()
        .hosts(vec![address])
        .credential(credential)
        .direct_connection(true)
        .server_selection_timeout(Duration::from_secs(5))
        .build();
    Client::with_options(options).context("cannot reach mongod")
}

/// Makes the first user. MongoDB allows that without a log-in, from this machine, while it has no users.
async fn first_user(stranger: &Client, access: &Access) -> Result<()> {
    const UNAUTHORIZED: i32 = 13;
    let create = doc! { "createUser": "root", "pwd": access.root_password.expose(), "roles": ["root"] };
    match stranger.database("admin").run_command(create).await {
        // There is a user already.
        Err(error) if matches!(&*error.kind, ErrorKind::Command(e) if e.code == UNAUTHORIZED) => Ok(()),
        made => made.map(drop).context("its first user cannot be made"),
    }
}

async fn wait(stranger: &Client, root: Option<&Client>, host: &str, limit: Duration) -> Result<()> {
    let admin = stranger.database("admin");
    let deadline = Instant::now() + limit;
    loop {
        let hello = admin.run_command(doc! { "hello": 1 }).await?;
        if hello.get_bool("isWritablePrimary").unwrap_or(false) {
            return Ok(());
        }
        // Without a set name the server is no member, or has not read its configuration yet.
        if !hello.contains_key("setName")
            && let Err(error) = make_member(stranger, root, host).await
        {
            // The server may have become a member meanwhile, or may not be ready yet: the loop tries again.
            tracing::debug!(%error, "mongod refused a replica set command");
        }
        if Instant::now() > deadline {
            bail!("it is no primary after {limit:?}; it says of itself: {hello}");
        }
        sleep(TICK).await;
    }
}

/// Runs the command that makes the server a member, if one is needed.
async fn make_member(stranger: &Client, root: Option<&Client>, host: &str) -> Result<()> {
    let Some(root) = root else { return run(stranger, missing_step(stranger, host).await?).await };
    match missing_step(root, host).await {
        Ok(step) => run(root, step).await,
        // A new server has no users, so anybody may initiate it.
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

/// The command that makes the server a member, if one is needed.
async fn missing_step(client: &Client, host: &str) -> Result<Option<Document>> {
    // Read from its collection: a server outside of a set refuses replSetGetConfig.
    let kept = client.database("local").collection::<Document>("system.replset");
    let Some(mut configuration) = kept.find_one(doc! {}).await? else {
        return Ok(Some(initiate(host)));
    };
    let version = match configuration.get("version") {
        Some(Bson::Int32(version)) => i64::from(*version),
        Some(Bson::Int64(version)) => *version,
        _ => bail!("its configuration has no version: {configuration}"),
    };
    let members = configuration.get_array_mut("members")?;
    let Some(member) = members.first_mut().and_then(Bson::as_document_mut) else {
        bail!("its configuration has no member: {configuration}");
    };
    if member.get_str("host").is_ok_and(|found| found == host) {
        return Ok(None);
    }
    member.insert("host", host);
    configuration.insert("version", version + 1);
    // A forced change needs no primary; the server sets the term itself.
    configuration.remove("term");
    Ok(Some(doc! { "replSetReconfig": configuration, "force": true }))
}
