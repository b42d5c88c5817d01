//! The page of the organisation's settings and of the API keys.

use axum::response::Response;
use contracts::{
    Failure, FieldError, GetSettings, ListApiKeys, PayPeriod, Resource, Scope, SetSettings, Settings, UnknownCurrency,
    UnknownZone, WeekDay,
};
use futures::try_join;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    errors,
    forms::{Field, alert, choice, field, said},
    inputs::{on_seen, seen},
    key_form, key_list,
    notice::{Done, notice},
    places,
    visitor::Visitor,
};
use crate::{
    error::Problem,
    extract::{Form, Params},
};

/// The form that changes the settings.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filled {
    timezone: Option<String>,
    pay_period: Option<String>,
    anchor: Option<String>,
    week_start: Option<String>,
    currency: Option<String>,
    seen: Option<String>,
}

/// A submitted form that was refused, with its values and the failure.
pub(super) enum Misfit<'a> {
    Settings(&'a Filled, &'a Failure),
    Key(&'a key_form::Filled, &'a Failure),
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params, None).await;
    visitor.page(&places::SETTINGS, content)
}

/// Changes the settings of the organisation.
pub(super) async fn submit(visitor: Visitor, params: Params, Form(filled): Form<Filled>) -> Result<Response, Problem> {
    let outcome =
        visitor.submit(read(&filled).map(|settings| on_seen(filled.seen.as_ref(), SetSettings { settings }))).await;
    Ok(match outcome {
        Ok(_) => {
            visitor.app.organisation.forget().await;
            errors::see(&places::after(places::SETTINGS.path, Done::Saved))
        }
        Err(failure) => again(&visitor, &params, Misfit::Settings(&filled, &failure), &failure).await,
    })
}

/// Shows the page again with the values and the failure of a form.
pub(super) async fn again(visitor: &Visitor, params: &Params, misfit: Misfit<'_>, failure: &Failure) -> Response {
    let content = content(visitor, params, Some(misfit)).await;
    visitor.again(&places::SETTINGS, failure, content)
}

fn read(filled: &Filled) -> Result<Settings, Failure> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default().trim().to_owned();
    let (timezone, anchor) = (text(&filled.timezone).parse(), text(&filled.anchor).parse());
    let (period, day) = (text(&filled.pay_period), text(&filled.week_start));
    let pay_period = PayPeriod::ALL.into_iter().find(|known| known.name() == period);
    let week_start = WeekDay::ALL.into_iter().find(|known| known.name() == day);
    let currency = Some(text(&filled.currency)).filter(|code| !code.is_empty()).map(|code| code.parse()).transpose();
    match (timezone, pay_period, anchor, week_start, currency) {
        (Ok(timezone), Some(pay_period), Ok(anchor), Some(week_start), Ok(currency)) => {
            Ok(Settings { timezone, pay_period, anchor, week_start, currency })
        }
        (timezone, pay_period, anchor, week_start, currency) => {
            let misfits = [
                ("timezone", timezone.err().map(|unknown: UnknownZone| unknown.to_string())),
                ("payPeriod", pay_period.is_none().then(|| "must be one of those".to_owned())),
                ("anchor", anchor.is_err().then(|| "must be a day such as 2026-03-01".to_owned())),
                ("weekStart", week_start.is_none().then(|| "must be one of those".to_owned())),
                ("currency", currency.err().map(|unknown: UnknownCurrency| unknown.to_string())),
            ];
            let errors = misfits.into_iter().filter_map(|(field, message)| Some((field, message?)));
            Err(Failure::fields(errors.map(|(field, message)| FieldError { field: field.into(), message }).collect()))
        }
    }
}

async fn content(visitor: &Visitor, params: &Params, misfit: Option<Misfit<'_>>) -> Result<Markup, Failure> {
    let (settings, all) = try_join!(visitor.ask(GetSettings {}), visitor.ask_if(Resource::Keys, ListApiKeys {}))?;
    let (filled, wrong, key, wrong_key) = match misfit {
        Some(Misfit::Settings(filled, failure)) => (Some(filled), Some(failure), None, None),
        Some(Misfit::Key(filled, failure)) => (None, None, Some(filled), Some(failure)),
        None => (None, None, None, None),
    };
    Ok(html! {
        (notice(params))
        section {
            h2 { "The organisation" }
            @if visitor.may(Scope::write(Resource::Settings)) { (form(visitor, &settings, filled, wrong)) }
            @else { (told(visitor, &settings)) }
        }
        @if visitor.may(Scope::read(Resource::Rates)) {
            section {
                h2 { "Rates" }
                p { "What an hour costs and earns " a href=(visitor.address(places::RATES.path)) { "on all projects" } "; those of a project stand on its page." }
            }
        }
        @if visitor.may_open(places::LOCKS.access) {
            section {
                h2 { "Locks" }
                p { "Up to when hours are settled, " a href=(visitor.address(places::LOCKS.path)) { "of everything and of projects" } "." }
            }
        }
        @if let Some(all) = all {
            section {
                h2 { "API keys" }
                (key_list::list(visitor, &all).await)
                @if visitor.may(Scope::write(Resource::Keys)) { (key_form::form(visitor, key, wrong_key)) }
            }
        }
    })
}

fn currency(settings: &Settings) -> Option<String> {
    settings.currency.map(|currency| currency.to_string())
}

fn period_name(period: PayPeriod) -> &'static str {
    match period {
        PayPeriod::Week => "A week",
        PayPeriod::Biweek => "Two weeks",
        PayPeriod::Month => "A month",
    }
}

fn told(visitor: &Visitor, settings: &Settings) -> Markup {
    html! {
        table { tbody {
            tr { th scope="row" { "Time zone" } td { (settings.timezone.to_string()) } }
            tr { th scope="row" { "Weeks begin on" } td { (format!("{:?}", settings.week_start)) } }
            tr { th scope="row" { "A pay period is" } td { (period_name(settings.pay_period)) } }
            tr { th scope="row" { "One begins on" } td { (visitor.reader.date(settings.anchor)) } }
            tr { th scope="row" { "Currency" } td { (currency(settings).unwrap_or_else(|| "None is named".to_owned())) } }
        } }
    }
}

fn form(visitor: &Visitor, settings: &Settings, filled: Option<&Filled>, failure: Option<&Failure>) -> Markup {
    let typed = |of: fn(&Filled) -> &Option<String>, stored: String| {
        filled.and_then(|filled| of(filled).clone()).unwrap_or(stored)
    };
    let input = |name, label, kind, value: &str| {
        field(&Field { name, label, kind, value, autocomplete: "off", error: said(failure, name) })
    };
    let days: Vec<_> = WeekDay::ALL.map(|day| (day.name(), format!("{day:?}"))).into();
    let periods: Vec<_> = PayPeriod::ALL.map(|period| (period.name(), period_name(period).to_owned())).into();
    html! {
        (alert(failure))
        form method="post" action=(visitor.address(places::SETTINGS.path)) {
            (seen(&settings.tag()))
            (input("timezone", "Time zone", "text", &typed(|f| &f.timezone, settings.timezone.to_string())))
            p.hint { "Where days begin for whoever has chosen no other zone: a city of it, such as Europe/Berlin, or UTC." }
            (choice("weekStart", "Weeks begin on", &days, &typed(|f| &f.week_start, settings.week_start.name().into()), said(failure, "weekStart")))
            (choice("payPeriod", "A pay period is", &periods, &typed(|f| &f.pay_period, settings.pay_period.name().into()), said(failure, "payPeriod")))
            (input("anchor", "A day on which one begins", "date", &typed(|f| &f.anchor, settings.anchor.to_string())))
            p.hint { "Of months only the day counts: the 28th at the latest." }
            (input("currency", "Currency", "text", &typed(|f| &f.currency, currency(settings).unwrap_or_default())))
            p.hint { "Shown beside all amounts: a code of three letters, such as EUR or USD. Another one converts nothing. Left empty, amounts have none." }
            p { button type="submit" { "Save the settings" } }
        }
    }
}
