use std::{future::ready, sync::Arc};

use Access::{Open, Own, Scoped, ScopedOrOwn};
use Resource::{Analytics, Employees, Keys, Periods, Projects, Rates, Tasks, Teams, Time};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::State,
    http::{Extensions, HeaderMap, StatusCode, Version, header::CONTENT_TYPE},
    middleware,
    routing::get,
};
use contracts::{Code, Resource};
use kit::PublicUrl;
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
    cors::CorsLayer,
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter},
    routes,
};
use utoipa_swagger_ui::{Config as SwaggerConfig, SwaggerUi};

use super::{
    accounts, adjustments, analytics, api_keys, attention, audit, batch, correction_requests, corrections, employees,
    health, locks, passwords, pay_runs, periods, projects, rates, reprice, sessions, settings, slash, tasks, teams,
    time_entries, under_path::under_path, windows,
};
use crate::{
    App,
    auth::Access,
    console::{self, HoldsNoSecret},
    error::Problem,
    etags::tag_answer,
    extract::{Queries, check_query},
    hear_out::hear_out,
    limits::{Bound, limit},
    observe::observe,
    openapi, pages,
    serving::in_time,
};

/// The smallest size of a response that is compressed, in bytes.
const COMPRESSED_LEAST: u64 = 1024;

/// Compresses responses for clients that accept compression. Pages that may contain tokens are not
/// compressed, because the length of a compressed page could reveal characters of the token.
fn compressed() -> CompressionLayer<impl Predicate> {
    let is_safe = |_: StatusCode, _: Version, headers: &HeaderMap, said: &Extensions| {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        !kind.starts_with("text/html") || said.get::<HoldsNoSecret>().is_some()
    };
    let worth = SizeAbove::new(COMPRESSED_LEAST).and(is_safe).and(NotForContentType::IMAGES);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth)
}

/// Declares who may call a route, for `auth` and for the OpenAPI document.
fn access(access: Access, routes: UtoipaMethodRouter<Arc<App>>) -> UtoipaMethodRouter<Arc<App>> {
    let (schemas, mut paths, methods) = routes;
    openapi::name_access(&mut paths, access);
    (schemas, paths, methods.layer(Extension(access)))
}

/// Applies another rate limit than the default to a route.
fn bounded(bound: Bound, routes: UtoipaMethodRouter<Arc<App>>) -> UtoipaMethodRouter<Arc<App>> {
    let (schemas, paths, methods) = routes;
    (schemas, paths, methods.layer(Extension(bound)))
}

/// All routes of the API, each with who may call it, and the OpenAPI document for this base URL.
fn calls(base: &PublicUrl) -> (Router<Arc<App>>, OpenApi) {
    let (router, mut api) = OpenApiRouter::with_openapi(openapi::described(base))
        .routes(access(Open, routes!(accounts::activate_account)))
        .routes(access(Open, routes!(accounts::log_in)))
        .routes(access(Own, routes!(accounts::get_me)))
        .routes(access(Open, routes!(sessions::refresh)))
        .routes(access(Own, routes!(sessions::list_sessions, sessions::end_other_sessions)))
        .routes(access(Own, routes!(sessions::end_session)))
        .routes(access(Own, routes!(sessions::log_out)))
        .routes(access(Open, routes!(passwords::forgot_password)))
        .routes(access(Open, routes!(passwords::reset_password)))
        .routes(access(Own, routes!(passwords::change_password)))
        .routes(access(Open, routes!(passwords::confirm_email)))
        .routes(access(Scoped(Employees), routes!(passwords::send_reset)))
        .routes(access(Scoped(Employees), routes!(employees::create_employee, employees::list_employees)))
        .routes(access(Scoped(Employees), routes!(employees::get_employee, employees::update_employee)))
        .routes(access(Scoped(Employees), routes!(employees::deactivate_employee)))
        .routes(access(Scoped(Employees), routes!(employees::reactivate_employee)))
        .routes(access(Scoped(Employees), routes!(employees::invite_employee)))
        .routes(access(Own, routes!(employees::set_permissions)))
        .routes(access(Scoped(Keys), routes!(api_keys::set_role)))
        .routes(access(Scoped(Keys), routes!(api_keys::create_api_key, api_keys::list_api_keys)))
        .routes(access(Scoped(Keys), routes!(api_keys::get_api_key, api_keys::revoke_api_key)))
        .routes(access(Scoped(Teams), routes!(teams::create_team, teams::list_teams)))
        .routes(access(Scoped(Teams), routes!(teams::get_team, teams::update_team, teams::delete_team)))
        .routes(access(Scoped(Projects), routes!(projects::create_project, projects::list_projects)))
        .routes(access(Scoped(Projects), routes!(projects::update_project, projects::delete_project)))
        .routes(access(ScopedOrOwn(Projects), routes!(projects::get_project)))
        .routes(access(Scoped(Tasks), routes!(tasks::create_task)))
        .routes(access(ScopedOrOwn(Tasks), routes!(tasks::list_tasks)))
        .routes(access(ScopedOrOwn(Tasks), routes!(tasks::get_task)))
        .routes(access(Scoped(Tasks), routes!(tasks::update_task, tasks::delete_task)))
        .routes(access(Scoped(Rates), routes!(rates::set_rate, rates::list_rates)))
        .routes(access(Scoped(Rates), routes!(rates::get_rate, rates::delete_rate)))
        .routes(access(Scoped(Rates), routes!(reprice::reprice)))
        .routes(access(Scoped(Rates), routes!(reprice::get_reprice)))
        .routes(bounded(Bound::Windows, access(Own, routes!(time_entries::record_window))))
        .routes(access(Scoped(Time), routes!(time_entries::update_windows)))
        .routes(bounded(Bound::Windows, access(Own, routes!(batch::post_batch))))
        .routes(access(ScopedOrOwn(Time), routes!(time_entries::get_window)))
        .routes(access(Scoped(Time), routes!(corrections::correct_window, corrections::void_window)))
        .routes(access(Scoped(Time), routes!(corrections::list_quarantine)))
        .routes(access(Scoped(Time), routes!(corrections::replay_quarantined)))
        .routes(access(Scoped(Time), routes!(corrections::admit_quarantined)))
        .routes(access(Scoped(Time), routes!(corrections::discard_quarantined)))
        .routes(access(Own, routes!(correction_requests::ask_correction)))
        .routes(access(ScopedOrOwn(Time), routes!(correction_requests::list_corrections)))
        .routes(access(ScopedOrOwn(Time), routes!(correction_requests::get_correction)))
        .routes(access(Scoped(Time), routes!(correction_requests::accept_correction)))
        .routes(access(Scoped(Time), routes!(correction_requests::refuse_correction)))
        .routes(access(Scoped(Analytics), routes!(windows::list_windows)))
        .routes(access(Scoped(Analytics), routes!(analytics::project_time)))
        .routes(access(ScopedOrOwn(Analytics), routes!(analytics::time)))
        .routes(access(ScopedOrOwn(Analytics), routes!(analytics::task_time)))
        .routes(access(Scoped(Analytics), routes!(attention::list_overlaps)))
        .routes(access(Scoped(Analytics), routes!(attention::list_long_days)))
        .routes(access(Scoped(Resource::Audit), routes!(audit::list_entries)))
        .routes(access(ScopedOrOwn(Periods), routes!(periods::list_periods)))
        .routes(access(ScopedOrOwn(Periods), routes!(periods::get_period)))
        .routes(access(Own, routes!(periods::submit_period)))
        .routes(access(Scoped(Periods), routes!(periods::approve_period)))
        .routes(access(Scoped(Periods), routes!(periods::send_back_period)))
        .routes(access(Scoped(Periods), routes!(periods::reopen_period)))
        .routes(access(ScopedOrOwn(Periods), routes!(adjustments::list_adjustments)))
        .routes(access(Scoped(Periods), routes!(locks::list_locks, locks::set_lock)))
        .routes(access(Scoped(Periods), routes!(locks::reopen_lock)))
        .routes(access(Scoped(Periods), routes!(pay_runs::create_pay_run, pay_runs::list_pay_runs)))
        .routes(access(Scoped(Periods), routes!(pay_runs::get_pay_run)))
        .routes(access(Scoped(Resource::Settings), routes!(settings::get_settings, settings::set_settings)))
        .routes(access(Open, routes!(health::healthz)))
        .routes(access(Open, routes!(health::readyz)))
        .split_for_parts();
    openapi::complete(&mut api);
    (router, api)
}

/// The OpenAPI document as the gateway serves it.
#[cfg(test)]
pub(crate) fn described() -> serde_json::Value {
    serde_json::to_value(calls(&PublicUrl::read(None).expect("an address")).1).expect("JSON")
}

/// The routes of the API, the pages and the documentation, with all middleware.
pub(crate) fn router(app: Arc<App>, cors: Option<CorsLayer>) -> Router {
    let (router, api) = calls(&app.base);
    let queries = Queries::described_by(&api);
    // The document is kept as serialized text, which takes a tenth of the memory of the structs.
    let described = Bytes::from(serde_json::to_vec(&api).expect("a description is JSON"));
    drop(api);
    let router = router
        .route("/", get(pages::home::show))
        .route("/activate", get(pages::activate::show).post(pages::activate::submit))
        .route("/forgot", get(pages::forgot::show).post(pages::forgot::submit))
        .route("/reset", get(pages::reset::show).post(pages::reset::submit))
        .route("/confirm", get(pages::confirm::show).post(pages::confirm::submit))
        .merge(console::router(&app))
        .route("/openapi.json", get(move || ready(([(CONTENT_TYPE, "application/json")], described.clone()))))
        .merge(SwaggerUi::new("/docs").config(SwaggerConfig::from(app.base.path("/openapi.json"))))
        .fallback(pages::missing::show)
        .method_not_allowed_fallback(async |State(app): State<Arc<App>>| {
            let docs = app.base.path("/docs");
            let detail = format!("This path does not take this method. {docs} lists those that it takes.");
            Problem::new(Code::MethodNotAllowed, detail)
        });
    let router = router.layer(middleware::from_fn_with_state(queries.clone(), check_query));
    let router = router.layer(middleware::from_fn_with_state(app.body_limit.clone(), in_time));
    let router = router.layer(middleware::from_fn_with_state((app.clone(), queries), limit));
    let router = router.layer(middleware::from_fn(tag_answer)).layer(middleware::from_fn(hear_out)).layer(compressed());
    let router = match cors {
        Some(cors) => router.layer(cors),
        None => router,
    };
    let router = router.layer(middleware::from_fn_with_state(app.clone(), observe)).with_state(app.clone());
    slash::with_and_without(&app.base, under_path(&app.base, router))
}
