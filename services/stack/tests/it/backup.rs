//! Tests of the programs `backup` and `restore`, which docs/operations.md describes. The data is
//! backed up, deleted and restored, and must be the same as before.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::{
    api::{ADMIN_KEY, Api},
    fixture::{HOUR, TEN, WINDOWS, id},
    program::Program,
};

fn ops(program: &str, from: &Path, to: &Path) -> Result<String, String> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ops").join(program);
    let output = Command::new(program).arg(from).arg(to).output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
}

/// Returns all employees, projects and tasks, and the windows and the time of each project from an
/// hour before [`TEN`] to nine hours after it.
async fn everything(api: &Api) -> Vec<Value> {
    let range = format!("start={}&end={}", TEN - HOUR, TEN + 9 * HOUR);
    let mut all = Vec::new();
    for path in ["/employee", "/project", "/task"] {
        all.push(api.get(&format!("/api/v1{path}")).await);
    }
    for question in ["window", "project-time"] {
        all.push(api.get(&format!("/api/v1/analytics/{question}?{range}")).await);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_backed_up_is_all_there_after_a_wipe_and_work_goes_on() {
    let program = Program::new();
    let settings = [("ADMIN_API_KEY", ADMIN_KEY)];
    let run = program.start_with(&settings).await;
    let api = run.api();
    let ann = api.new_employee("Ann", "ann@example.org").await;
    let bob = api.new_employee("Bob", "bob@example.org").await;
    let project = api.create_project(json!({ "employees": [ann.id], "payroll": { "*": { "billRate": 50 } } })).await;
    let task = api.create_task(json!({ "projectId": project["id"], "employees": [ann.id] })).await;
    let window = |hour: i64| {
        json!({
            "start": TEN + hour * HOUR, "end": TEN + (hour + 1) * HOUR, "timezoneOffset": 0,
            "projectId": id(&project), "taskId": id(&task),
            "computer": "anns-pc", "user": "ann", "os": "linux", "osVersion": "6", "hwid": "9f8e",
        })
    };
    for hour in 0..8 {
        api.employee(&ann.token, "POST", WINDOWS, window(hour)).await.expect(201);
    }
    // Gateways read the revocation of Bob's tokens from NATS, so this tests the backup of NATS.
    api.admin("POST", &format!("/api/v1/employee/{}/deactivate", bob.id), Value::Null).await.expect(200);
    api.employee(&bob.token, "GET", "/api/auth/me", Value::Null).await.refused(401);
    let before = everything(&api).await;
    assert_eq!(before[3].as_array().unwrap().len(), 8);

    let archive = program.folder().join("backup.tar.gz");
    let refused = ops("backup", &program.data(), &archive).unwrap_err();
    assert!(refused.contains("stop it first"), "{refused}");
    run.stop().await;
    ops("backup", &program.data(), &archive).unwrap();
    let refused = ops("restore", &archive, &program.data()).unwrap_err();
    assert!(refused.contains("is not empty"), "{refused}");
    fs::remove_dir_all(program.data()).unwrap();
    ops("restore", &archive, &program.data()).unwrap();

    let run = program.start_with(&settings).await;
    let api = run.api();
    assert_eq!(everything(&api).await, before);
    api.employee(&bob.token, "GET", "/api/auth/me", Value::Null).await.refused(401);
    // After the restore, Ann's token is valid, her window is known, and a new window is recorded.
    api.employee(&ann.token, "POST", WINDOWS, window(7)).await.expect(200);
    api.employee(&ann.token, "POST", WINDOWS, window(8)).await.expect(201);
    assert_eq!(everything(&api).await[3].as_array().unwrap().len(), 9);
    run.stop().await;
}

#[test]
fn an_archive_that_was_changed_is_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (data, archive) = (folder.path().join("data"), folder.path().join("backup.tar.gz"));
    fs::create_dir(&data).unwrap();
    fs::write(data.join("kept"), "all of it").unwrap();
    ops("backup", &data, &archive).unwrap();
    let mut bytes = fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&archive, bytes).unwrap();
    let restored = folder.path().join("restored");
    let refused = ops("restore", &archive, &restored).unwrap_err();
    assert!(refused.contains("is not what was written"), "{refused}");
    assert!(!restored.exists());
}
