//! Tests who may call each route. The routes are read from the OpenAPI document, so that no new
//! route is forgotten.

use contracts::{AccountChanged, ApiKeyChanged, EmployeeId, KeyId, Role, Scope, Scopes, key_text, read_key, stream};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Serialize;
use serde_json::Value;
use testkit::eventually;

use crate::edge::{Edge, KEY, problem_of};

/// A method of a route.
#[derive(Debug)]
struct Route {
    method: Method,
    path: String,
    /// Who may call the route: `anybody`, `own`, a scope, or a scope followed by " or own".
    access: String,
}

impl Route {
    fn request(&self, edge: &Edge) -> RequestBuilder {
        edge.http.request(self.method.clone(), format!("{}{}", edge.base, self.path))
    }

    fn scope(&self) -> Option<Scope> {
        self.access.trim_end_matches(" or own").parse().ok()
    }

    fn is_own(&self) -> bool {
        self.access.ends_with("own")
    }
}

async fn routes(edge: &Edge) -> Vec<Route> {
    let api: Value = edge.get("/openapi.json").send().await.expect("an answer").json().await.expect("JSON");
    let mut routes = Vec::new();
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let method = method.to_uppercase().parse().expect("a method");
            let access = operation["x-access"].as_str().unwrap_or_else(|| panic!("{method} {path} names no access"));
            let path = path.replace("{id}", "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071");
            routes.push(Route { method, path, access: access.to_owned() });
        }
    }
    assert!(routes.len() > 30, "{}", routes.len());
    routes
}

async fn put(edge: &Edge, key: String, value: &impl Serialize) {
    let store = edge.harness.bus().jetstream.get_key_value(stream::REVOCATIONS).await.expect("the bucket");
    store.put(key, serde_json::to_vec(value).expect("JSON").into()).await.expect("put");
}

/// Writes an API key into the bucket, as directory does. Returns the text of the key.
async fn give_key(edge: &Edge, id: KeyId, scopes: Scopes, change: impl Fn(&mut ApiKeyChanged)) -> String {
    let text = key_text(id, [7; 32]).expose().to_owned();
    let (_, hash) = read_key(&text).expect("a key");
    let hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut key =
        ApiKeyChanged { id, version: 1, hash, role: None, scopes: Some(scopes), expires_at: None, revoked: false };
    change(&mut key);
    put(edge, ApiKeyChanged::entry_key(id), &key).await;
    text
}

pub(crate) async fn give_role(edge: &Edge, employee_id: EmployeeId, role: Role, generation: i64) {
    let account = AccountChanged { employee_id, version: generation, generation, except: None, role };
    put(edge, AccountChanged::entry_key(employee_id), &account).await;
}

/// The status and code with which a caller is refused; `None` if the caller is accepted. No service
/// runs in these tests, so an accepted request fails with another error, unless it needs no
/// service.
async fn refused(request: RequestBuilder) -> Option<(StatusCode, String)> {
    let response = request.send().await.expect("an answer");
    if response.status().is_success() {
        return None;
    }
    let problem = crate::edge::read_problem(response).await;
    let at_the_door = matches!(problem.status.as_u16(), 401 | 403) || problem.code == "two_credentials";
    at_the_door.then_some((problem.status, problem.code))
}

fn unauthorized() -> Option<(StatusCode, String)> {
    Some((StatusCode::UNAUTHORIZED, "unauthorized".into()))
}

fn missing_scope() -> Option<(StatusCode, String)> {
    Some((StatusCode::FORBIDDEN, "missing_scope".into()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_whoever_shows_nothing_something_wrong_or_two_things() {
    let edge = Edge::start().await;
    let (id, all) = (kit::new_id(), Scopes::all());
    let revoked = give_key(&edge, kit::new_id(), all.clone(), |key| key.revoked = true).await;
    let expired = give_key(&edge, kit::new_id(), all.clone(), |key| key.expires_at = Some(contracts::Millis(1))).await;
    let other_text = give_key(&edge, kit::new_id(), all, |key| key.hash = "00".repeat(32)).await;
    let unknown = key_text(kit::new_id(), [7; 32]).expose().to_owned();
    for route in routes(&edge).await.into_iter().filter(|route| route.access != "anybody") {
        assert_eq!(refused(route.request(&edge)).await, unauthorized(), "{route:?}");
        for key in ["", "x", &revoked, &expired, &other_text, &unknown] {
            assert_eq!(refused(route.request(&edge).header("X-API-Key", key)).await, unauthorized(), "{route:?} {key}");
            assert_eq!(refused(route.request(&edge).bearer_auth(key)).await, unauthorized(), "{route:?} {key}");
        }
        assert_eq!(refused(route.request(&edge).bearer_auth("a.b.c")).await, unauthorized(), "{route:?}");
        let both = route.request(&edge).header("X-API-Key", KEY).bearer_auth(edge.token(id, 0));
        assert_eq!(refused(both).await, Some((StatusCode::BAD_REQUEST, "two_credentials".into())), "{route:?}");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_takes_a_key_with_its_scope_and_refuses_one_with_all_others() {
    let edge = Edge::start().await;
    let routes = routes(&edge).await;
    for route in &routes {
        let Some(scope) = route.scope() else { continue };
        let only = give_key(&edge, kit::new_id(), Scopes::from_iter([scope]), |_| ()).await;
        // The other key has the scopes of all other resources. If the route changes this resource,
        // the key may also read it: reading must not be enough for a change.
        let others = Scopes::all().0.into_iter().filter(|other| other.resource != scope.resource);
        let read = scope.write.then(|| Scope::read(scope.resource));
        let others = give_key(&edge, kit::new_id(), others.chain(read).collect(), |_| ()).await;
        eventually("the key is known", async || {
            refused(route.request(&edge).header("X-API-Key", &only)).await.is_none().then_some(())
        })
        .await;
        assert_eq!(refused(route.request(&edge).bearer_auth(&only)).await, None, "{route:?}");
        eventually("the other key is known", async || {
            (refused(route.request(&edge).header("X-API-Key", &others)).await == missing_scope()).then_some(())
        })
        .await;
        // The root key has every scope. It is accepted in both headers.
        assert_eq!(refused(route.request(&edge).header("X-API-Key", KEY)).await, None, "{route:?}");
        assert_eq!(refused(route.request(&edge).bearer_auth(KEY)).await, None, "{route:?}");
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_takes_the_people_whose_role_allows_it_and_refuses_the_others() {
    let edge = Edge::start().await;
    let routes = routes(&edge).await;
    for role in Role::ALL {
        let person: EmployeeId = kit::new_id();
        give_role(&edge, person, role, 0).await;
        let token = edge.token(person, 0);
        // The bucket's entries arrive in order. Once this key is known, the role that was written
        // before it is known too.
        let marker = give_key(&edge, kit::new_id(), Scopes::all(), |_| ()).await;
        eventually("the role is known", async || {
            refused(edge.get("/api/v1/employee").header("X-API-Key", &marker)).await.is_none().then_some(())
        })
        .await;
        for route in &routes {
            let expected = match route.scope() {
                _ if route.access == "anybody" || route.is_own() => None,
                Some(scope) if role.scopes().allow(scope) => None,
                // A caller whose role has no scopes gets a 401 that asks for an API key, because
                // existing clients rely on it.
                _ if role == Role::Employee => unauthorized(),
                _ => missing_scope(),
            };
            if route.path.contains("/permissions") {
                continue; // Employees may set only their own permissions, and the id in this path is another one.
            }
            assert_eq!(refused(route.request(&edge).bearer_auth(&token)).await, expected, "{role:?} {route:?}");
        }
    }
    edge.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_and_a_role_that_is_taken_away_are_dead_without_a_restart() {
    let edge = Edge::start().await;
    let (id, person) = (kit::new_id(), kit::new_id());
    let key = give_key(&edge, id, Scopes::all(), |_| ()).await;
    give_role(&edge, person, Role::Admin, 0).await;
    let token = edge.token(person, 0);
    let by_key = async || problem_of(edge.get("/api/v1/employee").header("X-API-Key", &key)).await.status;
    let by_role = async || problem_of(edge.get("/api/v1/employee").bearer_auth(&token)).await.status;
    let let_in = StatusCode::SERVICE_UNAVAILABLE;
    eventually("both are let in", async || (by_key().await == let_in && by_role().await == let_in).then_some(())).await;
    give_key(&edge, id, Scopes::all(), |key| key.revoked = true).await;
    give_role(&edge, person, Role::Employee, 1).await;
    let out = StatusCode::UNAUTHORIZED;
    eventually("both are out", async || (by_key().await == out && by_role().await == out).then_some(())).await;
    // The token has the generation from before the change of the role, so it is invalid even for
    // the person's own data.
    assert_eq!(problem_of(edge.get("/api/auth/me").bearer_auth(&token)).await.status, out);
    edge.harness.finish().await;
}
