//! What the services say to each other, and nothing else: ids, values, requests, events,
//! errors and the pure rules that more than one service needs.
//!
//! A message type owns its subject and its reply type ([`Request`], [`Event`]), so no subject
//! string stands anywhere else. Version-1 messages are frozen: an optional field may be
//! added, anything else is a new version. `golden/` holds one JSON file for each message.
//!
//! This crate knows no tokio, NATS or MongoDB.

mod account;
mod actor;
mod adjustment;
mod api_key;
mod audit;
mod audit_action;
mod audit_changes;
mod caller;
mod conditional;
mod counted_sum;
mod delivery;
mod email;
mod employee;
mod failure;
mod filter;
mod given;
mod grouped;
mod id;
mod ingest;
mod kept;
mod lenient;
mod local_day;
mod lock;
mod long_days;
mod mail;
mod member;
mod message;
mod names;
mod overlap;
mod overlaps;
mod password;
mod patch;
mod pay_period;
mod pay_run;
mod payroll;
mod period;
mod project;
mod quarantine;
mod rate;
mod report;
mod rights;
mod scope;
mod sent;
mod service;
mod session;
mod settings;
mod task;
mod team;
mod term;
mod text;
mod time;
mod user;
mod visible;
mod window;
mod window_changes;
mod window_content;
mod window_fact;
mod window_id;
mod within;
mod zone;

pub use account::*;
pub use actor::{Actor, UnknownActor};
pub use adjustment::*;
pub use api_key::*;
pub use audit::*;
pub use audit_action::Action;
pub use audit_changes::{changed, created, deleted};
pub use caller::Caller;
pub use conditional::{Conditional, IfMatch, Tag, projects_tag};
pub use counted_sum::{CountedSum, InvalidMark, TimeMark};
pub use delivery::*;
pub use email::{Email, InvalidEmail};
pub use employee::*;
pub use failure::{Code, Failure, FieldError, Reply};
pub use filter::Filter;
pub use given::{Given, given, given_list, given_nullable, given_present};
pub use grouped::*;
pub use id::*;
pub use ingest::*;
pub use kept::Keep;
pub use lenient::whole;
pub use local_day::{CALENDAR, beginning, day_of};
pub use lock::*;
pub use long_days::*;
pub use mail::*;
pub use member::*;
pub use message::{Applied, Awaited, Event, Page, Request, header, stream};
pub use names::*;
pub use overlap::{Counted, counted};
pub use overlaps::*;
pub use password::*;
pub use patch::{nullable, present};
pub use pay_period::PaySpan;
pub use pay_run::*;
pub use payroll::{InvalidPayee, Payee, Payroll, PayrollLine};
pub use period::*;
pub use project::*;
pub use quarantine::*;
pub use rate::{Cents, InvalidRate, Money, Rate};
pub use report::*;
pub use rights::{Account, Rights};
pub use scope::{Resource, Role, Scope, Scopes, UnknownScope};
pub use sent::{Choice, MomentSent, OffsetSent, RateSent, TruthSent, WholeSent};
pub use service::Service;
pub use session::*;
pub use settings::*;
pub use task::*;
pub use team::*;
pub use term::Term;
pub use text::{InvalidText, Label, Name, Note};
pub use time::{DAY, HOUR, InvalidRange, Millis, SECOND, TimeRange};
pub use user::User;
pub use window::*;
pub use window_changes::*;
pub use window_content::WindowContent;
pub use window_fact::*;
pub use window_id::{content_hash, shift_id, window_id};
pub use within::{Bounded, Within};
pub use zone::{UnknownZone, Zone};

/// The organization of everything, until there is more than one.
pub const ORGANIZATION: &str = "default-org";

/// Who is named as the creator of what an admin creates.
pub const CREATOR: &str = "admin";
