use serde::{Deserialize, Serialize};

/// Why a call failed, as a code that programs can rely on. [`Code::status`] is the only table of
/// the HTTP statuses of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The e-mail address belongs to another employee.
    EmailTaken,
    /// Another team has this name already.
    NameTaken,
    /// The update contains no change.
    NothingToChange,
    /// The update of many windows is not limited to any employee, project, task or shift.
    NoFilter,
    /// A refresh token, or the token of a mailed link, is wrong, was used, or has expired.
    InvalidToken,
    /// The password with which the caller must confirm their identity is wrong.
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
    /// The project has no such status for its tasks.
    UnknownStatus,
    /// The project has no such priority for its tasks.
    UnknownPriority,
    /// The payroll has a line for an employee who is not on the project.
    PayrollNotOnProject,
    /// The request has no credentials, wrong credentials, or credentials of a kind that this call
    /// does not accept.
    Unauthorized,
    /// The request has two kinds of credentials, for example a token and an API key.
    TwoCredentials,
    /// The credentials of the caller are accepted, but do not allow this call.
    Forbidden,
    /// The API key or the role lacks a scope that the call needs.
    MissingScope,
    /// The call concerns an employee who is in none of the caller's teams.
    OtherTeam,
    /// The call is a decision about the caller's own hours. Somebody else must decide.
    OwnTime,
    /// The call is a decision about the caller's own pay period. Somebody else must decide.
    OwnPeriod,
    /// No object has this id, or nothing exists at this path.
    NotFound,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The employee is deactivated already.
    AlreadyDeactivated,
    /// The employee is not deactivated.
    NotDeactivated,
    /// The employee has activated the account already.
    AlreadyActive,
    /// The employee has not activated the account yet.
    NotActive,
    /// The change would leave the organisation without an owner.
    LastOwner,
    /// The employee is in another team.
    InOtherTeam,
    /// Another object has this id already, or the change contradicts the present state in another
    /// way.
    Conflict,
    /// The window ends too far in the future, by the server's clock.
    ClockAhead,
    /// The window begins before the earliest moment that the service accepts.
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
    /// The call would move a lock to an earlier moment, which only [`crate::ReopenLock`] may do.
    LockMovesBack,
    /// The scope already has a rate of this kind with this first day.
    RateExists,
    /// The first day of the rate has begun, so recorded hours may have this rate.
    RateHasBegun,
    /// The windows or rates have changed since the preview.
    PreviewChanged,
    /// Somebody has already made another decision.
    AlreadyDecided,
    /// The state has changed since the caller read it: no tag of `If-Match` is the present one.
    PreconditionFailed,
    /// The period has changed since the approver read it.
    PeriodChanged,
    /// `If-Match` is malformed, or this call does not support it.
    BadPrecondition,
    /// The body of the request did not arrive in time.
    BodyTooSlow,
    /// The body of the request is too large.
    TooLarge,
    /// The media type of the body of the request is not supported.
    UnsupportedMediaType,
    /// The body or a parameter is malformed. [`Failure::errors`] has the wrong fields.
    Invalid,
    /// The password is too short, too long, or too easy to guess.
    WeakPassword,
    /// The caller has sent too many requests in a short time, or the server cannot take more
    /// requests at the moment.
    TooManyRequests,
    /// Too many log-ins, or similar attempts with a password or token, have failed.
    TooManyAttempts,
    /// A service, NATS or MongoDB cannot be reached, or the service cannot do this at the moment.
    Unavailable,
    /// A service did not answer in time.
    Timeout,
    /// The server has failed. Only its log contains the cause; the reply never does.
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

    /// Whether the same call may succeed if it is repeated a little later.
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::TooManyRequests | Self::TooManyAttempts | Self::Unavailable | Self::Timeout)
    }
}

/// A wrong field of a body or query, and what the field must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The path of the field, such as `payroll.*.billRate`.
    pub field: String,
    /// What the field must be. The text never contains the value that was sent.
    pub message: String,
}

/// The failure of a call: a code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// The code, which does not change between versions.
    pub code: Code,
    /// A sentence for people. It says what to do, if the caller can do something.
    pub detail: String,
    /// The wrong fields; empty if the failure is not about fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// After how many seconds the call may be repeated, if that is known.
    #[serde(default, rename = "retryAfter", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

impl Failure {
    /// A failure with this code and sentence.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// The same failure, with the number of seconds after which the call may be repeated.
    #[must_use]
    pub fn again_in(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// A failure about an object that does not exist. `what` is the kind of object: "employee",
    /// "project" and so on.
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

/// The reply to a request, as it is sent in a message.
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
