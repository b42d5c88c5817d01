//! The console: pages for people with a role, and pages of each employee's own time. The pages send
//! the same requests to services as the API, and render the replies as HTML. Every page works
//! without JavaScript.

mod account;
mod adjustments;
mod approvals;
mod assets;
mod attention;
mod audit;
mod audit_changes;
mod charts;
mod cookie;
mod correction;
mod corrections;
mod day;
mod dead;
mod doers;
mod employee_names;
mod errors;
mod extractor;
mod forms;
mod inputs;
mod key_form;
mod key_list;
mod keys;
mod lanes;
mod layout;
mod likely;
mod live;
mod locale;
mod locks;
mod log_in;
mod members;
mod my_day;
mod my_periods;
mod no_rate;
mod notice;
mod now;
mod pages;
mod pay_periods;
mod pay_run;
mod pay_runs;
mod payroll;
mod people;
mod person;
mod places;
mod project;
mod project_actions;
mod project_address;
mod project_form;
mod projects;
mod rates;
mod reader;
mod refresh;
mod reports;
mod reprice;
mod roster;
mod settings;
mod sums;
mod task;
mod task_actions;
mod task_form;
mod tasks;
mod visitor;
mod week;
mod window;
mod windows;
mod zone;

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::{MethodRouter, get, post},
};
use tower_http::csrf::{CsrfLayer, ProtectionError};

pub use self::places::console_pages;
pub(crate) use self::{
    likely::Likely,
    now::{AT_WORK_LASTS, RecentAtWork},
};
use self::{places::Place, visitor::Visitor};
use crate::{App, error::PROBLEM_JSON};

/// The content security policy of every page: a page loads only files of this gateway, runs no
/// inline scripts, and submits forms only to this gateway.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// Marks a response that may be compressed. It contains no secret that could be guessed from the
/// compressed length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HoldsNoSecret;

/// Marks a page of the console that contains a secret, so that it is not compressed.
#[derive(Clone, Copy, Debug)]
struct HoldsSecret;

/// The path under which browsers reach a path of the gateway, including the prefix of a proxy.
fn address(app: &App, path: &str) -> String {
    app.base.path(path)
}

/// The routes of the console, each with who may open its page.
pub(crate) fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let router = Router::new()
        .merge(page(&places::NOW, get(now::show)))
        .merge(page(&places::DAY, get(day::show)))
        .merge(page(&places::WEEK, get(week::show)))
        .merge(page(&places::PROJECTS, get(projects::show).post(projects::submit)))
        .merge(page(&places::PROJECT, get(project::show)))
        .merge(page(&places::PROJECT_UPDATE, post(project_actions::update)))
        .merge(page(&places::PROJECT_ARCHIVE, post(project_actions::archive)))
        .merge(page(&places::PROJECT_RESTORE, post(project_actions::restore)))
        .merge(page(&places::PROJECT_DELETE, post(project_actions::delete)))
        .merge(page(&places::PROJECT_PUT_ON, post(project_actions::put_on)))
        .merge(page(&places::PROJECT_TAKE_OFF, post(project_actions::take_off)))
        .merge(page(&places::PROJECT_RATES, post(project_actions::set_rates)))
        .merge(page(&places::RATES, get(rates::show)))
        .merge(page(&places::RATE_SET, post(rates::submit)))
        .merge(page(&places::RATE_DELETE, post(rates::delete)))
        .merge(page(&places::REPRICE, get(reprice::show).post(reprice::submit)))
        .merge(page(&places::PROJECT_TASKS, post(project_actions::create_task)))
        .merge(page(&places::TASK, get(task::show)))
        .merge(page(&places::TASK_UPDATE, post(task_actions::update)))
        .merge(page(&places::TASK_PUT_ON, post(task_actions::put_on)))
        .merge(page(&places::TASK_TAKE_OFF, post(task_actions::take_off)))
        .merge(page(&places::TASK_MOVE, post(task_actions::move_to)))
        .merge(page(&places::TASK_DELETE, post(task_actions::delete)))
        .merge(page(&places::PEOPLE, get(people::show).post(people::submit)))
        .merge(page(&places::PERSON, get(person::show)))
        .merge(page(&places::UPDATE, post(person::update)))
        .merge(page(&places::INVITE, post(person::invite)))
        .merge(page(&places::DEACTIVATE, post(person::deactivate)))
        .merge(page(&places::REACTIVATE, post(person::reactivate)))
        .merge(page(&places::SET_ROLE, post(person::set_role)))
        .merge(page(&places::ATTENTION, get(attention::show)))
        .merge(page(&places::REPLAY, post(attention::replay)))
        .merge(page(&places::ASSIGN, post(attention::assign)))
        .merge(page(&places::ADMIT, post(attention::admit)))
        .merge(page(&places::DISCARD, post(attention::discard)))
        .merge(page(&places::CORRECTIONS, get(corrections::show)))
        .merge(page(&places::ACCEPT_CORRECTION, post(corrections::accept)))
        .merge(page(&places::REFUSE_CORRECTION, post(corrections::refuse)))
        .merge(page(&places::APPROVALS, get(approvals::show)))
        .merge(page(&places::APPROVE, post(approvals::approve)))
        .merge(page(&places::SEND_BACK, post(approvals::send_back)))
        .merge(page(&places::REOPEN, post(approvals::reopen)))
        .merge(page(&places::PAY_RUNS, get(pay_runs::show).post(pay_runs::make)))
        .merge(page(&places::PAY_RUN, get(pay_run::show)))
        .merge(page(&places::PAY_RUN_JSON, get(pay_run::json)))
        .merge(page(&places::PAY_RUN_CSV, get(pay_run::csv)))
        .merge(page(&places::PAY_RUN_XLSX, get(pay_run::xlsx)))
        .merge(page(&places::LOCKS, get(locks::show).post(locks::set)))
        .merge(page(&places::REOPEN_LOCK, post(locks::reopen)))
        .merge(page(&places::REPORTS, get(reports::show)))
        .merge(page(&places::REPORTS_CSV, get(reports::csv)))
        .merge(page(&places::REPORTS_XLSX, get(reports::xlsx)))
        .merge(page(&places::WINDOWS, get(windows::show)))
        .merge(page(&places::WINDOW, get(window::show).post(window::correct)))
        .merge(page(&places::VOID, post(window::void)))
        .merge(page(&places::AUDIT, get(audit::show)))
        .merge(page(&places::AUDIT_CSV, get(audit::csv)))
        .merge(page(&places::SETTINGS, get(settings::show).post(settings::submit)))
        .merge(page(&places::MAKE_KEY, post(keys::make)))
        .merge(page(&places::REVOKE_KEY, post(keys::revoke)))
        .merge(page(&places::ACCOUNT, get(account::show)))
        .merge(page(&places::PASSWORD, post(account::change_password)))
        .merge(page(&places::END_SESSION, post(account::end_session)))
        .merge(page(&places::END_OTHERS, post(account::end_others)))
        .merge(page(&places::MY_DAY, get(my_day::show)))
        .merge(page(&places::ASK, get(correction::show).post(correction::ask)))
        .merge(page(&places::ASK_VOID, post(correction::ask_void)))
        .merge(page(&places::MY_SUBMIT, post(my_periods::submit)))
        .merge(page(&places::ZONE, get(zone::show).post(zone::submit)))
        .merge(page(&places::LOG_IN, get(log_in::show).post(log_in::submit)))
        .route(places::LOG_OUT, post(log_in::log_out))
        .route("/console/{*rest}", get(missing));
    let router = router.layer(middleware::from_fn_with_state(app.clone(), cookie::slide));
    // Without this layer, a page of another origin on the same site could submit a form with the
    // visitor's cookie. The attribute `SameSite` of the cookie stops only other sites.
    let router = router.layer(CsrfLayer::new().with_rejection_response(|_: ProtectionError| errors::from_elsewhere()));
    router.merge(assets::router()).layer(middleware::from_fn_with_state(app.clone(), as_page))
}

fn page(place: &Place, methods: MethodRouter<Arc<App>>) -> Router<Arc<App>> {
    Router::new().route(place.path, methods.layer(Extension(place.access)))
}

/// Adds the headers that every page must have, where a page does not set them itself. A response
/// with problem JSON, such as for a form that cannot be deserialized, is replaced by an error page.
async fn as_page(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON) {
        response = errors::in_place_of(&app, response.status());
    }
    if response.extensions_mut().remove::<HoldsSecret>().is_none() {
        response.extensions_mut().insert(HoldsNoSecret);
    }
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    // With this policy browsers send the origin when our own forms are submitted, and send no URL
    // of ours to other sites.
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    response
}

async fn missing(visitor: Visitor) -> Response {
    visitor.missing()
}
