//! The logged-in visitor of a page: who they are, what they may do, and how times and numbers are
//! shown to them.

use std::sync::Arc;

use contracts::{EmployeeId, Failure, Page, Resource, Scope, Scopes, TimeRange};
use jiff::civil::Date;
use maud::{Markup, html};

use super::{places, reader::Reader};
use crate::{
    App,
    auth::{Access, Asker, ForManagers, Pass},
    extract::Params,
    names::{Ids, KnownNames},
    routes::ListRequest,
};

/// A logged-in visitor who may open the page.
pub(super) struct Visitor {
    pub(super) app: Arc<App>,
    /// The visitor's id as an employee.
    pub(super) employee: EmployeeId,
    /// Sends the visitor's requests, and limits them to the data that the visitor may access.
    pub(super) asker: Asker,
    /// Formats times and numbers in the visitor's time zone and language.
    pub(super) reader: Reader,
    /// Whether the request comes from an open page that refreshes a part of itself.
    pub(super) is_refresh: bool,
    /// The path and query of the requested page.
    pub(super) here: String,
    scopes: Scopes,
    /// Whether the visitor is a manager, whose scopes are limited to the employees of their teams.
    is_manager: bool,
}

impl Visitor {
    /// Creates the visitor with the rights in `pass`.
    pub(super) fn new(app: Arc<App>, pass: Pass, reader: Reader, is_refresh: bool, here: String) -> Self {
        let Pass { employee, asker, scopes, is_manager } = pass;
        Self { app, employee, asker, reader, is_refresh, here, scopes, is_manager }
    }

    /// The path under which browsers reach a path of the gateway, including the prefix of a proxy.
    pub(super) fn address(&self, path: &str) -> String {
        super::address(&self.app, path)
    }

    /// An employee's name. It is a link to the employee's page if the visitor may open that page.
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

    /// Whether the visitor may open pages with this [`Access`].
    pub(super) fn may_open(&self, access: Access) -> bool {
        match access {
            Access::Open | Access::Own | Access::ScopedOrOwn(_) => true,
            Access::Scoped(resource) => self.may(Scope::read(resource)),
            Access::ScopedForAll(resource) => self.may(Scope::read(resource)) && !self.is_manager,
        }
    }

    /// Whether the visitor may change a resource for everybody, and not only for their teams.
    pub(super) fn may_for_all(&self, resource: Resource) -> bool {
        self.may(Scope::write(resource)) && !self.is_manager
    }

    /// The visitor's id if they are a manager, who sees only their teams.
    pub(super) fn manager(&self) -> Option<EmployeeId> {
        self.is_manager.then_some(self.employee)
    }

    /// Sends a request to a service for the visitor.
    pub(super) async fn ask<R: ForManagers>(&self, request: R) -> Result<R::Reply, Failure> {
        self.asker.ask(&self.app, request).await
    }

    /// Sends the request that was read from a form, or fails with the error of reading the form.
    pub(super) async fn submit<R: ForManagers>(&self, request: Result<R, Failure>) -> Result<R::Reply, Failure> {
        self.ask(request?).await
    }

    /// Sends a request if the visitor may read the resource; otherwise returns `None`.
    pub(super) async fn ask_if<R: ForManagers>(
        &self,
        resource: Resource,
        request: R,
    ) -> Result<Option<R::Reply>, Failure> {
        if self.may(Scope::read(resource)) { self.ask(request).await.map(Some) } else { Ok(None) }
    }

    /// Looks up the names of these ids.
    pub(super) async fn names(&self, ids: Ids) -> Arc<KnownNames> {
        self.app.names.of(ids).await
    }

    /// The day that the query parameter `day` names (today by default), the range of that day, and
    /// today.
    pub(super) fn day(&self, params: &Params) -> Result<(Date, TimeRange, Date), Failure> {
        let today = self.reader.day(self.app.clock.now());
        let must = "must be a day such as 2026-03-01";
        let day: Date = params.get("day", must)?.unwrap_or(today);
        let range = self.reader.days(day, 1).ok_or_else(|| Failure::field("day", must))?;
        Ok((day, range, today))
    }

    /// The first `most` items of a list, and whether there are more. If the request has no limit, a
    /// reply contains as many items as fit into it, so one request is usually enough.
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
