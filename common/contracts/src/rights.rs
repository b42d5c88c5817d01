use crate::{
    AdmitQuarantined, CountWaiting, DiscardQuarantined, Event, FindFacts, GetEmployeeStates, GetMailAddress, GetReach,
    GetSettings, INGEST_BATCHES, INGEST_BATCHES_CONSUMER, INGEST_WINDOWS, ListAssignments, ListEmployeeStates,
    ListFacts, ListFactsOf, ListManagers, ListMembers, ListProjectStates, ListQuarantine, ListTaskStates, MintMail,
    MintToken, ReconcileAnalytics, ReconcileDirectory, ReconcileProjects, ReconcileTimetrack, ReplayQuarantined,
    Request, Service, SettlementChanged, SumFacts, User, stream,
};
use Service::{Analytics, Audit, Directory, Gateway, Mailer, Projects, Timetrack};

/// What a user of NATS may do: the subjects on which it may publish and to which it may subscribe.
/// NATS refuses all other subjects.
///
/// A service may publish replies only to the inboxes of the users that may send it requests, and
/// not to any subject that a request names as its reply subject. Otherwise a caller could make a
/// service publish on a subject on which the caller itself may not publish, such as the subject of
/// an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The account of NATS that the user belongs to.
    pub account: Account,
    /// The subjects on which the user may publish.
    pub publish: Vec<String>,
    /// The subjects to which the user may subscribe.
    pub subscribe: Vec<String>,
}

/// An account of NATS. A message reaches another account only if one account exports its subject
/// and the other one imports it.
///
/// JetStream replies to any subject that a request names as its reply subject, without checking
/// rights. In the account of JetStream, such a reply could itself be a request that deletes a
/// stream. So services have another account, and a reply returns only to the account of the
/// request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// The account of the services and the messages between them.
    Services,
    /// The account of JetStream, and of the users that create or repair streams.
    Streams,
}

impl Account {
    /// Both accounts.
    pub const ALL: [Self; 2] = [Self::Services, Self::Streams];

    /// The name of the account in the configuration of NATS.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Services => "SERVICES",
            Self::Streams => "STREAMS",
        }
    }

    /// The subjects of this account on which users of the other account may publish, if their own
    /// rights allow it.
    ///
    /// The subjects are wildcards. If a request names a reply subject that such a wildcard matches,
    /// NATS does not carry the reply to the other account, and nobody receives it.
    pub const fn exports(self) -> &'static [&'static str] {
        match self {
            Self::Streams => &["$JS.API.>", "$JS.ACK.>", "$JS.FC.>", "$KV.>", "evt.>", "ingest.>", "dead.>"],
            Self::Services => &["svc.>", "$SRV.>"],
        }
    }

    /// The subjects of this account whose messages the other account receives. A watch of the
    /// revocations needs this, because JetStream sends its messages without a request for each.
    pub fn tells(self) -> Vec<String> {
        match self {
            Self::Streams => [Gateway, Directory].map(|service| format!("{}.>", User::Service(service).inbox())).into(),
            Self::Services => Vec::new(),
        }
    }
}

/// The durable consumers: the stream, the service that uses the consumer, and the name of the
/// consumer.
const CONSUMERS: [(&str, Service, &str); 8] = [
    (stream::INGEST, Timetrack, Timetrack.name()),
    (stream::INGEST, Timetrack, INGEST_BATCHES_CONSUMER),
    (stream::EVENTS, Timetrack, Timetrack.name()),
    (stream::EVENTS, Directory, Directory.name()),
    (stream::EVENTS, Projects, Projects.name()),
    (stream::EVENTS, Analytics, Analytics.name()),
    (stream::EVENTS, Mailer, Mailer.name()),
    (stream::EVENTS, Audit, Audit.name()),
];

/// The services that publish events about their own changes.
const TELLERS: [Service; 4] = [Directory, Projects, Timetrack, Mailer];

/// The services whose handlers wait until other services have updated their copies.
const WAITERS: [Service; 2] = [Directory, Projects];

/// The services that report to the waiting handlers of [`WAITERS`] that they have updated their
/// copies.
const REPORTERS: [Service; 3] = [Directory, Projects, Timetrack];

/// The subjects of the requests that a user may send. No other requests between services are
/// possible.
fn asks(user: User) -> Vec<String> {
    match user {
        User::Service(Gateway) => {
            [Directory, Projects, Timetrack, Analytics, Mailer, Audit].map(|s| format!("svc.{s}.v1.>")).into()
        }
        User::Service(Projects) => vec![GetEmployeeStates::subject(), ListEmployeeStates::subject()],
        User::Service(Directory) => vec![ListMembers::subject()],
        User::Service(Timetrack) => vec![
            ListEmployeeStates::subject(),
            ListProjectStates::subject(),
            ListTaskStates::subject(),
            ListMembers::subject(),
            ListAssignments::subject(),
        ],
        User::Service(Mailer) => vec![
            MintToken::subject(),
            MintMail::subject(),
            GetMailAddress::subject(),
            // The mailer needs these requests for the daily mail to managers.
            ListManagers::subject(),
            GetReach::subject(),
            GetSettings::subject(),
            CountWaiting::subject(),
        ],
        User::Service(Analytics) => {
            vec![ListFacts::subject(), SumFacts::subject(), ListFactsOf::subject(), FindFacts::subject()]
        }
        User::Operator => vec![
            ListQuarantine::subject(),
            ReplayQuarantined::subject(),
            AdmitQuarantined::subject(),
            DiscardQuarantined::subject(),
            ReconcileDirectory::subject(),
            ReconcileProjects::subject(),
            ReconcileTimetrack::subject(),
            ReconcileAnalytics::subject(),
        ],
        User::Service(_) | User::Provision => Vec::new(),
    }
}

impl Rights {
    /// All rights in an account. For tests and measurements only, never for a service.
    pub fn all(account: Account) -> Self {
        Self { account, publish: vec![">".into()], subscribe: vec![">".into()] }
    }

    /// The rights of a user.
    pub fn of(user: User) -> Self {
        let account = if matches!(user, User::Service(_)) { Account::Services } else { Account::Streams };
        let mut rights = Self { account, publish: Vec::new(), subscribe: Vec::new() };
        rights.hear([format!("{}.>", user.inbox())]);
        rights.say([format!("{}.>", user.inbox())]);
        rights.say(asks(user));
        match user {
            User::Service(service) => rights.service(service),
            User::Operator => rights.operator(),
            User::Provision => rights.provision(),
        }
        rights
    }

    fn service(&mut self, service: Service) {
        self.hear([format!("svc.{service}.v1.>")]);
        // The subjects of service discovery: `$SRV.PING` and so on for all services, for one
        // service, and for one instance.
        self.hear([String::from("$SRV.*"), format!("$SRV.*.{service}"), format!("$SRV.*.{service}.*")]);
        let asked = format!("svc.{service}.v1.");
        let askers =
            User::ALL.into_iter().filter(|asker| asks(*asker).iter().any(|subject| subject.starts_with(&asked)));
        let waiters = WAITERS.into_iter().filter(|_| REPORTERS.contains(&service)).map(User::Service);
        let mut inboxes: Vec<User> =
            askers.chain(waiters).filter(|user| *user != service.into() && matches!(user, User::Service(_))).collect();
        inboxes.sort_unstable();
        inboxes.dedup();
        self.say(inboxes.into_iter().map(|user| format!("{}.>", user.inbox())));
        // Replies to requests of another account have subjects that the NATS server creates under
        // `_R_`.
        self.say(["_R_.>".into()]);
        if TELLERS.contains(&service) {
            self.say([format!("evt.{service}.v1.>")]);
        }
        for (stream, _, consumer) in CONSUMERS.iter().filter(|(_, own, _)| *own == service) {
            self.consume(stream, consumer);
        }
        match service {
            Gateway => self.gateway(),
            Directory => self.revoke(),
            // Analytics reads the last event about windows, to know up to which event it must count
            // before it answers.
            Analytics => self.say(["$JS.API.STREAM.MSG.GET.EVENTS".into()]),
            // Timetrack reads messages of INGEST and EVENTS without a consumer, so that each of its
            // processes sees all changes in EVENTS. It also reads its own messages in DEAD.
            Timetrack => {
                self.say([stream::INGEST, stream::EVENTS].map(|name| format!("$JS.API.STREAM.MSG.GET.{name}")));
                let dead = |consumer| stream::dead_subject(stream::INGEST, consumer);
                let consumers = [service.name(), INGEST_BATCHES_CONSUMER].map(dead);
                self.say(consumers.map(|dead| format!("$JS.API.DIRECT.GET.{}.{dead}.*", stream::DEAD)));
                // A settlement of one process wakes the others, so that they read it at once.
                self.hear([SettlementChanged::filter()]);
            }
            Projects | Mailer | Audit => {}
        }
    }

    /// Gives the right to take messages from one of the service's own consumers, and to copy
    /// messages that the service cannot process to DEAD.
    fn consume(&mut self, stream: &str, consumer: &str) {
        self.say([
            format!("$JS.API.STREAM.INFO.{stream}"),
            format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"),
            format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
            format!("$JS.ACK.{stream}.{consumer}.>"),
            // The same acknowledgement, with a domain and an account in its subject. NATS may use
            // either form.
            format!("$JS.ACK.*.*.{stream}.{consumer}.>"),
            stream::dead_subject(stream, consumer),
            format!("{}.*", stream::dead_subject(stream, consumer)),
            format!("$JS.API.STREAM.INFO.{}", stream::DEAD),
        ]);
    }

    /// Gives the rights to publish windows, read messages of DEAD, watch revocations, write
    /// heartbeats, and publish audit entries about exports.
    fn gateway(&mut self) {
        self.say([INGEST_WINDOWS.into(), INGEST_BATCHES.into(), format!("$JS.API.STREAM.INFO.{}", stream::INGEST)]);
        // The console shows messages of DEAD but cannot change them.
        self.say([format!("$JS.API.STREAM.INFO.{}", stream::DEAD), format!("$JS.API.DIRECT.GET.{}", stream::DEAD)]);
        self.watch_revocations();
        self.say([format!("$KV.{}.beat.>", stream::REVOCATIONS), format!("evt.{Gateway}.v1.audit.*.recorded")]);
    }

    /// Gives the rights to watch the bucket of revocations, which also has the heartbeats of the
    /// gateways, and to read and write its entries for employees, accounts, API keys and sessions.
    fn revoke(&mut self) {
        self.watch_revocations();
        for kind in ["employee", "account", "key", "session"] {
            let keys = format!("$KV.{}.{kind}.*", stream::REVOCATIONS);
            self.say([format!("$JS.API.DIRECT.GET.{}.{keys}", stream::REVOCATIONS_STREAM), keys]);
        }
    }

    /// Gives the right to watch the bucket of revocations. A watch creates an ephemeral consumer.
    /// The client creates it first without a name and after each reconnect with a generated name,
    /// and with or without a filter subject.
    fn watch_revocations(&mut self) {
        let bucket = stream::REVOCATIONS_STREAM;
        self.say([
            format!("$JS.API.STREAM.INFO.{bucket}"),
            format!("$JS.API.CONSUMER.CREATE.{bucket}"),
            format!("$JS.API.CONSUMER.CREATE.{bucket}.>"),
            format!("$JS.API.CONSUMER.INFO.{bucket}.*"),
            format!("$JS.API.CONSUMER.DELETE.{bucket}.*"),
            format!("$JS.FC.{bucket}.>"),
        ]);
    }

    /// Gives the rights to find services, to read, back up and restore streams, to put messages of
    /// DEAD back on their streams, and to delete messages of DEAD.
    fn operator(&mut self) {
        let dead = stream::DEAD;
        self.say(
            [
                "$SRV.>",
                "$JS.API.INFO",
                "$JS.API.STREAM.NAMES",
                "$JS.API.STREAM.LIST",
                "$JS.API.STREAM.INFO.*",
                "$JS.API.CONSUMER.NAMES.*",
                "$JS.API.CONSUMER.LIST.*",
                "$JS.API.CONSUMER.INFO.*.*",
                "$JS.API.STREAM.SNAPSHOT.*",
                "$JS.SNAPSHOT.ACK.>",
                "$JS.API.STREAM.RESTORE.*",
                "$JS.SNAPSHOT.RESTORE.>",
                stream::EVENTS_SUBJECTS,
                stream::INGEST_SUBJECTS,
            ]
            .map(Into::into),
        );
        self.say([
            format!("$JS.API.DIRECT.GET.{dead}"),
            format!("$JS.API.DIRECT.GET.{dead}.>"),
            format!("$JS.API.STREAM.MSG.DELETE.{dead}"),
        ]);
    }

    /// Gives the rights to create and change streams, consumers and buckets, but not to delete any.
    fn provision(&mut self) {
        self.say(
            [
                "$JS.API.INFO",
                "$JS.API.STREAM.INFO.*",
                "$JS.API.STREAM.CREATE.*",
                "$JS.API.STREAM.UPDATE.*",
                "$JS.API.CONSUMER.INFO.*.*",
                "$JS.API.CONSUMER.CREATE.>",
            ]
            .map(Into::into),
        );
    }

    fn say(&mut self, subjects: impl IntoIterator<Item = String>) {
        add(&mut self.publish, subjects);
    }

    fn hear(&mut self, subjects: impl IntoIterator<Item = String>) {
        add(&mut self.subscribe, subjects);
    }
}

fn add(known: &mut Vec<String>, subjects: impl IntoIterator<Item = String>) {
    for subject in subjects {
        if !known.contains(&subject) {
            known.push(subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_its_service_speaks_for_a_service() {
        for service in TELLERS {
            let own = format!("evt.{service}.v1.>");
            for user in User::ALL.into_iter().filter(|user| !matches!(user, User::Operator)) {
                let speaks = Rights::of(user).publish.iter().any(|subject| *subject == own || subject == "evt.>");
                assert_eq!(speaks, user == service.into(), "{user} on {own}");
            }
        }
    }

    #[test]
    fn nobody_may_delete_a_stream_or_listen_to_another_s_inbox() {
        for user in User::ALL {
            let rights = Rights::of(user);
            let deletes =
                rights.publish.iter().any(|s| s.contains("STREAM.DELETE") || s == ">" || s.starts_with("$JS.>"));
            assert!(!deletes, "{user}");
            let hears = rights.subscribe.iter().filter(|s| s.starts_with("_INBOX"));
            assert_eq!(hears.collect::<Vec<_>>(), [&format!("{}.>", user.inbox())]);
        }
    }
}
