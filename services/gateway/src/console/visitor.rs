//! The visitor of a page: the extractor of every handler except the log-in's.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
    response::Response,
};
use contracts::{EmployeeId, Failure, ListRoster, Page, Resource, RosterEntry, Scope, Scopes, TimeRange};
use jiff::civil::Date;
use maud::{Markup, html};

use super::{cookie, errors, pages::Pager, places, reader::Reader};
use crate::{
    App,
    auth::{Access, Asker, ForManagers, Pass, Refusal, authorize_page},
    extract::Params,
    names::{Ids, Told},
    routes::ListRequest,
};

/// A logged-in visitor who may open the page.
pub(super) struct Visitor {
    pub(super) app: Arc<App>,
    /// The id of the employee.
    pub(super) employee: EmployeeId,
    /// In whose name the page sends requests, and about whose data.
    pub(super) asker: Asker,
    /// The formats of times and numbers.
    pub(super) reader: Reader,
    /// Whether a part of a page refreshes itself.
    pub(super) is_refresh: bool,
    /// The page's path and query.
    pub(super) here: String,
    scopes: Scopes,
    /// Whether the scopes are limited to the employees of their teams.
    is_manager: bool,
}

/// Whether htmx sent the request by itself.
pub(super) fn is_refresh(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let here = parts.uri.path_and_query().map_or("/console", |here| here.as_str()).to_owned();
        let is_refresh = is_refresh(&parts.headers);
        let log_in = || errors::log_in_first(app, &here, is_refresh);
        let Some(token) = cookie::token(app, &parts.headers) else { return Err(log_in()) };
        // An unknown path below the console has no access of its own.
        let access = parts.extensions.get::<Access>().copied().unwrap_or(Access::Own);
        let settings = app.organisation.settings().await;
        let reader = Reader::of(&parts.headers, &settings);
        let visitor = |Pass { employee, asker, scopes, is_manager }| Self {
            app: app.clone(),
            employee,
            asker,
            reader,
            is_refresh,
            here: here.clone(),
            scopes,
            is_manager,
        };
        match authorize_page(app, token, access, parts).await {
            Ok(pass) => Ok(visitor(pass)),
            Err(Refusal::LogIn) => Err(log_in()),
            Err(Refusal::Forbidden(pass)) => {
                // A visitor without a role is sent to their own page.
                if pass.scopes.0.is_empty() && parts.uri.path() == places::NOW.path {
                    return Err(errors::see(places::MY_DAY.path));
                }
                Err(visitor(pass).forbidden())
            }
            Err(Refusal::Failed(failure)) => Err(errors::alone(app, &failure)),
        }
    }
}

impl Visitor {
    /// A path of the gateway as browsers see it.
    pub(super) fn address(&self, path: &str) -> String {
        super::address(&self.app, path)
    }

    /// An employee's name, as a link to their page for those who may open it.
    pub(super) fn person(&self, id: EmployeeId, name: &str) -> Markup {
        html! {
            @if self.may_open(places::PERSON.access) { a href=(self.address(&places::person(id))) { (name) } }
            @else { (name) }
        }
    }

    /// Whether the visitor's role has this scope.
    pub(super) fn may(&self, scope: Scope) -> bool {
        self.scopes.allow(scope)
    }

    /// Whether the visitor may open pages of this access.
    pub(super) fn may_open(&self, access: Access) -> bool {
        match access {
            Access::Open | Access::Own | Access::ScopedOrOwn(_) => true,
            Access::Scoped(resource) => self.may(Scope::read(resource)),
            Access::ScopedForAll(resource) => self.may(Scope::read(resource)) && !self.is_manager,
        }
    }

    /// Whether the visitor may change this for everybody, and not only for their teams.
    pub(super) fn may_for_all(&self, resource: Resource) -> bool {
        self.may(Scope::write(resource)) && !self.is_manager
    }

    /// The visitor, if they see their teams only.
    pub(super) fn manager(&self) -> Option<EmployeeId> {
        self.is_manager.then_some(self.employee)
    }

    /// Sends a request in the visitor's name.
    pub(super) async fn ask<R: ForManagers>(&self, request: R) -> Result<R::Reply, Failure> {
        self.asker.ask(&self.app, request).await
    }

    /// The same if the visitor may read this; none if not.
    pub(super) async fn ask_if<R: ForManagers>(
        &self,
        resource: Resource,
        request: R,
    ) -> Result<Option<R::Reply>, Failure> {
        if self.may(Scope::read(resource)) { self.ask(request).await.map(Some) } else { Ok(None) }
    }

    /// The names of these ids.
    pub(super) async fn names(&self, ids: Ids) -> Arc<Told> {
        self.app.names.of(ids).await
    }

    /// A page of the employees who may have worked in a range, by name.
    pub(super) async fn roster(
        &self,
        params: &Params,
        range: TimeRange,
        size: usize,
    ) -> Result<(Pager, Vec<RosterEntry>), Failure> {
        let asked = |skip| ListRoster { range, employees: Vec::new(), skip, limit: size };
        let mut roster = self.ask(asked(Pager::skipped(params, size)?)).await?;
        let pager = Pager::of(params, roster.count, size)?;
        if roster.people.is_empty() && roster.count > 0 {
            // The query names a page after the last one: the last one is shown.
            roster = self.ask(asked(pager.before())).await?;
        }
        Ok((pager, roster.people))
    }

    /// The day of the query with its range, and today.
    pub(super) fn day(&self, params: &Params) -> Result<(Date, TimeRange, Date), Failure> {
        let today = self.reader.day(self.app.clock.now());
        let must = "must be a day such as 2026-03-01";
        let day: Date = params.get("day", must)?.unwrap_or(today);
        let range = self.reader.days(day, 1).ok_or_else(|| Failure::field("day", must))?;
        Ok((day, range, today))
    }

    /// The first `most` items of a list, and whether there are more. It requests as many as fit into a reply, so
    /// that one request is mostly enough.
    pub(super) async fn first<R: ListRequest>(&self, request: R, most: usize) -> Result<(Vec<R::Item>, bool), Failure> {
        let Page { mut items, mut next } = self.asker.ask(&self.app, request.clone()).await?;
        while let Some(place) = next.take_if(|_| items.len() < most) {
            let page = self.asker.ask(&self.app, request.after(Some(place))).await?;
            items.extend(page.items);
            next = page.next;
        }
        let has_more = items.len() > most || next.is_some();
        items.truncate(most);
        Ok((items, has_more))
    }
}
