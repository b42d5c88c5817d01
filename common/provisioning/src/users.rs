//! The users of MongoDB: one a service, who can read and write its database and no other.

use anyhow::{Context, Result};
use bson::{Document, doc};
use contracts::{Secret, Service};
use kit::mongo::{self, Login};
use mongodb::{Client, Database, error::ErrorKind};

use crate::plan::{Plan, Step};

/// What is to be done about a service's user.
pub(crate) async fn plan(
    connection_string: &str,
    client: &Client,
    database: &str,
    service: Service,
    password: Secret,
) -> Result<Plan> {
    let mut plan = Plan::default();
    let (user, own) = (service.name(), client.database(database));
    let found = own.run_command(doc! { "usersInfo": user }).await.context("cannot look at the users of MongoDB")?;
    let found = found.get_array("users").ok().and_then(|users| users.first()?.as_document().cloned());
    let says = match found {
        None => return Ok(push(plan, own, format!("user {user} of {database}: create"), "createUser", user, password)),
        Some(found) if !has_only_its_role(&found, database) => "may read and write its own database, and no more",
        Some(_) if !takes(connection_string, user, database, password.clone()).await? => "has another password now",
        Some(_) => return Ok(plan),
    };
    plan = push(plan, own, format!("user {user} of {database}: {says}"), "updateUser", user, password);
    Ok(plan)
}

fn push(mut plan: Plan, own: Database, says: String, verb: &'static str, user: &'static str, password: Secret) -> Plan {
    plan.then.push(Step::new(says, async move {
        let roles = [doc! { "role": "readWrite", "db": own.name() }];
        let mechanisms = ["SCRAM-SHA-256"];
        own.run_command(
            doc! { verb: user, "pwd": password.expose(), "roles": &roles[..], "mechanisms": &mechanisms[..] },
        )
        .await?;
        Ok(())
    }));
    plan
}

fn has_only_its_role(user: &Document, database: &str) -> bool {
    let Ok(roles) = user.get_array("roles") else { return false };
    let is = |role: &Document, field, text| role.get_str(field).is_ok_and(|found| found == text);
    let is_own = |role: &Document| is(role, "role", "readWrite") && is(role, "db", database);
    roles.len() == 1 && roles[0].as_document().is_some_and(is_own)
}

/// Whether MongoDB takes this password.
async fn takes(connection_string: &str, user: &str, database: &str, password: Secret) -> Result<bool> {
    let login = Login { user: user.to_owned(), database: database.to_owned(), password };
    let client = mongo::connect(connection_string, Some(login), "provision").await?;
    let asked = client.database(database).run_command(doc! { "ping": 1 }).await;
    client.shutdown().immediate(true).await;
    match asked {
        Ok(_) => Ok(true),
        Err(error) if matches!(&*error.kind, ErrorKind::Authentication { .. }) => Ok(false),
        Err(error) => Err(error).context("cannot look at the users of MongoDB"),
    }
}
