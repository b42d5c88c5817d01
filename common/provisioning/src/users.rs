//! Plans the changes to the MongoDB users, one for each service. Each user may read and write only
//! the database of its service. The user of the audit service may read and insert, but not change
//! or delete.

use anyhow::{Context, Result};
use bson::{Document, doc};
use contracts::{Secret, Service};
use kit::mongo::{self, Login};
use mongodb::{Client, Database, error::ErrorKind};

use crate::plan::{Plan, Step};

/// The name of the role that may only insert. MongoDB has no built-in role for this.
const APPEND: &str = "append";

/// The roles of a service's user in its own database.
fn roles_of(service: Service) -> &'static [&'static str] {
    match service {
        Service::Audit => &["read", APPEND],
        _ => &["readWrite"],
    }
}

/// Plans the changes to the user of a service.
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
        None => {
            return Ok(push(plan, own, format!("user {user} of {database}: create"), "createUser", service, password));
        }
        Some(found) if !has_only_its_roles(&found, database, service) || !is_role_right(&own, service).await? => {
            match service {
                Service::Audit => "may read its own database and add to it, and no more",
                _ => "may read and write its own database, and no more",
            }
        }
        Some(_) if !takes(connection_string, user, database, password.clone()).await? => "has another password now",
        Some(_) => return Ok(plan),
    };
    plan = push(plan, own, format!("user {user} of {database}: {says}"), "updateUser", service, password);
    Ok(plan)
}

fn push(mut plan: Plan, own: Database, says: String, verb: &'static str, service: Service, password: Secret) -> Plan {
    plan.then.push(Step::new(says, async move {
        if roles_of(service).contains(&APPEND) {
            let role = if find_role(&own).await?.is_some() { "updateRole" } else { "createRole" };
            own.run_command(doc! { role: APPEND, "privileges": [append(own.name())], "roles": [] }).await?;
        }
        let roles = roles_of(service).iter().map(|role| doc! { "role": role, "db": own.name() });
        let (roles, mechanisms) = (roles.collect::<Vec<_>>(), ["SCRAM-SHA-256"]);
        own.run_command(
            doc! { verb: service.name(), "pwd": password.expose(), "roles": &roles[..], "mechanisms": &mechanisms[..] },
        )
        .await?;
        Ok(())
    }));
    plan
}

/// The privilege of the role [`APPEND`]: to insert into every collection of the database.
fn append(database: &str) -> Document {
    doc! { "resource": { "db": database, "collection": "" }, "actions": ["insert"] }
}

async fn find_role(own: &Database) -> Result<Option<Document>> {
    let asked = doc! { "rolesInfo": APPEND, "showPrivileges": true };
    let found = own.run_command(asked).await.context("cannot look at the roles of MongoDB")?;
    Ok(found.get_array("roles").ok().and_then(|roles| roles.first()?.as_document().cloned()))
}

/// Whether the role [`APPEND`] has the privilege that it needs and no other. Also true if the
/// service does not need the role.
async fn is_role_right(own: &Database, service: Service) -> Result<bool> {
    if !roles_of(service).contains(&APPEND) {
        return Ok(true);
    }
    let allowed = find_role(own).await?;
    let privileges = allowed.as_ref().and_then(|role| role.get_array("inheritedPrivileges").ok());
    Ok(privileges.is_some_and(|privileges| privileges[..] == [append(own.name()).into()]))
}

fn has_only_its_roles(user: &Document, database: &str, service: Service) -> bool {
    let Ok(roles) = user.get_array("roles") else { return false };
    let is = |role: &Document, field, text| role.get_str(field).is_ok_and(|found| found == text);
    let has = |name: &&'static str| {
        let is_it = |role: &Document| is(role, "role", *name) && is(role, "db", database);
        roles.iter().filter_map(|role| role.as_document()).any(is_it)
    };
    roles.len() == roles_of(service).len() && roles_of(service).iter().all(has)
}

/// Whether MongoDB accepts this password for this user.
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
