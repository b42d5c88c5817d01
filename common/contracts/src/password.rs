//! Requests for forgotten, reset and changed passwords, and for confirmed e-mail addresses.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Employee, EmployeeId, Secret, message::requests};

/// Requests a mail with a link to set a new password. The reply does not show whether an employee
/// has this address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForgotPassword {
    /// The address that the employee logs in with, as typed.
    #[schema(example = "ann@example.org")]
    pub email: String,
}

/// Mails a link to set a new password to an employee. An admin sends this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendReset {
    /// The id of the employee.
    pub id: EmployeeId,
}

/// Sets a new password, with the token of a mailed link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResetPassword {
    /// The token of the link.
    pub token: Secret,
    /// The new password: 12 to 128 characters that are hard to guess.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 128)]
    pub password: Secret,
}

/// Changes the password of a logged-in employee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePassword {
    /// The id of the employee.
    pub id: EmployeeId,
    /// The password that the employee has now.
    pub old: Secret,
    /// The new password: 12 to 128 characters that are hard to guess.
    pub new: Secret,
}

/// Confirms an e-mail address, with the token of the link that was mailed there. The employee's
/// password is required too: if the address was mistyped, a stranger may have got the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfirmEmail {
    /// The token of the link.
    pub token: Secret,
    /// The password of the account.
    pub password: Secret,
}

requests! {
    Directory: ForgotPassword => (), "passwords.forgot";
    Directory: SendReset => (), "passwords.send_reset";
    Directory: ResetPassword => Employee, "passwords.reset";
    Directory: ChangePassword => (), "passwords.change";
    Directory: ConfirmEmail => Employee, "emails.confirm";
}
