//! Golden files of messages about the audit trail.

use contracts::*;

use crate::{
    examples::{AT, employee, id, name},
    files::Golden,
};

pub(crate) fn audit(golden: &mut Golden) {
    let subject = AuditSubject::new("employee", id::<EmployeeId>(1));
    let changes = changed(&employee(), &Employee { name: name("Anna Example"), ..employee() });
    let told = Audited::new(id(7), Service::Directory, Action::EmployeeUpdated, subject.clone(), AT);
    let told = Audited { address: Some("192.0.2.7".into()), changes: Some(changes.clone()), ..told };
    golden.check("evt.audit.recorded", &told);
    let request_id = Some("0198c6f2-7f00-7a31-9c5e-000000000009".to_owned());
    let list = ListAuditEntries {
        start: Some(AT),
        end: Some(AT + HOUR),
        actor: Some(Actor::Root),
        subject: Some(subject.id.clone()),
        action: Some(Action::EmployeeUpdated.to_string()),
        request_id: request_id.clone(),
        after: Some(4712),
        limit: Some(100),
    };
    let entry = AuditEntry {
        seq: 4711,
        id: id(7),
        at: AT,
        actor: Actor::Root.into(),
        action: Action::EmployeeUpdated.to_string(),
        subject,
        request_id,
        cause: Some(id(8)),
        address: Some("192.0.2.7".into()),
        changes: Some(changes),
        hash: "00".repeat(32),
    };
    golden.request(list, Page { items: vec![entry], next: Some(4711) });
}
