use crate::{
    AdmitQuarantined, CountWaiting, DiscardQuarantined, FindFacts, GetEmployeeStates, GetMailAddress, GetReach,
    GetSettings, INGEST_BATCHES, INGEST_BATCHES_CONSUMER, INGEST_WINDOWS, ListAssignments, ListEmployeeStates,
    ListFacts, ListFactsOf, ListManagers, ListMembers, ListProjectStates, ListQuarantine, ListTaskStates, MintMail,
    MintToken, ReconcileAnalytics, ReconcileDirectory, ReconcileProjects, ReconcileTimetrack, ReplayQuarantined,
    Request, Service, SumFacts, User, stream,
};
use Service::{Analytics, Audit, Directory, Gateway, Mailer, Projects, Timetrack};

/// The rights of a user of NATS, as subjects. NATS refuses everything else.
///
/// A service may not answer on any subject that a request names for its reply, only on the inboxes of those who
/// may send it requests. Otherwise a caller could make a service publish on a subject where the caller itself may
/// not, such as that of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The account of the user.
    pub account: Account,
    /// The subjects that it may publish on.
    pub publish: Vec<String>,
    /// The subjects that it may subscribe to.
    pub subscribe: Vec<String>,
}

/// An account of NATS. Messages reach another account only by an export and an import.
///
/// JetStream replies to whatever subject a request names, without a check of rights. So it has an account of its
/// own: replies come back only to the account of the request, where no subject deletes a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// The services and their messages.
    Services,
    /// JetStream, and the users that create or repair streams.
    Streams,
}

impl Account {
    /// Both accounts.
    pub const ALL: [Self; 2] = [Self::Services, Self::Streams];

    /// The name in NATS's configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Services => "SERVICES",
            Self::Streams => "STREAMS",
        }
    }

    /// The subjects on which users of the other account may publish here, as far as their own rights allow.
    ///
    /// With wildcards for everything: a reply on a subject that a wildcard carries here is not carried, and nobody
    /// receives it.
    pub const fn exports(self) -> &'static [&'static str] {
        match self {
            Self::Streams => &["$JS.API.>", "$JS.ACK.>", "$JS.FC.>", "$KV.>", "evt.>", "ingest.>", "dead.>"],
            Self::Services => &["svc.>", "$SRV.>"],
        }
    }

    /// The subjects of this account that the other one receives. A watch of revocations gets messages without
    /// requesting each.
    pub fn tells(self) -> Vec<String> {
        match self {
            Self::Streams => [Gateway, Directory].map(|service| format!("{}.>", User::Service(service).inbox())).into(),
            Self::Services => Vec::new(),
        }
    }
}

/// The durable consumers: the stream, the service, and the name.
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

/// The services that publish events.
const TELLERS: [Service; 4] = [Directory, Projects, Timetrack, Mailer];

/// The services that wait until copies of others are updated.
const WAITERS: [Service; 2] = [Directory, Projects];

/// The services that report updated copies.
const REPORTERS: [Service; 3] = [Directory, Projects, Timetrack];

/// The requests that a user may send. These are the only edges between services.
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
            // For the daily mail to managers.
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
    /// All rights, for tests and measurements. Never for a service.
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
        // Discovery: `$SRV.PING` for all, for one service and for one instance.
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
        // Answers to another account, on subjects that the server creates.
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
            // It reads the last event about windows, to know up to where it must count.
            Analytics => self.say(["$JS.API.STREAM.MSG.GET.EVENTS".into()]),
            // It reads messages of the queue by sequence number, and dead ones; each process also reads changes
            // for itself.
            Timetrack => {
                self.say([stream::INGEST, stream::EVENTS].map(|name| format!("$JS.API.STREAM.MSG.GET.{name}")));
                let dead = |consumer| stream::dead_subject(stream::INGEST, consumer);
                let consumers = [service.name(), INGEST_BATCHES_CONSUMER].map(dead);
                self.say(consumers.map(|dead| format!("$JS.API.DIRECT.GET.{}.{dead}.*", stream::DEAD)));
            }
            Projects | Mailer | Audit => {}
        }
    }

    /// Allows to take messages from one of the service's own consumers, and to copy those that it cannot process to
    /// DEAD.
    fn consume(&mut self, stream: &str, consumer: &str) {
        self.say([
            format!("$JS.API.STREAM.INFO.{stream}"),
            format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"),
            format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
            format!("$JS.ACK.{stream}.{consumer}.>"),
            // The domain and the account may be in the subject too.
            format!("$JS.ACK.*.*.{stream}.{consumer}.>"),
            stream::dead_subject(stream, consumer),
            format!("{}.*", stream::dead_subject(stream, consumer)),
            format!("$JS.API.STREAM.INFO.{}", stream::DEAD),
        ]);
    }

    /// Allows to publish windows, read dead messages, watch revocations, write heartbeats, and record exports in
    /// the audit trail.
    fn gateway(&mut self) {
        self.say([INGEST_WINDOWS.into(), INGEST_BATCHES.into(), format!("$JS.API.STREAM.INFO.{}", stream::INGEST)]);
        // The console shows dead messages but cannot change them.
        self.say([format!("$JS.API.STREAM.INFO.{}", stream::DEAD), format!("$JS.API.DIRECT.GET.{}", stream::DEAD)]);
        self.watch_revocations();
        self.say([format!("$KV.{}.beat.>", stream::REVOCATIONS), format!("evt.{Gateway}.v1.audit.*.recorded")]);
    }

    /// Allows to write revocations, roles, keys and ended sessions, and to watch how far the gateways have read
    /// them.
    fn revoke(&mut self) {
        self.watch_revocations();
        for kind in ["employee", "account", "key", "session"] {
            let keys = format!("$KV.{}.{kind}.*", stream::REVOCATIONS);
            self.say([format!("$JS.API.DIRECT.GET.{}.{keys}", stream::REVOCATIONS_STREAM), keys]);
        }
    }

    /// Allows to watch revocations. A watch creates an ephemeral consumer: without a name at first, and after each
    /// reconnect with a name that the client makes up, with or without a filter.
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

    /// Allows to find services, read and back up streams, and put dead messages back on their stream.
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

    /// Allows to create and change streams, consumers and buckets, but not to delete any.
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
