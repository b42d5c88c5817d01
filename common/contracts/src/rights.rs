use crate::{
    AdmitQuarantined, CountWaiting, DiscardQuarantined, FindFacts, GetMailAddress, GetReach, GetSettings, GetStandings,
    INGEST_WINDOWS, ListAssignments, ListFacts, ListFactsOf, ListManagers, ListMembers, ListProjectStates,
    ListQuarantine, ListStandings, ListTaskStates, MintMail, MintToken, ReconcileAnalytics, ReconcileDirectory,
    ReconcileProjects, ReconcileTimetrack, ReplayQuarantined, Request, Service, SumFacts, User, stream,
};
use Service::{Analytics, Audit, Directory, Gateway, Mailer, Projects, Timetrack};

/// What a user of NATS may do, as subjects; all else is refused.
///
/// No service may answer on any subject that a message names as its reply: only on the inboxes of
/// those who may ask it. Else whoever asks could have a service speak for them where they must
/// not, on an event's subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Where the user is at home.
    pub account: Account,
    /// What it may publish on.
    pub publish: Vec<String>,
    /// What it may listen to.
    pub subscribe: Vec<String>,
}

/// A part of NATS. Nothing reaches another part but what that exports and this imports.
///
/// JetStream says what it has to say wherever a request wants its reply, and is not asked who may
/// speak there. So it stands in a part of its own: its replies come back to where the request
/// came from, and there is nobody whom they could tell to delete a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// The services, and what they say to each other.
    Services,
    /// JetStream, and those who make or repair streams.
    Streams,
}

impl Account {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Services, Self::Streams];

    /// The name in NATS's configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Services => "SERVICES",
            Self::Streams => "STREAMS",
        }
    }

    /// What those who are at home in the other account may say here, as far as their own rights go.
    ///
    /// With wildcards all: where a reply is wanted on a subject that a wildcard carries here, it is
    /// not carried, and nobody hears it.
    pub const fn exports(self) -> &'static [&'static str] {
        match self {
            Self::Streams => &["$JS.API.>", "$JS.ACK.>", "$JS.FC.>", "$KV.>", "evt.>", "ingest.>", "dead.>"],
            Self::Services => &["svc.>", "$SRV.>"],
        }
    }

    /// What is said here and heard in the other account: a watch of revocations is not answered but
    /// told.
    pub fn tells(self) -> Vec<String> {
        match self {
            Self::Streams => [Gateway, Directory].map(|service| format!("{}.>", User::Service(service).inbox())).into(),
            Self::Services => Vec::new(),
        }
    }
}

/// The durable consumers, by stream: each has the name of its service.
const CONSUMERS: [(&str, Service); 7] = [
    (stream::INGEST, Timetrack),
    (stream::EVENTS, Timetrack),
    (stream::EVENTS, Directory),
    (stream::EVENTS, Projects),
    (stream::EVENTS, Analytics),
    (stream::EVENTS, Mailer),
    (stream::EVENTS, Audit),
];

/// Whose changes are events.
const TELLERS: [Service; 4] = [Directory, Projects, Timetrack, Mailer];

/// Who waits until the copies that others keep are up to date.
const WAITERS: [Service; 2] = [Directory, Projects];

/// Who reports that a copy is.
const REPORTERS: [Service; 3] = [Directory, Projects, Timetrack];

/// What a user asks: the edges between the services, and no others.
fn asks(user: User) -> Vec<String> {
    match user {
        User::Service(Gateway) => {
            [Directory, Projects, Timetrack, Analytics, Mailer, Audit].map(|s| format!("svc.{s}.v1.>")).into()
        }
        User::Service(Projects) => vec![GetStandings::subject(), ListStandings::subject()],
        User::Service(Directory) => vec![ListMembers::subject()],
        User::Service(Timetrack) => vec![
            ListStandings::subject(),
            ListProjectStates::subject(),
            ListTaskStates::subject(),
            ListMembers::subject(),
            ListAssignments::subject(),
        ],
        User::Service(Mailer) => vec![
            MintToken::subject(),
            MintMail::subject(),
            GetMailAddress::subject(),
            // Once a day: whom to tell what waits for them.
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
    /// All there are: for a test or a measurement, never for a service.
    pub fn all(account: Account) -> Self {
        Self { account, publish: vec![">".into()], subscribe: vec![">".into()] }
    }

    /// Those of a user.
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
        // Discovery: `$SRV.PING`, of one service, of one instance.
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
        // Answers to another account, on subjects that the server makes up.
        self.say(["_R_.>".into()]);
        if TELLERS.contains(&service) {
            self.say([format!("evt.{service}.v1.>")]);
        }
        for (stream, _) in CONSUMERS.iter().filter(|(_, consumer)| *consumer == service) {
            self.consume(stream, service);
        }
        match service {
            Gateway => self.gateway(),
            Directory => self.revoke(),
            // It looks for the last event about windows: all that is recorded is to be counted.
            Analytics => self.say(["$JS.API.STREAM.MSG.GET.EVENTS".into()]),
            // It looks whose window is at a place of the queue, or died there; each process reads what
            // has changed for itself.
            Timetrack => self.say([
                format!("$JS.API.STREAM.MSG.GET.{}", stream::INGEST),
                format!("$JS.API.STREAM.MSG.GET.{}", stream::EVENTS),
                format!(
                    "$JS.API.DIRECT.GET.{}.{}.*",
                    stream::DEAD,
                    stream::dead_subject(stream::INGEST, service.name())
                ),
            ]),
            Projects | Mailer | Audit => {}
        }
    }

    /// Takes messages from its own consumer, and copies those that it cannot take to DEAD.
    fn consume(&mut self, stream: &str, service: Service) {
        self.say([
            format!("$JS.API.STREAM.INFO.{stream}"),
            format!("$JS.API.CONSUMER.INFO.{stream}.{service}"),
            format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{service}"),
            format!("$JS.ACK.{stream}.{service}.>"),
            // The domain and the account may stand in it too.
            format!("$JS.ACK.*.*.{stream}.{service}.>"),
            stream::dead_subject(stream, service.name()),
            format!("{}.*", stream::dead_subject(stream, service.name())),
            format!("$JS.API.STREAM.INFO.{}", stream::DEAD),
        ]);
    }

    /// Puts windows on the queue; reads what has died; watches the revocations; writes beats among them; tells of exports in
    /// the audit trail.
    fn gateway(&mut self) {
        self.say([INGEST_WINDOWS.into(), format!("$JS.API.STREAM.INFO.{}", stream::INGEST)]);
        // The console shows what has died, and can do nothing about it.
        self.say([format!("$JS.API.STREAM.INFO.{}", stream::DEAD), format!("$JS.API.DIRECT.GET.{}", stream::DEAD)]);
        self.watch_revocations();
        self.say([format!("$KV.{}.beat.>", stream::REVOCATIONS), format!("evt.{Gateway}.v1.audit.*.recorded")]);
    }

    /// Writes down whose older tokens are over, who has which role, which keys there are and which
    /// sessions have ended; watches how far the gateways are with that.
    fn revoke(&mut self) {
        self.watch_revocations();
        for kind in ["employee", "account", "key", "session"] {
            let keys = format!("$KV.{}.{kind}.*", stream::REVOCATIONS);
            self.say([format!("$JS.API.DIRECT.GET.{}.{keys}", stream::REVOCATIONS_STREAM), keys]);
        }
    }

    /// A watch makes a consumer that lives as long as the watch: without a name at first, and under
    /// names that the client makes up, with or without a filter, after each reconnect.
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

    /// Finds services, looks at streams, backs them up, and puts dead messages back where they
    /// came from.
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

    /// Creates and changes; deletes nothing.
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
