use std::net::TcpListener;
use std::time::Instant;

use mongodb::bson::{Document, doc};
use mongodb::{Client, Collection};
use servers::{Mongo, MongoOptions, Programs, mongo_connection_string, on_stderr};

use crate::{folder, start_mongo, within};

async fn notes(mongo: &Mongo) -> (Client, Collection<Document>) {
    let client = Client::with_uri_str(mongo.connection_string()).await.unwrap();
    let collection = client.database("a").collection("notes");
    (client, collection)
}

#[tokio::test]
async fn mongod_starts_as_a_primary_with_transactions_and_journaled_writes() {
    let folder = folder();
    let mut mongo = start_mongo(folder.path()).await;
    let (client, notes) = notes(&mongo).await;
    let mut session = client.start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    notes.insert_one(doc! { "_id": 1 }).session(&mut session).await.unwrap();
    notes.insert_one(doc! { "_id": 2 }).session(&mut session).await.unwrap();
    assert_eq!(notes.count_documents(doc! {}).await.unwrap(), 0);
    session.commit_transaction().await.unwrap();
    let insert = doc! {
        "insert": "notes", "documents": [{ "_id": 3 }], "writeConcern": { "w": "majority", "j": true },
    };
    let answer = client.database("a").run_command(insert).await.unwrap();
    assert_eq!(answer.get_i32("n").unwrap(), 1, "{answer}");
    assert_eq!(notes.count_documents(doc! {}).await.unwrap(), 3);

    let started = Instant::now();
    mongo.stop().await;
    eprintln!("mongod stopped in {:?}", started.elapsed());
    assert_eq!(mongo.exited().await.status, "exit status: 0");
}

#[tokio::test]
async fn mongod_finds_its_data_on_another_port() {
    let folder = folder();
    let mut mongo = start_mongo(folder.path()).await;
    let address = mongo.connection_string();
    let (_client, before) = notes(&mongo).await;
    before.insert_one(doc! { "_id": 1 }).await.unwrap();
    mongo.stop().await;
    drop(mongo);

    // The test listens on the old port, as another process could.
    let port = address.rsplit_once(':').unwrap().1;
    let port: u16 = port.split_once('/').unwrap().0.parse().unwrap();
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || taken.incoming().for_each(drop));
    let mongo = start_mongo(folder.path()).await;
    assert_ne!(mongo.connection_string(), address);
    let (_client, after) = notes(&mongo).await;
    after.insert_one(doc! { "_id": 2 }).await.unwrap();
    assert_eq!(after.count_documents(doc! {}).await.unwrap(), 2);
}

#[tokio::test]
async fn a_client_goes_on_after_mongod_was_killed_and_started_again() {
    let folder = folder();
    let mut mongo = start_mongo(folder.path()).await;
    let (client, notes) = notes(&mongo).await;
    notes.insert_one(doc! { "_id": 1 }).await.unwrap();
    mongo.kill().await;
    let started = Instant::now();
    mongo.start_again().await.unwrap();
    eprintln!("mongod after a crash took {:?}", started.elapsed());
    within(notes.insert_one(doc! { "_id": 2 })).await.unwrap();
    assert_eq!(notes.count_documents(doc! {}).await.unwrap(), 2);
    drop(client);
}

#[tokio::test]
async fn a_set_of_three_has_what_one_had_and_goes_on_without_the_first() {
    let folders = [folder(), folder(), folder()];
    let mut set = vec![start_mongo(folders[0].path()).await];
    let (_client, before) = notes(&set[0]).await;
    before.insert_one(doc! { "_id": 1 }).await.unwrap();
    for folder in &folders[1..] {
        let program = Programs::mongod(&on_stderr()).await.unwrap();
        let options = MongoOptions { joins: true, ..MongoOptions::new(program, folder.path()) };
        set.push(Mongo::start(options).await.unwrap());
    }
    let (first, others) = set.split_first_mut().unwrap();
    first.add(others).await.unwrap();

    set[0].kill().await;
    let client = Client::with_uri_str(mongo_connection_string(&set)).await.unwrap();
    let notes = client.database("a").collection::<Document>("notes");
    let insert = doc! { "insert": "notes", "documents": [{ "_id": 2 }], "writeConcern": { "w": "majority" } };
    within(async { while client.database("a").run_command(insert.clone()).await.is_err() {} }).await;
    assert_eq!(notes.count_documents(doc! {}).await.unwrap(), 2);
    set[0].start_again().await.unwrap();
}

#[tokio::test]
async fn the_owner_learns_that_mongod_ended_and_what_it_said_last() {
    let folder = folder();
    let mongo = start_mongo(folder.path()).await;
    let exited = mongo.exited();
    // The test sends the signal itself, as the kernel does when memory runs out.
    let pid = mongo.pid().to_string();
    let kill = std::process::Command::new("kill").args(["-9", &pid]).status();
    assert!(kill.unwrap().success());
    let told = within(exited).await.to_string();
    assert!(told.starts_with("mongod ended (signal: 9 (SIGKILL)). Its log, "), "{told}");
    assert!(told.contains("mongod.log"), "{told}");
}
