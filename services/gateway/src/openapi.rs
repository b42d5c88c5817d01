//! The OpenAPI 3.1 document, made from the routes. What many operations have in common, such as
//! errors, is added here, so that the routes need not repeat it.

mod conditions;

use axum::http::Method;
use contracts::{Grouping, Role};
use kit::PublicUrl;
use serde_json::json;
use utoipa::{
    OpenApi,
    openapi::{
        ContentBuilder, HeaderBuilder, Object, OneOf, Ref, RefOr, Response, ResponseBuilder, Schema, Server, Type,
        extensions::Extensions,
        path::{Operation, Parameter, ParameterIn, PathItem},
        schema::AnyOfBuilder,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    auth::Access,
    error::{Field, PROBLEM_JSON, ProblemBody},
    extract::ShiftId,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "T3 time tracker",
        description = "Employees, projects, tasks, and the time that is spent on them.\n\n\
            Admins send their key as `X-API-Key`, employees their token as `Authorization: Bearer`. \
            Errors are `application/problem+json`: `detail` is a sentence for a person, `code` a stable word. \
            Times are milliseconds since 1970 UTC.\n\n\
            Answers have an `ETag`. Sent back as `If-None-Match`, it spares whoever reads again what they have \
            already (304). Sent back as `If-Match` with a change, it makes sure that nothing is changed that they \
            have not seen (412). Calls that cannot be made on condition refuse one (400); so no condition is \
            ever passed over.",
    ),
    tags(
        (name = "Accounts", description = "Invitations, activation, login and passwords."),
        (name = "Employees", description = "Who works here."),
        (name = "Teams", description = "Who is in which team, and who manages it."),
        (name = "Projects", description = "What they work on, and at which rates."),
        (name = "Rates", description = "What an hour costs and earns, from which day on."),
        (name = "Tasks", description = "What there is to do on a project."),
        (name = "Time", description = "Windows of time, as the desktop app records them."),
        (name = "Corrections", description = "What employees ask to be corrected about their time, and who decides."),
        (name = "Analytics", description = "Where the time and the money went."),
        (name = "Periods", description = "What is submitted, approved, locked and paid."),
        (name = "Keys and roles", description = "Who may do what."),
        (name = "Audit", description = "Who did what."),
        (name = "Settings", description = "What the organisation has chosen."),
        (name = "Health", description = "For those who run this."),
    ),
    components(schemas(ProblemBody, Field, Grouping, ShiftId)),
)]
struct Described;

/// The OpenAPI document without its routes.
pub(crate) fn described(url: &PublicUrl) -> utoipa::openapi::OpenApi {
    let mut api = Described::openapi();
    // Without a server entry, clients would use the root of the host as the base of all paths, even
    // if a proxy serves the gateway under another path.
    api.servers = Some(url.base()).filter(|base| !base.is_empty()).map(|base| vec![Server::new(base)]);
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("X-API-Key", "An admin's key.")));
    let token = SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An employee's token, from `POST /api/auth/login`."))
            .build(),
    );
    let components = api.components.get_or_insert_default();
    components.add_security_scheme("adminKey", key);
    components.add_security_scheme("employeeToken", token);
    api
}

/// Adds to each operation who may call it: in its security requirements, in the extension
/// `x-access`, which every operation must have, and in its errors 403.
pub(crate) fn name_access(paths: &mut utoipa::openapi::path::Paths, access: Access) {
    for item in paths.paths.values_mut() {
        let methods = [
            (Method::GET, &mut item.get),
            (Method::PUT, &mut item.put),
            (Method::POST, &mut item.post),
            (Method::PATCH, &mut item.patch),
            (Method::DELETE, &mut item.delete),
        ];
        for (method, operation) in methods {
            let Some(operation) = operation else { continue };
            let scope = access.scope(&method).map(|scope| scope.to_string());
            let (key, token) = ("adminKey", "employeeToken");
            let security = match (access, &scope) {
                (Access::Open, _) => None,
                (Access::Own, _) => Some(vec![SecurityRequirement::new(token, [""; 0])]),
                (Access::ScopedOrOwn(_), Some(scope)) => {
                    Some(vec![SecurityRequirement::new(key, [scope]), SecurityRequirement::new(token, [""; 0])])
                }
                (_, scope) => {
                    let scopes: Vec<&String> = scope.iter().collect();
                    Some(vec![SecurityRequirement::new(key, scopes.clone()), SecurityRequirement::new(token, scopes)])
                }
            };
            operation.security = security;
            if scope.is_some() {
                add_error(
                    operation,
                    "403",
                    "`missing_scope`: the key or the role lacks the scope that the call needs.",
                );
            }
            if let Some(scope) = access.scope(&method).filter(|scope| Role::Manager.scopes().allow(*scope)) {
                add_error(operation, "403", "`other_team`: a manager asks about somebody who is in no team of theirs.");
                if scope.write {
                    add_error(operation, "403", "`own_time`: a manager decides about their own hours.");
                }
            }
            let named = match (access, scope) {
                (Access::Open, _) => "anybody".to_owned(),
                (Access::Own, _) => "own".to_owned(),
                (Access::ScopedOrOwn(_), Some(scope)) => format!("{scope} or own"),
                (_, scope) => scope.unwrap_or_default(),
            };
            let extension = Extensions::builder().add("x-access", named).build();
            operation.extensions.get_or_insert_default().merge(extension);
        }
    }
}

/// Completes all operations: adds the errors that follow from credentials, parameters and body, the
/// headers that many operations have in common, and the schema of each error.
pub(crate) fn complete(api: &mut utoipa::openapi::OpenApi) {
    let schemas = api.components.iter_mut().flat_map(|components| components.schemas.values_mut());
    for schema in schemas {
        admit_several(schema);
    }
    for (path, item) in &mut api.paths.paths {
        let is_api = path.starts_with("/api/");
        for operation in operations(item) {
            link_pages(operation);
            locate(operation);
            for (status, description) in common_errors(operation, is_api) {
                add_error(operation, status, description);
            }
        }
        if is_api {
            conditions::describe(item);
        }
        for operation in operations(item) {
            if is_api {
                tell_limits(operation);
            }
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response
                    && status.as_str() >= "400"
                    && response.content.is_empty()
                {
                    as_problem(status, response);
                }
            }
        }
    }
}

/// Adds an error to an operation, after the errors of the same status that the route declares. The
/// description has the form "`code`: a sentence". A code that is already there is not added again.
fn add_error(operation: &mut Operation, status: &str, description: &str) {
    let responses = &mut operation.responses.responses;
    let code = description.split('`').nth(1).unwrap_or_default();
    match responses.get_mut(status) {
        Some(RefOr::T(known)) if !known.description.contains(&format!("`{code}`")) => {
            known.description = format!("{} {description}", known.description);
        }
        Some(_) => {}
        None => {
            let response = ResponseBuilder::new().description(description).build();
            responses.insert(status.to_owned(), RefOr::T(response));
        }
    }
}

/// Changes "one of" into "any of" for a choice of named types. A value with the fields of several
/// types fits all of them, and would be invalid as "one of".
fn admit_several(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::OneOf(one_of)) = schema
        && !one_of.items.iter().any(|form| matches!(form, RefOr::T(Schema::Object(_))))
    {
        let OneOf { items, description, .. } = std::mem::take(one_of);
        let any_of = items.into_iter().fold(AnyOfBuilder::new(), |any_of, form| any_of.item(form));
        *schema = RefOr::T(Schema::AnyOf(any_of.description(description).build()));
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// Adds the rate limit headers to each response.
fn tell_limits(operation: &mut Operation) {
    let names = [
        ("RateLimit", "What is left: `\"calls\";r=5999;t=1`, the calls and in how many seconds there are more."),
        ("RateLimit-Policy", "The bound: `\"calls\";q=6000;w=60`, so many calls in so many seconds."),
    ];
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        for (name, description) in names {
            let header = HeaderBuilder::new().schema(Some(Object::with_type(Type::String)));
            response.headers.insert(name.to_owned(), RefOr::T(header.description(Some(description)).build()));
        }
    }
}

/// Adds the header `Link` to the response of each list that has pages.
fn link_pages(operation: &mut Operation) {
    let is_limit = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(p) if p.name == "limit");
    if operation.parameters.iter().flatten().any(is_limit)
        && let Some(RefOr::T(response)) = operation.responses.responses.get_mut("200")
    {
        let description = "With `limit`, and where there is more: `<the next page>; rel=\"next\"` (RFC 8288).";
        let link = HeaderBuilder::new().schema(Some(Object::with_type(Type::String))).description(Some(description));
        response.headers.insert("Link".to_owned(), RefOr::T(link.build()));
    }
}

/// Adds the header `Location` to each response about a created resource.
fn locate(operation: &mut Operation) {
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("201") {
        let location =
            HeaderBuilder::new().schema(Some(Object::with_type(Type::String))).description(Some("Where it is."));
        response.headers.insert("Location".to_owned(), RefOr::T(location.build()));
    }
}

fn common_errors(operation: &Operation, is_api: bool) -> Vec<(&'static str, &'static str)> {
    let mut errors = Vec::new();
    if operation.security.is_some() {
        errors.push(("400", "`two_credentials`: a key and a token at once."));
        errors.push(("401", "`unauthorized`: no credentials, wrong ones, or those of the other kind of caller."));
    }
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let in_path =
        |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(p) if p.parameter_in == ParameterIn::Path);
    if parameters.iter().any(in_path) {
        errors.push(("404", "`not_found`: there is no such thing, or not for this caller."));
    }
    if operation.request_body.is_some() {
        errors.push(("413", "`too_large`: the body is too large."));
        errors.push(("415", "`unsupported_media_type`: the body is of another kind."));
    }
    if operation.request_body.is_some() {
        errors.push(("408", "`body_too_slow`: the body has not come in time; send it faster, or in smaller parts."));
    }
    if is_api {
        errors.push(("422", "`invalid`: a field or a parameter does not fit, and `errors` says which."));
    }
    if is_api {
        errors.push(("429", "`too_many_requests`: the caller asks too much; come again in `Retry-After` seconds."));
        errors.push(("503", "`unavailable`: something is away; come again in `Retry-After` seconds."));
        errors.push(("504", "`timeout`: no answer in time."));
    }
    errors
}

/// Adds the schema to an error response, and an example made from its description, "`code`: a
/// sentence".
fn as_problem(status: &str, response: &mut Response) {
    let title =
        status.parse().ok().and_then(|status: u16| axum::http::StatusCode::from_u16(status).ok()?.canonical_reason());
    let mut parts = response.description.split('`');
    let code = parts.nth(1).unwrap_or_default();
    // If the description has several codes, the example shows the first.
    let detail = response.description.split_once("`: ").map_or("", |(_, detail)| detail);
    let detail = detail.split(". `").next().unwrap_or_default().trim_end_matches('.');
    let mut letters = detail.chars();
    let detail = letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str()));
    let example = json!({
        "type": "about:blank", "title": title, "status": status.parse::<u16>().ok(),
        "detail": detail, "code": code, "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    });
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).example(Some(example)).build();
    response.content.insert(PROBLEM_JSON.to_owned(), RefOr::T(content));
}
