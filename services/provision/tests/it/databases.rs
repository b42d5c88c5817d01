use bson::{Document, doc};
use contracts::Service;
use kit::mongo::{Login, connect};
use mongodb::{Client, error::ErrorKind};
use provisioning::Bounds;
use testkit::{Harness, shared_mongo};

const WITH_DATABASE: [Service; 6] =
    [Service::Directory, Service::Projects, Service::Timetrack, Service::Analytics, Service::Mailer, Service::Audit];

async fn client(harness: &Harness, service: Service) -> Client {
    let settings = harness.settings_of(service).await.mongo;
    let password = settings.password().unwrap().unwrap();
    let login = Login { user: service.name().into(), database: settings.database(service), password };
    connect(shared_mongo().await, Some(login), "a test").await.unwrap()
}

fn assert_refused<T: std::fmt::Debug>(outcome: mongodb::error::Result<T>, what: &str) {
    let error = outcome.unwrap_err();
    assert!(matches!(&*error.kind, ErrorKind::Command(e) if e.code == 13), "{what}: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_reads_and_writes_its_own_database_and_no_other() {
    let harness = Harness::start().await;
    for needs in provision::needs() {
        harness.provision(&needs).await;
    }
    for service in WITH_DATABASE {
        let client = client(&harness, service).await;
        let notes = |database: &str| client.database(database).collection::<Document>("notes");
        let own = notes(&harness.settings().mongo.database(service));
        own.insert_one(doc! { "_id": 1 }).await.unwrap();
        assert_eq!(own.count_documents(doc! {}).await.unwrap(), 1);
        let others = WITH_DATABASE.into_iter().filter(|other| *other != service);
        let others = others.map(|other| harness.settings().mongo.database(other));
        for other in others.chain(["admin", "local", "config", "new"].map(str::to_owned)) {
            let what = format!("{service} in {other}");
            assert_refused(notes(&other).find_one(doc! {}).await, &what);
            assert_refused(
                client.database(&other).run_command(doc! { "insert": "notes", "documents": [{}] }).await,
                &what,
            );
            assert_refused(client.database(&other).run_command(doc! { "dropDatabase": 1 }).await, &what);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_reads_nothing() {
    let stranger = connect(shared_mongo().await, None, "a test").await.unwrap();
    assert_refused(stranger.database("admin").collection::<Document>("x").find_one(doc! {}).await, "a stranger");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_changed_is_made_known_and_rights_that_were_added_are_taken_back() {
    let harness = Harness::start().await;
    let needs = mailer::needs();
    harness.provision(&needs).await;
    let own = harness.settings().mongo.database(Service::Mailer);
    let root = connect(harness.settings().mongo.mongo_connection_string.expose(), None, "a test").await.unwrap();
    let everything = doc! { "role": "readWriteAnyDatabase", "db": "admin" };
    let changed = doc! { "updateUser": "mailer", "pwd": "another", "roles": [everything] };
    root.database(&own).run_command(changed).await.unwrap();
    harness.provision(&needs).await;
    let client = client(&harness, Service::Mailer).await;
    client.database(&own).collection::<Document>("notes").insert_one(doc! {}).await.unwrap();
    assert_refused(client.database("other").collection::<Document>("x").find_one(doc! {}).await, "another database");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_trail_s_user_adds_and_reads_and_can_neither_change_nor_delete() {
    let harness = Harness::start().await;
    let needs = audit::needs();
    harness.provision(&needs).await;
    assert!(harness.plan(&Bounds::default(), std::slice::from_ref(&needs)).await.is_empty(), "as it should be");
    let database = client(&harness, Service::Audit).await.database(&harness.settings().mongo.database(Service::Audit));
    let entries = database.collection::<Document>("entries");
    entries.insert_one(doc! { "_id": 1, "event": 1 }).await.unwrap();
    assert_eq!(entries.count_documents(doc! {}).await.unwrap(), 1);
    let one = doc! { "_id": 1 };
    assert_refused(entries.update_one(one.clone(), doc! { "$set": { "x": 1 } }).await, "update");
    assert_refused(entries.replace_one(one.clone(), doc! {}).await, "replace");
    assert_refused(entries.find_one_and_delete(one.clone()).await, "find and delete");
    assert_refused(entries.delete_one(one).await, "delete");
    assert_refused(entries.drop().await, "drop");
    assert_refused(entries.drop_index("event_1").await, "drop an index");
    assert_refused(database.drop().await, "drop all");
    for command in [
        doc! { "collMod": "entries", "validator": {} },
        doc! { "aggregate": "entries", "pipeline": [{ "$out": "entries" }], "cursor": {} },
        doc! { "grantRolesToUser": "audit", "roles": ["readWrite"] },
    ] {
        assert_refused(database.run_command(command.clone()).await, &command.to_string());
    }
    assert_eq!(entries.count_documents(doc! {}).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_the_audit_trail_s_user_was_given_are_taken_back() {
    let harness = Harness::start().await;
    let needs = audit::needs();
    harness.provision(&needs).await;
    let own = harness.settings().mongo.database(Service::Audit);
    let root = connect(harness.settings().mongo.mongo_connection_string.expose(), None, "a test").await.unwrap();
    let more = doc! { "resource": { "db": &own, "collection": "" }, "actions": ["insert", "remove"] };
    root.database(&own).run_command(doc! { "updateRole": "append", "privileges": [more] }).await.unwrap();
    harness.provision(&needs).await;
    let client = client(&harness, Service::Audit).await;
    assert_refused(client.database(&own).collection::<Document>("entries").delete_one(doc! {}).await, "delete");
}
