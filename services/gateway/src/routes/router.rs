use std::sync::Arc;

use axum::{Router, middleware, routing::get};
use contracts::Code;
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
    cors::CorsLayer,
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use super::{accounts, analytics, batch, corrections, employees, health, projects, tasks, time_entries, windows};
use crate::{
    App,
    conditional::conditional,
    error::Problem,
    extract::{Queries, check_query},
    hear_out::hear_out,
    observe::observe,
    openapi, pages,
    serving::in_time,
    truths::with_truths,
};

/// The fewest bytes of an answer that is worth compressing.
const COMPRESSED_LEAST: u64 = 1024;

/// Compresses answers for those who can read it. Pages are left as they are: they hold tokens, whose
/// letters the length of a compressed page would tell.
fn compressed() -> CompressionLayer<impl Predicate> {
    let worth =
        SizeAbove::new(COMPRESSED_LEAST).and(NotForContentType::const_new("text/html")).and(NotForContentType::IMAGES);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth)
}

/// The calls of the API, and their description.
fn calls() -> (Router<Arc<App>>, OpenApi) {
    let (router, mut api) = OpenApiRouter::with_openapi(openapi::described())
        .routes(routes!(accounts::activate_account))
        .routes(routes!(accounts::log_in))
        .routes(routes!(accounts::get_me))
        .routes(routes!(employees::create_employee, employees::list_employees))
        .routes(routes!(employees::get_employee, employees::update_employee))
        .routes(routes!(employees::deactivate_employee))
        .routes(routes!(employees::reactivate_employee))
        .routes(routes!(employees::invite_employee))
        .routes(routes!(employees::set_permissions))
        .routes(routes!(projects::create_project, projects::list_projects))
        .routes(routes!(projects::get_project, projects::update_project, projects::delete_project))
        .routes(routes!(tasks::create_task, tasks::list_tasks))
        .routes(routes!(tasks::get_task, tasks::update_task, tasks::delete_task))
        .routes(routes!(time_entries::record_window))
        .routes(routes!(time_entries::update_windows))
        .routes(routes!(batch::post_batch))
        .routes(routes!(time_entries::get_window, corrections::correct_window, corrections::void_window))
        .routes(routes!(corrections::list_quarantine))
        .routes(routes!(corrections::replay_quarantined))
        .routes(routes!(windows::list_windows))
        .routes(routes!(analytics::project_time))
        .routes(routes!(analytics::time))
        .routes(routes!(analytics::task_time))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .split_for_parts();
    openapi::complete(&mut api);
    (router, api)
}

/// The description as it is served.
#[cfg(test)]
pub(crate) fn described() -> serde_json::Value {
    with_truths(serde_json::to_value(calls().1).unwrap_or_default())
}

/// Every route there is.
pub(crate) fn router(app: Arc<App>, cors: Option<CorsLayer>) -> Router {
    let (router, api) = calls();
    let queries = Queries::described_by(&api);
    let api = with_truths(serde_json::to_value(api).unwrap_or_default());
    let router = router
        .route("/", get(pages::home::show))
        .route("/activate", get(pages::activate::show).post(pages::activate::submit))
        .merge(SwaggerUi::new("/docs").external_url_unchecked("/openapi.json", api))
        .fallback(pages::missing::show)
        .method_not_allowed_fallback(async || {
            Problem::new(
                Code::MethodNotAllowed,
                "This path does not take this method. /docs lists those that it takes.",
            )
        });
    let router = router.layer(middleware::from_fn_with_state(queries, check_query));
    let router = router.layer(middleware::from_fn_with_state(app.body_limit.clone(), in_time));
    let router =
        router.layer(middleware::from_fn(conditional)).layer(middleware::from_fn(hear_out)).layer(compressed());
    let router = match cors {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router.layer(middleware::from_fn_with_state(app.clone(), observe)).with_state(app)
}
