use serde::{Deserialize, Serialize};

/// Why a call failed, as a stable code. [`Code::status`] is the only table from codes to HTTP statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The e-mail address belongs to another employee.
    EmailTaken,
    /// Another thing of this kind has the name.
    NameTaken,
    /// The update names nothing to change.
    NothingToChange,
    /// The bulk update names no employee, project, task or shift.
    NoFilter,
    /// The token of a link is wrong, used or expired.
    InvalidToken,
    /// The password that should prove the caller's identity is wrong.
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
    /// The payroll has a line for somebody who is not on the project.
    PayrollNotOnProject,
    /// No credentials, wrong ones, or credentials of another kind of caller.
    Unauthorized,
    /// The request has two kinds of credentials.
    TwoCredentials,
    /// The caller is of the right kind, but not allowed to do this.
    Forbidden,
    /// The key or role lacks a scope that the call needs.
    MissingScope,
    /// The call concerns somebody who is in none of the caller's teams.
    OtherTeam,
    /// The call decides about the caller's own hours, which others must do.
    OwnTime,
    /// The call decides about the caller's own pay period, which others must do.
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
    /// Without this employee there would be no owner left.
    LastOwner,
    /// The employee is in another team.
    InOtherTeam,
    /// Something else has this id already.
    Conflict,
    /// The window ends later than the server's clock says.
    ClockAhead,
    /// The window began before anybody can have used this system.
    ClockBehind,
    /// An admin has voided the window: it no longer counts.
    Voided,
    /// The time is settled by a lock or an approved period.
    PeriodLocked,
    /// The period is approved already.
    PeriodApproved,
    /// The period is paid.
    PeriodPaid,
    /// The period is not approved.
    PeriodNotApproved,
    /// The period is not submitted.
    PeriodNotSubmitted,
    /// The period overlaps another one that is approved already.
    PeriodOverlaps,
    /// Windows that may belong to the period are still being recorded.
    WindowsWaiting,
    /// A lock can only move forward.
    LockMovesBack,
    /// The scope already has a rate of this kind from this day on.
    RateExists,
    /// The rate's first day has begun, so hours may be priced by it.
    RateHasBegun,
    /// The state has changed since the preview.
    PreviewChanged,
    /// Somebody has already decided otherwise.
    AlreadyDecided,
    /// The thing has changed since the caller read it (`If-Match`).
    PreconditionFailed,
    /// The period has changed since the approver read it.
    PeriodChanged,
    /// `If-Match` is malformed, or the call does not support it.
    BadPrecondition,
    /// The body did not come in time.
    BodyTooSlow,
    /// The body is too large.
    TooLarge,
    /// The media type of the body is not supported.
    UnsupportedMediaType,
    /// The body or a parameter is malformed; the fields say where.
    Invalid,
    /// The password is too weak.
    WeakPassword,
    /// The limit of requests is reached.
    TooManyRequests,
    /// Too many log-ins or similar attempts have failed.
    TooManyAttempts,
    /// A service, NATS or MongoDB cannot be reached.
    Unavailable,
    /// No answer came in time.
    Timeout,
    /// A fault of the server. The log has the cause, the answer never does.
    Internal,
}

impl Code {
    /// The HTTP status for this code.
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

/// A field of a body or query that is wrong, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The path of the field, such as `payroll.*.billRate`.
    pub field: String,
    /// What the field must be. It never contains what was sent.
    pub message: String,
}

/// A call that failed: a code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// The stable code.
    pub code: Code,
    /// A sentence for a person, with the remedy where there is one.
    pub detail: String,
    /// The wrong fields, for [`Code::Invalid`] and [`Code::WeakPassword`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// In how many seconds to try again, if that is known.
    #[serde(default, rename = "retryAfter", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

impl Failure {
    /// A failure with this sentence.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// The same failure, which may be tried again in this many seconds.
    #[must_use]
    pub fn again_in(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Something does not exist: `what` is "employee", "project" and so on.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no {what} with this id."))
    }

    /// A failure about one wrong field.
    pub fn field(field: impl Into<String>, message: impl ToString) -> Self {
        let error = FieldError { field: field.into(), message: message.to_string() };
        Self::fields(vec![error])
    }

    /// A failure about several wrong fields.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let listed: Vec<_> = errors.iter().map(|e| format!("{} {}", e.field, e.message)).collect();
        Self { errors, ..Self::new(Code::Invalid, format!("{}.", listed.join("; "))) }
    }
}

/// The reply to a request, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply<T> {
    /// The request succeeded.
    Ok(T),
    /// The request failed.
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
