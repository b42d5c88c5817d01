//! The replica set of one: made, moved to another port, waited for.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mongodb::Client;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::{ClientOptions, ServerAddress};
use tokio::time::{Instant, sleep};

use crate::process::TICK;

/// The replica set's name.
pub(super) const NAME: &str = "t3";

/// Waits until the server on the port takes writes. A new one is initiated first; one whose data
/// comes from another port is told its new address.
pub(super) async fn until_writable(port: u16, limit: Duration) -> Result<()> {
    let address = ServerAddress::Tcp { host: Ipv4Addr::LOCALHOST.to_string(), port: Some(port) };
    // Direct: this server, whatever it says of itself.
    let options = ClientOptions::builder()
        .hosts(vec![address])
        .direct_connection(true)
        .server_selection_timeout(Duration::from_secs(5))
        .build();
    let client = Client::with_options(options).context("cannot reach mongod")?;
    let host = format!("{}:{port}", Ipv4Addr::LOCALHOST);
    let writable = wait(&client, &host, limit).await;
    client.shutdown().immediate(true).await;
    writable.context("mongod runs, but its replica set does not")
}

async fn wait(client: &Client, host: &str, limit: Duration) -> Result<()> {
    let admin = client.database("admin");
    let deadline = Instant::now() + limit;
    loop {
        let hello = admin.run_command(doc! { "hello": 1 }).await?;
        if hello.get_bool("isWritablePrimary").unwrap_or(false) {
            return Ok(());
        }
        // Without a name it is no member of any set, or has not read its configuration yet.
        if !hello.contains_key("setName")
            && let Some(command) = missing_step(client, host).await?
            && let Err(error) = admin.run_command(command).await
        {
            // It may have got there by itself, or not far enough yet: ask again.
            tracing::debug!(%error, "mongod refused a replica set command");
        }
        if Instant::now() > deadline {
            bail!("it is no primary after {limit:?}; it says of itself: {hello}");
        }
        sleep(TICK).await;
    }
}

/// The command that makes the server a member, if one is needed.
async fn missing_step(client: &Client, host: &str) -> Result<Option<Document>> {
    // Read where the server keeps it: outside of a set it refuses replSetGetConfig.
    let kept = client.database("local").collection::<Document>("system.replset");
    let Some(mut configuration) = kept.find_one(doc! {}).await? else {
        let member = doc! { "_id": 0, "host": host };
        return Ok(Some(doc! { "replSetInitiate": { "_id": NAME, "members": [member] } }));
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
    // Forced, as there is no primary to agree; then the server sets the term itself.
    configuration.remove("term");
    Ok(Some(doc! { "replSetReconfig": configuration, "force": true }))
}
