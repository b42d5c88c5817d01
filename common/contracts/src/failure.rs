use serde::{Deserialize, Serialize};

/// Why a call failed, as a stable word. [`Code::status`] is the one table from code to HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The e-mail address belongs to another employee.
    EmailTaken,
    /// The name belongs to another thing of its kind.
    NameTaken,
    /// An update that names nothing to change.
    NothingToChange,
    /// A bulk update that names no employee, project, task or shift.
    NoFilter,
    /// The token of a link is wrong, used or expired.
    InvalidToken,
    /// The password that was to prove who somebody is is wrong.
    WrongPassword,
    /// The employee does not exist.
    UnknownEmployee,
    /// The employee is deactivated.
    EmployeeDeactivated,
    /// The project does not exist.
    UnknownProject,
    /// The project is archived.
    ProjectArchived,
    /// The task does not exist, or belongs to another project.
    UnknownTask,
    /// The employee is not on the project.
    NotOnProject,
    /// The employee is not on the task.
    NotOnTask,
    /// The project does not have this status.
    UnknownStatus,
    /// The project does not have this priority.
    UnknownPriority,
    /// The payroll names somebody who is not on the project.
    PayrollNotOnProject,
    /// No credentials, wrong ones, or those of the other kind of caller.
    Unauthorized,
    /// Two kinds of credentials at once.
    TwoCredentials,
    /// The right kind of caller, but not allowed.
    Forbidden,
    /// The key or the role lacks a scope that the call needs.
    MissingScope,
    /// Somebody, or something of somebody, who is in no team that the caller manages.
    OtherTeam,
    /// The caller's own hours, about which others decide.
    OwnTime,
    /// The caller's own pay period, about which others decide.
    OwnPeriod,
    /// There is no such thing.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The employee is deactivated already.
    AlreadyDeactivated,
    /// The employee is not deactivated.
    NotDeactivated,
    /// The employee has activated the account already.
    AlreadyActive,
    /// The employee has not activated the account yet.
    NotActive,
    /// Without this employee there would be no owner.
    LastOwner,
    /// The employee is in another team.
    InOtherTeam,
    /// The id is taken by other content.
    Conflict,
    /// The window ends ahead of the server's clock.
    ClockAhead,
    /// The window began before there can have been any.
    ClockBehind,
    /// An admin has made the window count no longer.
    Voided,
    /// A lock or an approved period has settled it.
    PeriodLocked,
    /// The period is approved already.
    PeriodApproved,
    /// The period is paid.
    PeriodPaid,
    /// The period is not approved.
    PeriodNotApproved,
    /// The period is not submitted.
    PeriodNotSubmitted,
    /// Another period that is approved already holds a part of this one.
    PeriodOverlaps,
    /// Windows are still on their way that may belong to it.
    WindowsWaiting,
    /// A lock only moves forward.
    LockMovesBack,
    /// The scope has another rate of the kind from this day on.
    RateExists,
    /// The rate holds already, so hours may be priced by it.
    RateHasBegun,
    /// What was previewed is not so any more.
    PreviewChanged,
    /// Somebody has decided otherwise before.
    AlreadyDecided,
    /// The thing is not as the caller has seen it (`If-Match`).
    PreconditionFailed,
    /// The period is not as the approver has seen it.
    PeriodChanged,
    /// `If-Match` is malformed, or the call takes no such condition.
    BadPrecondition,
    /// The body did not come in time.
    BodyTooSlow,
    /// The body is too large.
    TooLarge,
    /// The body is of a kind that is not understood.
    UnsupportedMediaType,
    /// A malformed body or parameter; the fields say which.
    Invalid,
    /// The password is too weak.
    WeakPassword,
    /// More than can be taken now.
    TooManyRequests,
    /// Too many log-ins and the like have failed.
    TooManyAttempts,
    /// A service, NATS or MongoDB is away.
    Unavailable,
    /// No answer in time.
    Timeout,
    /// Our fault. The cause is in the log, never in the answer.
    Internal,
}

impl Code {
    /// The HTTP status that answers this code.
    pub const fn status(self) -> u16 {
        match self {
            Self::EmailTaken
            | Self::NameTaken
            | Self::NothingToChange
            | Self::NoFilter
            | Self::InvalidToken
            | Self::WrongPassword
            | Self::UnknownEmployee
            | Self::EmployeeDeactivated
            | Self::UnknownProject
            | Self::ProjectArchived
            | Self::UnknownTask
            | Self::NotOnProject
            | Self::NotOnTask
            | Self::UnknownStatus
            | Self::UnknownPriority
            | Self::PayrollNotOnProject
            | Self::ClockAhead
            | Self::ClockBehind
            | Self::TwoCredentials
            | Self::BadPrecondition => 400,
            Self::Unauthorized => 401,
            Self::Forbidden | Self::MissingScope | Self::OtherTeam | Self::OwnTime | Self::OwnPeriod => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::BodyTooSlow => 408,
            Self::AlreadyDeactivated
            | Self::NotDeactivated
            | Self::AlreadyActive
            | Self::NotActive
            | Self::Conflict
            | Self::InOtherTeam
            | Self::Voided
            | Self::PeriodLocked
            | Self::PeriodApproved
            | Self::PeriodPaid
            | Self::PeriodNotApproved
            | Self::PeriodNotSubmitted
            | Self::PeriodOverlaps
            | Self::WindowsWaiting
            | Self::LockMovesBack
            | Self::RateExists
            | Self::RateHasBegun
            | Self::PreviewChanged
            | Self::AlreadyDecided
            | Self::LastOwner => 409,
            Self::PreconditionFailed | Self::PeriodChanged => 412,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid | Self::WeakPassword => 422,
            Self::TooManyRequests | Self::TooManyAttempts => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
            Self::Timeout => 504,
        }
    }

    /// Whether the same call may succeed a little later.
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::TooManyRequests | Self::TooManyAttempts | Self::Unavailable | Self::Timeout)
    }
}

/// One field of a body or a query that does not fit, and what would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The path of the field, such as `payroll.*.billRate`.
    pub field: String,
    /// What the field must be. Never repeats what was sent.
    pub message: String,
}

/// A call that failed: a code for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// The stable word.
    pub code: Code,
    /// A sentence for a person, with the remedy where there is one.
    pub detail: String,
    /// The fields that do not fit, for [`Code::Invalid`] and [`Code::WeakPassword`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// In how many seconds to come again, where that is known.
    #[serde(default, rename = "retryAfter", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

impl Failure {
    /// A failure with a sentence for a person.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// The same; it may be tried again in so many seconds.
    #[must_use]
    pub fn again_in(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// There is no such thing: `what` is "employee", "project", …
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no {what} with this id."))
    }

    /// One field that does not fit.
    pub fn field(field: impl Into<String>, message: impl ToString) -> Self {
        let error = FieldError { field: field.into(), message: message.to_string() };
        Self::fields(vec![error])
    }

    /// Several fields that do not fit.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let listed: Vec<_> = errors.iter().map(|e| format!("{} {}", e.field, e.message)).collect();
        Self { errors, ..Self::new(Code::Invalid, format!("{}.", listed.join("; "))) }
    }
}

/// What comes back from a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply<T> {
    /// It worked.
    Ok(T),
    /// It did not.
    Error(Failure),
}

impl<T> From<Result<T, Failure>> for Reply<T> {
    fn from(result: Result<T, Failure>) -> Self {
        match result {
            Ok(reply) => Self::Ok(reply),
            Err(failure) => Self::Error(failure),
        }
    }
}

impl<T> From<Reply<T>> for Result<T, Failure> {
    fn from(reply: Reply<T>) -> Self {
        match reply {
            Reply::Ok(reply) => Ok(reply),
            Reply::Error(failure) => Err(failure),
        }
    }
}
