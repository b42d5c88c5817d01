//! Forgotten, reset and changed passwords, and confirmed addresses.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Employee, EmployeeId, Secret, message::requests};

/// Asks for a mail with a link to set a new password. The answer is the same whether or not an employee has the
/// address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForgotPassword {
    /// The address that the employee logs in with, as typed.
    #[schema(example = "ann@example.org")]
    pub email: String,
}

/// Mails such a link to an employee, as an admin decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendReset {
    /// The id of the employee.
    pub id: EmployeeId,
}

/// Sets a new password with a mailed link.
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
    /// The present password.
    pub old: Secret,
    /// The new password: 12 to 128 characters that are hard to guess.
    pub new: Secret,
}

/// Confirms an address with the mailed link. The password is also required: a link that went to a stranger's
/// address proves nothing about the employee.
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
