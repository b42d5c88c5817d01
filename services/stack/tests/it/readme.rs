//! Tests that run the commands in README.md as they are written there.

use std::process::Stdio;

use serde_json::{Deserializer, Value, json};
use tokio::process::Command;

use crate::program::Program;

/// The address of the system in the commands of README.md.
const API: &str = "API=http://127.0.0.1:8000";

const README: &str = include_str!("../../../../README.md");

/// Returns the commands in the section with this title.
fn script(title: &str) -> &'static str {
    let (_, section) = README.split_once(&format!("## {title}\n")).expect("the section");
    let (_, script) = section.split_once("```sh\n").expect("its commands");
    script.split_once("\n```").expect("their end").0
}

/// Runs commands in the program's folder, and returns the JSON values that they print.
async fn follow(program: &Program, script: &str) -> Vec<Value> {
    let mut bash = Command::new("bash");
    bash.args(["-e", "-u", "-c", script]).current_dir(program.folder()).env("NO_PROXY", "*");
    let output = bash.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    assert_eq!(complained, "");
    assert!(said.lines().all(|line| line.len() < 200), "answers can be read: {said}");
    Deserializer::from_str(&said).into_iter().map(|answer| answer.unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_of_the_readme_ends_with_an_hour_in_analytics_each_time() {
    let walk = script("From an invitation to an hour in analytics");
    assert!(walk.contains(API), "{walk}");
    let program = Program::new();
    let run = program.start_with(&[("T3_DATA", ".t3")]).await;
    let walk = walk.replace(API, &format!("API={}", run.base));
    // The commands run twice in the same data folder, as if a reader tried them again.
    for _ in 0..2 {
        let answers = follow(&program, &walk).await;
        let times = answers.last().expect("an answer");
        assert_eq!(times.as_array().map(Vec::len), Some(1), "{times}");
        assert_eq!((&times[0]["time"], &times[0]["income"]), (&3_600_000.into(), &50.0.into()), "{times}");
    }
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_owner_key_and_reset_did_in_the_readme_is_read_back_from_the_trail() {
    let program = Program::new();
    let run = program.start_with(&[("T3_DATA", ".t3")]).await;
    let walk = script("From an invitation to an hour in analytics").replace(API, &format!("API={}", run.base));
    // README.md waits two seconds for the trail. On a busy machine this may be too short, so the
    // test polls.
    let (walk_on, _) = script("Who did what").split_once("\nsleep 2\n").expect("a look at the trail");
    follow(&program, &format!("{walk}\n{walk_on}")).await;
    let (_, look) = script("Who did what").split_once("\nsleep 2\n").expect("a look at the trail");
    let query = format!("API={}\nKEY=$(cat .t3/secrets/admin-api-key)\n{look}", run.base);
    let trail = testkit::eventually("the reset is in the trail", async || {
        let trail = follow(&program, &query).await;
        trail.iter().any(|entry| entry[1] == "password.reset").then_some(trail)
    })
    .await;
    for expected in [
        json!(["root", "role.set", "employee"]),
        json!(["Ann Example", "login.succeeded", "employee"]),
        json!(["Ann Example", "key.created", "key"]),
        json!(["Planner", "key.used", "key"]),
        json!(["Planner", "task.created", "task"]),
    ] {
        assert!(trail.contains(&expected), "{expected} of {trail:?}");
    }
    assert!(trail.iter().any(|entry| entry[1] == "password.forgotten"), "{trail:?}");
    assert!(trail.iter().any(|entry| entry[0] == "Ann Example" && entry[1] == "password.reset"), "{trail:?}");
    run.stop().await;
}
