//! Golden files of messages about accounts, sessions, passwords and API keys.

use std::collections::BTreeMap;

use contracts::*;

use crate::{
    examples::{AT, email, employee, id, label, name, on_condition},
    files::Golden,
};

pub(crate) fn accounts(golden: &mut Golden) {
    golden.request(Activate { token: Secret::new("token"), password: Secret::new("password") }, employee());
    let open = Invitation::Open { name: name("Ann Example"), email: email() };
    golden.request(GetInvitation { token: Secret::new("token") }, open);
    golden.check("svc.directory.v1.accounts.invitation.reply.used", &Reply::Ok(Invitation::Used));
    golden.request(
        CheckPassword {
            email: "ann@example.org".into(),
            password: Secret::new("password"),
            session: Some(WantedSession { agent: Some(label("T3/1.4")), refresh: true, token_seconds: 900 }),
        },
        logged_in(),
    );
    let minted = MintedToken { name: name("Ann Example"), email: email(), token: Secret::new("token"), expires_at: AT };
    golden.request(MintToken { invitation_id: id(6), employee_id: id(1) }, Some(minted));
    passwords(golden);
    golden.check("kv.revocations", &Revocation { epoch: 1 });
    golden.check("kv.revocations.beat", &Beat { number: 2, seen: 7 });
    golden.event(AccountChanged {
        employee_id: id(1),
        version: 4,
        generation: 2,
        except: Some(id(10)),
        role: Role::Admin,
    });
    keys(golden);
    sessions(golden);
}

fn logged_in() -> LoggedIn {
    let session =
        StartedSession { id: id(10), expires_at: AT + HOUR, refresh_token: Some(Secret::new("t3refresh_…")) };
    LoggedIn { employee_id: id(1), epoch: 1, generation: 2, session: Some(session) }
}

fn sessions(golden: &mut Golden) {
    golden.request(RefreshSession { refresh_token: Secret::new("t3refresh_…"), token_seconds: 900 }, logged_in());
    let session = Session {
        id: id(10),
        created_at: AT,
        last_seen_at: AT + HOUR,
        agent: Some(label("T3/1.4")),
        address: Some("192.0.2.7".into()),
        current: true,
    };
    golden.request(ListSessions {}, vec![session]);
    golden.request(EndSession { id: id(10) }, ());
    golden.request(EndOtherSessions {}, ());
    golden.request(LogOut {}, ());
    golden.request(MarkSessionsSeen { ids: vec![id(10)], at: AT }, ());
    golden.event(SessionEnded { session_id: id(10), until: AT + HOUR });
}

fn passwords(golden: &mut Golden) {
    let (token, password) = (|| Secret::new("token"), || Secret::new("password"));
    golden.request(ForgotPassword { email: "ann@example.org".into() }, ());
    golden.request(SendReset { id: id(1) }, ());
    golden.request(ResetPassword { token: token(), password: password() }, employee());
    golden.request(ChangePassword { id: id(1), old: password(), new: Secret::new("another password") }, ());
    let unconfirmed = Employee { email_unconfirmed: true, ..employee() };
    golden.request(ConfirmEmail { token: token(), password: password() }, unconfirmed);
    golden.event(MailRequested { mail_id: id(10) });
    let address = MailAddress { name: name("Ann Example"), email: email() };
    golden.request(GetMailAddress { employee_id: id(1) }, Some(address));
    let minted = |says| MintedMail { name: name("Ann Example"), email: email(), says };
    let mail = minted(MailSays::Reset { token: token(), expires_at: AT });
    golden.request(MintMail { mail_id: id(10) }, Some(mail));
    for (kind, says) in [
        ("confirmation", MailSays::Confirmation { token: token(), expires_at: AT }),
        ("password_changed", MailSays::PasswordChanged),
        ("address_changed", MailSays::AddressChanged),
    ] {
        golden.check(&format!("svc.directory.v1.mails.mint.reply.{kind}"), &Reply::Ok(Some(minted(says))));
    }
    let open = Link::Open { name: name("Ann Example"), email: email() };
    golden.request(GetLink { token: token(), to: LinkTo::Reset }, open);
    golden.check("svc.directory.v1.mails.link.reply.over", &Reply::Ok(Link::Over));
}

fn keys(golden: &mut Golden) {
    let scopes: Scopes = [Scope::read(Resource::Projects), Scope::write(Resource::Time)].into_iter().collect();
    let about = ApiKey {
        id: id(9),
        name: name("Nightly export"),
        role: None,
        scopes: scopes.clone(),
        created_at: AT,
        expires_at: Some(AT + HOUR),
        created_by: Some(Actor::Root),
        last_used_on: Some("2025-10-09".into()),
    };
    golden.request(
        CreateApiKey {
            name: name("Nightly export"),
            role: Some(Role::Auditor),
            scopes: Some(scopes.clone()),
            expires_at: Some(AT + HOUR),
        },
        NewApiKey { about: about.clone(), key: key_text(id(9), [7; 32]) },
    );
    golden.request(ListApiKeys {}, vec![about.clone()]);
    golden.request(GetApiKey { id: id(9) }, about);
    golden.request(RevokeApiKey { id: id(9) }, ());
    golden.request(MarkKeyUsed { id: id(9), on: "2025-10-09".into() }, ());
    golden.request(on_condition(SetRole { id: id(1), role: Role::Admin }), employee());
    golden.event(ApiKeyChanged {
        id: id(9),
        version: 1,
        hash: "ab".repeat(32),
        role: Some(Role::Auditor),
        scopes: Some(scopes),
        expires_at: Some(AT + HOUR),
        revoked: false,
    });
    let table: BTreeMap<_, _> = Role::ALL.map(|role| (format!("{role:?}").to_lowercase(), role.scopes())).into();
    golden.check("roles", &table);
}
