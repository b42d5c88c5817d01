//! The rules about employees, teams, sessions, API keys, mails and attempts to log in. They use no
//! NATS, HTTP or MongoDB.

mod api_key;
mod delivery;
mod employee;
mod guess;
mod invitation;
mod mail;
mod mail_bound;
mod refresh_token;
mod session;
mod spelling;
mod strength;
mod team;
mod throttle;
mod token;

pub(crate) use api_key::ApiKey;
pub(crate) use delivery::Delivery;
pub(crate) use employee::Employee;
pub(crate) use guess::{AttemptKey, AttemptKeys, Guess};
pub(crate) use invitation::Invitation;
pub(crate) use mail::{About, Mail, Recipient};
pub(crate) use mail_bound::MailBound;
pub(crate) use refresh_token::RefreshToken;
pub(crate) use session::{Refresh, Replaced, Reused, Session};
pub(crate) use spelling::{composed, spellings};
pub(crate) use strength::{fitting, hard_to_guess};
pub(crate) use team::Team;
pub(crate) use throttle::{
    ACCOUNT, ADDRESS, Bound as AttemptBound, Decision, Of, PAIR, Record as AttemptRecord, Records as AttemptRecords,
    Trust, decide,
};
pub(crate) use token::{MintedHash, TokenHash, add_token, token_of};
