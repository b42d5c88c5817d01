//! Passwords that are forgotten, reset and changed, and addresses that are confirmed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Employee, EmployeeId, Secret, message::requests};

/// Asks for a mail with a link to set a new password. Answered alike whether or not somebody has the
/// address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForgotPassword {
    /// The address that they log in with, as typed.
    #[schema(example = "ann@example.org")]
    pub email: String,
}

/// Has such a link mailed to an employee, on an admin's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendReset {
    /// To whom.
    pub id: EmployeeId,
}

/// Sets a new password by the link of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResetPassword {
    /// The token of the link.
    pub token: Secret,
    /// The password to log in with from now on: 12 to 128 characters that are hard to guess.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 128)]
    pub password: Secret,
}

/// Changes the password of somebody who is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePassword {
    /// Whose.
    pub id: EmployeeId,
    /// The password until now.
    pub old: Secret,
    /// The one from now on: 12 to 128 characters that are hard to guess.
    pub new: Secret,
}

/// Confirms an address by the link that was mailed there. It takes the password too: a link that went
/// to a stranger's address proves nothing about the employee.
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
