//! Tests of forgotten, reset and changed passwords, and of confirmed addresses.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use async_nats::jetstream::consumer::pull;
use bson::{Document, doc};
use contracts::{
    AccountChanged, Actor, Audited, Caller, ChangePassword, Code, ConfirmEmail, DeactivateEmployee, Email, Employee,
    EmployeeChanges, Failure, ForgotPassword, GetLink, HOUR, InvitationRequested, Link, LinkTo, MailId, MailRequested,
    MailSays, MintMail, MintedMail, ResetPassword, Role, Secret, SendReset, Service, SetRole, UpdateEmployee, stream,
};
use futures::{StreamExt, future::join_all};
use kit::Origin;

use crate::fixture::{Fixture, HASHING, PASSWORD, refused};

const OTHER: &str = "another four long words";

impl Fixture {
    async fn forget(&self, email: &str) {
        self.try_to_forget(email).await.unwrap();
    }

    async fn try_to_forget(&self, email: &str) -> Result<(), Failure> {
        let request = ForgotPassword { email: email.into() };
        self.harness.bus().ask_within(HASHING, Caller::Anonymous, &request).await
    }

    /// Waits until this many mails are requested, and returns their contents in order. None stands
    /// for a mail that need not be sent.
    async fn mails(&self, number: usize) -> Vec<Option<MintedMail>> {
        let mut mails = Vec::new();
        for MailRequested { mail_id } in self.events::<MailRequested>(number).await {
            mails.push(self.mint_mail(mail_id).await);
        }
        assert_eq!(mails.len(), number, "{mails:?}");
        mails
    }

    async fn mint_mail(&self, mail_id: MailId) -> Option<MintedMail> {
        self.harness.bus().ask(Caller::Service, &MintMail { mail_id }).await.unwrap()
    }

    /// Waits until this many mails are requested, and returns the token in the last one.
    async fn mailed_token(&self, number: usize) -> Secret {
        match self.mails(number).await.pop().flatten().expect("a mail").says {
            MailSays::Reset { token, .. } | MailSays::Confirmation { token, .. } => token,
            other => panic!("no link: {other:?}"),
        }
    }

    async fn reset(&self, token: &Secret, password: &str) -> Result<Employee, Failure> {
        let request = ResetPassword { token: token.clone(), password: Secret::new(password) };
        self.harness.bus().ask_within(HASHING, Caller::Anonymous, &request).await
    }

    async fn change(&self, employee: &Employee, old: &str, new: &str) -> Result<(), Failure> {
        let request = ChangePassword { id: employee.id, old: Secret::new(old), new: Secret::new(new) };
        self.harness.bus().ask_within(HASHING, Caller::Employee(employee.id), &request).await
    }

    async fn confirm(&self, token: &Secret, password: &str) -> Result<Employee, Failure> {
        let request = ConfirmEmail { token: token.clone(), password: Secret::new(password) };
        self.harness.bus().ask_within(HASHING, Caller::Anonymous, &request).await
    }

    async fn link(&self, token: &Secret, to: LinkTo) -> Link {
        self.harness.bus().ask(Caller::Anonymous, &GetLink { token: token.clone(), to }).await.unwrap()
    }

    async fn move_to(&self, employee: &Employee, email: &str) -> Result<Employee, Failure> {
        let changes = EmployeeChanges { email: Some(Email::parse(email).unwrap()), ..Default::default() };
        self.harness.ask(&UpdateEmployee { id: employee.id, changes, only_check: false }).await
    }

    /// Waits until the audit trail has at least this many entries whose action begins with `noun`,
    /// and returns these entries.
    async fn entries_about(&self, noun: &str, number: usize) -> Vec<Audited> {
        testkit::eventually(&format!("{number} entries of {noun}"), async || {
            let subject = "evt.directory.v1.audit.*.recorded".to_owned();
            let config = pull::Config { filter_subject: subject, ..Default::default() };
            let consumer =
                self.harness.bus().jetstream.create_consumer_on_stream(config, stream::EVENTS).await.unwrap();
            let batch = consumer.fetch().max_messages(1_000).messages().await.unwrap();
            let all: Vec<Audited> =
                batch.map(|message| serde_json::from_slice(&message.unwrap().payload).unwrap()).collect().await;
            let found: Vec<_> = all.into_iter().filter(|entry| entry.action.starts_with(noun)).collect();
            (found.len() >= number).then_some(found)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_forgets_the_password_sets_another_by_the_link_of_a_mail_once() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let before = fixture.log_in("ann@x.org", PASSWORD).await.unwrap();
    fixture.forget(" ANN@x.org ").await;
    let mail = fixture.mails(1).await.pop().flatten().unwrap();
    assert_eq!((mail.name, mail.email), (ann.name.clone(), ann.email.clone()));
    let MailSays::Reset { token, expires_at } = mail.says else { panic!("a link: {:?}", mail.says) };
    assert!(expires_at <= fixture.harness.clock.now() + HOUR / 2);
    for _ in 0..2 {
        let open = Link::Open { name: ann.name.clone(), email: ann.email.clone() };
        assert_eq!(fixture.link(&token, LinkTo::Reset).await, open, "looking uses nothing up");
    }
    for weak in ["elevenchars", "password1234", "ann@x.org ann", &"x".repeat(129)] {
        assert_eq!(refused(fixture.reset(&token, weak).await, Code::WeakPassword).errors[0].field, "password");
    }
    assert_eq!(fixture.reset(&token, OTHER).await.unwrap(), ann);
    refused(fixture.reset(&token, PASSWORD).await, Code::InvalidToken);
    assert_eq!(fixture.link(&token, LinkTo::Reset).await, Link::Over);
    refused(fixture.log_in("ann@x.org", PASSWORD).await, Code::Unauthorized);
    let after = fixture.log_in("ann@x.org", OTHER).await.unwrap();
    assert!(after.generation > before.generation, "the tokens of before are over");
    let sent = fixture.events::<AccountChanged>(1).await;
    assert_eq!((sent[0].employee_id, sent[0].generation), (ann.id, after.generation));

    let sent = fixture.mails(2).await.pop().flatten().unwrap();
    assert_eq!((sent.email, sent.says), (ann.email, MailSays::PasswordChanged));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_over_after_30_minutes_or_once_the_password_or_the_person_is_another() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    fixture.forget("ann@x.org").await;
    let late = fixture.mailed_token(1).await;
    fixture.harness.clock.advance(HOUR / 2);
    refused(fixture.reset(&late, OTHER).await, Code::InvalidToken);

    fixture.forget("ann@x.org").await;
    let changed = fixture.mailed_token(2).await;
    fixture.change(&ann, PASSWORD, OTHER).await.unwrap();
    refused(fixture.reset(&changed, PASSWORD).await, Code::InvalidToken);

    fixture.forget("ann@x.org").await;
    let requested = fixture.events::<MailRequested>(4).await;
    let gone = fixture.mailed_token(4).await;
    fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    refused(fixture.reset(&gone, PASSWORD).await, Code::InvalidToken);
    assert_eq!(fixture.mint_mail(requested[3].mail_id).await, None, "a mail that is late is not sent");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_resets_at_once_one_wins_and_its_password_counts() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    fixture.forget("ann@x.org").await;
    let token = fixture.mailed_token(1).await;
    let passwords: Vec<_> = (0..4).map(|n| format!("the {n} long words of somebody")).collect();
    let outcomes = join_all(passwords.iter().map(|password| fixture.reset(&token, password))).await;
    let winners: Vec<_> = (0..4).filter(|n| outcomes[*n].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    for (n, password) in passwords.iter().enumerate() {
        assert_eq!(fixture.log_in("ann@x.org", password).await.is_ok(), winners.contains(&n));
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn for_an_address_that_nobody_has_the_same_is_written_and_nothing_is_mailed() {
    let fixture = Fixture::start().await;
    fixture.employ("Ann", "ann@x.org").await;
    let bob = fixture.create("Bob", "bob@x.org").await.unwrap();
    let cid = fixture.employ("Cid", "cid@x.org").await;
    fixture.harness.ask(&DeactivateEmployee { id: cid.id }).await.unwrap();
    let database = fixture.harness.database(Service::Directory).await;
    let count = async |name: &str| database.collection::<Document>(name).count_documents(doc! {}).await.unwrap();
    for (n, address) in ["ann@x.org", "bob@x.org", "cid@x.org", "nobody@x.org", "no address"].iter().enumerate() {
        fixture.forget(address).await;
        let written = n as u64 + 1;
        assert_eq!((count("mails").await, count("mail_bounds").await), (written, written), "{address}");
    }
    let mailed: Vec<bool> = fixture.mails(5).await.iter().map(Option::is_some).collect();
    assert_eq!(mailed, [true, false, false, false, false]);

    // Bob has no password, so he gets a new invitation. Requesting the mails again causes no
    // further invitation.
    fixture.mails(5).await;
    let invited = fixture.events::<InvitationRequested>(4).await;
    assert_eq!(invited.iter().filter(|event| event.employee_id == bob.id).count(), 2);

    let entries = fixture.entries_about("password.forgotten", 5).await;
    let subjects: Vec<_> = entries.iter().map(|entry| entry.subject.kind.as_str()).collect();
    assert_eq!(subjects, ["employee", "employee", "employee", "address", "address"]);
    assert!(!serde_json::to_string(&entries).unwrap().contains("nobody@x.org"));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_gets_three_links_an_hour_however_many_ask_at_once() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let outcomes = join_all((0..8).map(|_| fixture.try_to_forget("ann@x.org"))).await;
    let (asked, refused_ones): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert!(asked.len() > 3, "{refused_ones:?}");
    for outcome in refused_ones {
        refused(outcome, Code::TooManyAttempts);
    }
    assert_eq!(fixture.entries_about("password.forgotten", asked.len()).await.len(), asked.len());
    assert_eq!(fixture.events::<MailRequested>(3).await.len(), 3);
    refused(fixture.harness.ask(&SendReset { id: ann.id }).await, Code::TooManyRequests);
    fixture.harness.clock.advance(HOUR);
    fixture.harness.ask(&SendReset { id: ann.id }).await.unwrap();
    assert_eq!(fixture.events::<MailRequested>(4).await.len(), 4);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_has_a_link_mailed_to_whoever_is_active_and_has_no_higher_role() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    fixture.harness.ask(&SendReset { id: ann.id }).await.unwrap();
    let token = fixture.mailed_token(1).await;
    fixture.reset(&token, OTHER).await.unwrap();
    fixture.entries_about("reset.requested", 1).await;

    let bob = fixture.create("Bob", "bob@x.org").await.unwrap();
    refused(fixture.harness.ask(&SendReset { id: bob.id }).await, Code::NotActive);
    refused(fixture.harness.ask(&SendReset { id: kit::new_id() }).await, Code::NotFound);
    let as_employee = fixture.harness.bus().ask(Caller::Employee(ann.id), &SendReset { id: ann.id }).await;
    refused(as_employee, Code::Forbidden);

    // An admin may neither send a link to an owner nor change an owner's address. Otherwise the
    // admin could take over the account with a mailed link.
    let admin = fixture.employ("Dora", "dora@x.org").await;
    fixture.harness.ask(&SetRole { id: admin.id, role: Role::Admin }).await.unwrap();
    fixture.harness.ask(&SetRole { id: ann.id, role: Role::Owner }).await.unwrap();
    let as_admin = || Origin::default().with_actor(Some(Actor::Person { employee: admin.id, session: None }));
    refused(as_admin().scope(fixture.harness.ask(&SendReset { id: ann.id })).await, Code::MissingScope);
    refused(as_admin().scope(fixture.move_to(&ann, "dora@y.org")).await, Code::MissingScope);
    as_admin().scope(fixture.move_to(&admin, "dora@y.org")).await.unwrap();
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_the_old_password_changes_it_and_is_told() {
    let fixture = Fixture::start().await;
    let (ann, bob) = (fixture.employ("Ann", "ann@x.org").await, fixture.employ("Bob", "bob@x.org").await);
    let before = fixture.log_in("ann@x.org", PASSWORD).await.unwrap();
    assert_eq!(refused(fixture.change(&ann, "wrong", OTHER).await, Code::WrongPassword).errors[0].field, "old");
    assert_eq!(refused(fixture.change(&ann, PASSWORD, "short").await, Code::WeakPassword).errors[0].field, "new");
    refused(fixture.change(&ann, PASSWORD, "password1234").await, Code::WeakPassword);
    let of_bob = ChangePassword { id: ann.id, old: Secret::new(PASSWORD), new: Secret::new(OTHER) };
    refused(fixture.harness.bus().ask(Caller::Employee(bob.id), &of_bob).await, Code::Forbidden);
    refused(fixture.harness.ask(&of_bob).await, Code::Forbidden);

    fixture.change(&ann, PASSWORD, OTHER).await.unwrap();
    refused(fixture.log_in("ann@x.org", PASSWORD).await, Code::Unauthorized);
    let after = fixture.log_in("ann@x.org", OTHER).await.unwrap();
    assert!(after.generation > before.generation, "the tokens of before are over");
    let sent = fixture.mails(1).await.pop().flatten().unwrap();
    assert_eq!((sent.email, sent.says), (ann.email.clone(), MailSays::PasswordChanged));

    let entries = fixture.entries_about("password.", 2).await;
    let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["password.refused", "password.changed"]);
    let text = serde_json::to_string(&entries).unwrap();
    assert!(!text.contains(PASSWORD) && !text.contains(OTHER) && !text.contains("argon2"), "{text}");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_at_once_one_wins() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let passwords: Vec<_> = (0..4).map(|n| format!("the {n} long words of somebody")).collect();
    let outcomes = join_all(passwords.iter().map(|password| fixture.change(&ann, PASSWORD, password))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    for (password, outcome) in passwords.iter().zip(outcomes) {
        assert_eq!(fixture.log_in("ann@x.org", password).await.is_ok(), outcome.is_ok());
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_changes_is_confirmed_at_the_new_one_and_told_to_the_old_one() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let moved = fixture.move_to(&ann, "ann@y.org").await.unwrap();
    assert_eq!((moved.email.as_str(), moved.email_unconfirmed), ("ann@y.org", true));
    let mails: Vec<_> = fixture.mails(2).await.into_iter().flatten().map(|mail| (mail.email, mail.says)).collect();
    assert_eq!((mails[0].0.as_str(), &mails[0].1), ("ann@x.org", &MailSays::AddressChanged));
    assert_eq!(mails[1].0.as_str(), "ann@y.org");
    let MailSays::Confirmation { token, .. } = &mails[1].1 else { panic!("a link: {mails:?}") };

    // A stranger at a mistyped address cannot use the link, and cannot reset the password.
    refused(fixture.confirm(token, "a guess of a stranger").await, Code::WrongPassword);
    refused(fixture.reset(token, OTHER).await, Code::InvalidToken);
    fixture.forget("ann@y.org").await;
    let instead = fixture.mails(3).await.pop().flatten().unwrap();
    assert!(matches!(instead.says, MailSays::Confirmation { .. }), "{instead:?}");

    assert!(matches!(fixture.link(token, LinkTo::Confirmation).await, Link::Open { .. }));
    assert!(!fixture.confirm(token, PASSWORD).await.unwrap().email_unconfirmed);
    refused(fixture.confirm(token, PASSWORD).await, Code::InvalidToken);
    assert!(!fixture.get(ann.id).await.email_unconfirmed);
    fixture.forget("ann@y.org").await;
    let mail = fixture.mails(4).await.pop().flatten().unwrap();
    assert!(matches!(mail.says, MailSays::Reset { .. }), "{mail:?}");
    fixture.entries_about("email.confirmed", 1).await;
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_who_sends_the_address_once_more_has_the_link_mailed_again() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    fixture.move_to(&ann, "ann@y.org").await.unwrap();
    fixture.move_to(&ann, "ann@y.org").await.unwrap();
    let token = fixture.mailed_token(3).await;
    // A link that an admin has requested sets a password and confirms the address too.
    fixture.harness.ask(&SendReset { id: ann.id }).await.unwrap();
    let reset = fixture.mailed_token(4).await;
    assert!(!fixture.reset(&reset, OTHER).await.unwrap().email_unconfirmed);
    refused(fixture.confirm(&token, OTHER).await, Code::InvalidToken);
    fixture.move_to(&ann, "ANN@y.org").await.unwrap();
    assert_eq!(fixture.events::<MailRequested>(5).await.len(), 5, "what is confirmed needs no link");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_mail_says_is_told_to_the_mailer_alone_and_tokens_are_stored_as_hashes() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    fixture.forget("ann@x.org").await;
    let token = fixture.mailed_token(1).await;
    let MailRequested { mail_id } = fixture.events::<MailRequested>(1).await[0];
    for caller in [Caller::Anonymous, Caller::Admin, Caller::Employee(ann.id)] {
        refused(fixture.harness.bus().ask(caller, &MintMail { mail_id }).await, Code::Forbidden);
    }
    assert_eq!(fixture.mint_mail(kit::new_id()).await, None);
    let second = fixture.mailed_token(1).await;
    assert_ne!(token, second, "each try to send it has a token of its own");
    assert!(matches!(fixture.link(&token, LinkTo::Reset).await, Link::Open { .. }), "and each of them works");
    let mails = fixture.harness.database(Service::Directory).await.collection::<Document>("mails");
    let stored = mails.find_one(doc! {}).await.unwrap().unwrap().to_string();
    assert!(!stored.contains(token.expose()) && !stored.contains(second.expose()), "{stored}");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_hashed_with_less_work_or_was_shorter_still_fits_and_is_hashed_anew() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(9_728, 1, 1, None).unwrap());
    let before = weaker.hash_password(b"eight888").unwrap().to_string();
    let stored = fixture.harness.database(Service::Directory).await.collection::<Document>("credentials");
    let of_ann = doc! { "_id": kit::mongo::value(&ann.id) };
    stored.update_one(of_ann.clone(), doc! { "$set": { "password": &before } }).await.unwrap();
    fixture.log_in("ann@x.org", "eight888").await.unwrap();
    let credentials = stored.find_one(of_ann).await.unwrap().unwrap();
    assert!(credentials.get_str("password").unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    fixture.log_in("ann@x.org", "eight888").await.unwrap();
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_at_the_old_password_is_made_to_wait() {
    let fixture = Fixture::start().await;
    let ann = fixture.employ("Ann", "ann@x.org").await;
    let mut codes = Vec::new();
    // From the sixth failure on there is a pause, which doubles each time. So even on a slow
    // machine one of the twelve attempts falls into a pause.
    for _ in 0..12 {
        codes.push(fixture.change(&ann, "not the old one at all", "seven violet herons").await.unwrap_err().code);
    }
    assert!(codes[..5].iter().all(|code| *code == Code::WrongPassword), "{codes:?}");
    assert!(codes.contains(&Code::TooManyAttempts), "{codes:?}");
    fixture.harness.finish().await;
}
