//! The form for a new API key.

use contracts::{CreateApiKey, Failure, Given, Millis, Name, Resource, Role, Scope, Scopes};
use jiff::civil::Date;
use maud::{Markup, html};

use super::{
    forms::{Field, alert, choice, field, said},
    people::role_name,
    places,
    visitor::Visitor,
};

/// The submitted form as pairs of name and value. Each ticked scope is a pair of its own.
pub(super) struct Filled(pub(super) Vec<(String, String)>);

impl Filled {
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }

    fn ticks(&self, scope: &str) -> bool {
        self.0.iter().any(|(field, value)| field == "scopes" && value == scope)
    }

    /// Reads the form into a request that creates the key.
    pub(super) fn read(&self, visitor: &Visitor) -> Result<CreateApiKey, Failure> {
        let name = Name::given(self.get("name")).map_err(|error| Failure::field("name", error))?;
        let role = match self.get("role") {
            "" => None,
            word => {
                let role = Role::ALL.into_iter().find(|role| role_word(*role) == word);
                Some(role.ok_or_else(|| Failure::field("role", "must be one of those"))?)
            }
        };
        let ticked = self.0.iter().filter(|(field, _)| field == "scopes").map(|(_, scope)| scope.parse::<Scope>());
        let scopes: Scopes = ticked.collect::<Result<_, _>>().map_err(|error| Failure::field("scopes", error))?;
        match (role, scopes.0.is_empty()) {
            (Some(_), false) => {
                return Err(Failure::field("role", "must be left out, or the rights below must be: one of both"));
            }
            (None, true) => return Err(Failure::field("role", "must be chosen, or one of the rights below")),
            _ => {}
        }
        let scopes = Some(scopes).filter(|scopes| !scopes.0.is_empty());
        Ok(CreateApiKey { name, role, scopes, expires_at: self.expires_at(visitor)? })
    }

    /// The end of the chosen day in the reader's time zone, when the key expires; `None` without a
    /// day.
    fn expires_at(&self, visitor: &Visitor) -> Result<Option<Millis>, Failure> {
        let misfit = || Failure::field("expiresAt", "must be a day such as 2026-03-01");
        match self.get("expiresAt") {
            "" => Ok(None),
            day => {
                let day: Date = day.parse().map_err(|_| misfit())?;
                Ok(Some(visitor.reader.days(day, 1).ok_or_else(misfit)?.end()))
            }
        }
    }
}

fn role_word(role: Role) -> String {
    format!("{role:?}").to_lowercase()
}

/// Renders the form for a new key.
pub(super) fn form(visitor: &Visitor, filled: Option<&Filled>, failure: Option<&Failure>) -> Markup {
    let typed = |name: &str| filled.map_or("", |filled| filled.get(name));
    let input = |name, label, kind| {
        field(&Field { name, label, kind, value: typed(name), autocomplete: "off", error: said(failure, name) })
    };
    let roles: Vec<(String, String)> = Role::ALL.map(|role| (role_word(role), role_name(role))).into();
    let mut choices = vec![("", "None: the rights below".to_owned())];
    choices.extend(roles.iter().map(|(word, name)| (word.as_str(), name.clone())));
    let scopes = Resource::ALL.map(|resource| (resource, [Scope::read(resource), Scope::write(resource)]));
    html! {
        details open[failure.is_some()] {
            summary { "Make a key" }
            (alert(failure))
            form method="post" action=(visitor.address(places::MAKE_KEY.path)) {
                (input("name", "What it is for", "text"))
                (choice("role", "Role", &choices, typed("role"), said(failure, "role")))
                fieldset {
                    legend { "Or these rights, one by one" }
                    @for (resource, both) in &scopes {
                        div.row role="group" aria-label=(resource.name()) {
                            @for scope in both {
                                @let word = scope.to_string();
                                label.choice {
                                    input type="checkbox" name="scopes" value=(word) checked[filled.is_some_and(|filled| filled.ticks(&word))];
                                    " " @if scope.write { "change " } @else { "read " } (resource.name())
                                }
                            }
                        }
                    }
                }
                @if let Some(error) = said(failure, "scopes") { p.error { (error) } }
                (input("expiresAt", "Last day on which it is good", "date"))
                p.hint { "Left out, it is good until somebody revokes it." }
                p { button type="submit" { "Make the key" } }
            }
        }
    }
}
