//! The page that reprices recorded hours: a form, then a preview of what would change, then a job.

use axum::response::Response;
use contracts::{
    Cents, Failure, GetReprice, ListProjects, PreviewReprice, ProjectId, RepriceFilter, RepriceId, RepriceJob,
    RepricePreview, RepriceState, Resource, Scope, StartReprice, TimeRange,
};
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    errors,
    inputs::{alert, text},
    places,
    visitor::Visitor,
};
use crate::{
    extract::{Form, Params},
    routes::REPRICE_PATIENCE,
};

/// The largest number of projects that the form offers.
const MOST: usize = 5_000;

/// What the form selects: one project, or all projects for `None`, and the first and the last day.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    project: Option<ProjectId>,
    from: Option<Date>,
    to: Option<Date>,
}

/// The form that confirms a preview.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Confirmed {
    project_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    hash: Option<String>,
}

/// Shows the page: the form, the form with a preview, or the state of a job.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = async {
        let job: Option<RepriceId> = params.get("job", "must be a job's id")?;
        match job {
            Some(id) => Ok(job_shown(&visitor, &visitor.ask(GetReprice { id }).await?)),
            None => asked_content(&visitor, asked(&params)?, params.has("from"), None).await,
        }
    };
    let content = content.await;
    visitor.page(&places::REPRICE, content)
}

/// Starts the job that reprices the selected hours.
pub(super) async fn submit(visitor: Visitor, Form(confirmed): Form<Confirmed>) -> Response {
    let day = |typed: &Option<String>| text(typed).parse::<Date>().ok();
    let asked =
        Asked { project: text(&confirmed.project_id).parse().ok(), from: day(&confirmed.from), to: day(&confirmed.to) };
    let outcome = async {
        let start = StartReprice { filter: filter(&visitor, asked).await?, hash: text(&confirmed.hash).to_owned() };
        visitor.asker.ask_within(&visitor.app, REPRICE_PATIENCE, start).await
    };
    match outcome.await {
        Ok(job) => errors::see(&format!("{}?job={}", places::REPRICE.path, job.id)),
        Err(failure) => {
            let content = asked_content(&visitor, asked, true, Some(&failure)).await;
            visitor.again(&places::REPRICE, &failure, content)
        }
    }
}

fn asked(params: &Params) -> Result<Asked, Failure> {
    let day = |name| params.get::<Date>(name, "must be a day such as 2026-03-01");
    Ok(Asked { project: params.get("projectId", "must be a project's id")?, from: day("from")?, to: day("to")? })
}

/// The filter that selects the windows of the chosen project, or of all projects, that begin on the
/// chosen days in the organisation's time zone.
async fn filter(visitor: &Visitor, asked: Asked) -> Result<RepriceFilter, Failure> {
    let zone = visitor.app.organisation.settings().await.timezone.clone();
    let begin = match (asked.from, asked.to) {
        (Some(from), Some(to)) => {
            let end = to.tomorrow().map_err(|_| Failure::field("to", "must be an earlier day"))?;
            let range = TimeRange::new(zone.beginning(from), zone.beginning(end));
            Some(range.map_err(|_| Failure::field("to", "must not be before the first day"))?)
        }
        _ => return Err(Failure::field("from", "must be a day such as 2026-03-01, and the last day too")),
    };
    Ok(RepriceFilter { projects: asked.project.into_iter().collect(), begin, ..RepriceFilter::default() })
}

async fn asked_content(
    visitor: &Visitor,
    asked: Asked,
    is_asked: bool,
    refused: Option<&Failure>,
) -> Result<Markup, Failure> {
    if !visitor.may(Scope::write(Resource::Rates)) {
        return Ok(html! { p.empty { "Your role may see rates, and not price hours anew." } });
    }
    let (projects, _) = match visitor.may(Scope::read(Resource::Projects)) {
        true => visitor.first(ListProjects::default(), MOST).await?,
        false => Default::default(),
    };
    let preview = match is_asked {
        true => Some(preview(visitor, asked).await),
        false => None,
    };
    let failed = preview.as_ref().and_then(|preview| preview.as_ref().err());
    let project = asked.project.map(|id| id.to_string()).unwrap_or_default();
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    Ok(html! {
        (alert(refused.or(failed)))
        @if let Some(failure) = failed { @for error in &failure.errors { p.error { (error.message) } } }
        p.hint { "Recorded hours keep the rates that held when they were recorded. Here they get those that are set for their days now; what is settled stays as it is. Nothing changes before you confirm it." }
        form method="get" action=(visitor.address(places::REPRICE.path)) {
            div.row {
                label { "From " input type="date" name="from" value=(day(asked.from)) required; }
                label { "To " input type="date" name="to" value=(day(asked.to)) required; }
                label { "Project "
                    select name="projectId" {
                        option value="" { "All projects" }
                        @for one in &projects { option value=(one.id) selected[one.id.to_string() == project] { (one.name) } }
                    }
                }
            }
            p { button type="submit" { "Show what would change" } }
        }
        @if let Some(Ok(preview)) = &preview { (previewed(visitor, asked, preview)) }
    })
}

async fn preview(visitor: &Visitor, asked: Asked) -> Result<RepricePreview, Failure> {
    let request = PreviewReprice { filter: filter(visitor, asked).await? };
    visitor.asker.ask_within(&visitor.app, REPRICE_PATIENCE, request).await
}

fn previewed(visitor: &Visitor, asked: Asked, preview: &RepricePreview) -> Markup {
    let reader = &visitor.reader;
    let money = |amount: Cents| reader.money(amount);
    let before = |after: Cents, difference: Cents| Cents(after.0 - difference.0);
    let line = |name: &str, after: Cents, difference: Cents| {
        html! { tr {
            th scope="row" { (name) } td.number { (money(before(after, difference))) } td.number { (money(after)) }
            td.number { (money(difference)) }
        } }
    };
    let hidden = |name: &str, value: String| html! { input type="hidden" name=(name) value=(value); };
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    html! {
        section {
            h2 { "What would change" }
            p {
                @if preview.count == 1 { "1 window gets another price" } @else { (reader.count(preview.count as usize)) " windows get another price" }
                @if preview.settled > 0 { "; " (reader.count(preview.settled as usize)) " are settled and stay as they are" } "."
            }
            @if preview.count > 0 {
                table {
                    thead { tr { th scope="col" { "These windows" } th.number scope="col" { "Now" } th.number scope="col" { "Then" } th.number scope="col" { "Difference" } } }
                    tbody {
                        (line(&reader.in_currency("Cost"), preview.costs, preview.difference.costs))
                        (line(&reader.in_currency("Income"), preview.income, preview.difference.income))
                    }
                }
                form method="post" action=(visitor.address(places::REPRICE.path)) {
                    (hidden("projectId", asked.project.map(|id| id.to_string()).unwrap_or_default()))
                    (hidden("from", day(asked.from)))
                    (hidden("to", day(asked.to)))
                    (hidden("hash", preview.hash.clone()))
                    p { button type="submit" { "Price them anew" } }
                }
            }
        }
    }
}

fn job_shown(visitor: &Visitor, job: &RepriceJob) -> Markup {
    let reader = &visitor.reader;
    let count = |number: u64| reader.count(usize::try_from(number).unwrap_or(usize::MAX));
    let again = format!("{}?job={}", visitor.address(places::REPRICE.path), job.id);
    html! {
        section {
            h2 { @match job.state { RepriceState::Running => "Under way", RepriceState::Done => "Done" } }
            p role="status" {
                (count(job.changed)) " of " (count(job.count)) " windows have their new price; "
                (count(job.seen)) " of " (count(job.total)) " were looked at"
                @if job.settled > 0 { ", " (count(job.settled)) " are settled and stay as they are" }
                "."
            }
            @match job.finished_at {
                Some(at) => p.hint { "Finished " (reader.moment(at)) "." },
                None => p { a.button href=(again) { "Look again" } },
            }
        }
    }
}
