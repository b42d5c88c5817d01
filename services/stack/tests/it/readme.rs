//! README.md, followed word for word.

use std::process::Stdio;

use serde_json::{Deserializer, Value};
use tokio::process::Command;

use crate::program::Program;

/// Where README says that the API is.
const API: &str = "API=http://127.0.0.1:8000";

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_of_the_readme_ends_with_an_hour_in_analytics_each_time() {
    let readme = include_str!("../../../../README.md");
    let (_, walk) = readme.split_once("## From an invitation to an hour in analytics").expect("the walk");
    let (_, script) = walk.split_once("```sh\n").expect("its commands");
    let (script, _) = script.split_once("\n```").expect("their end");
    assert!(script.contains(API), "{script}");

    let program = Program::new();
    let run = program.start_with(&[("T3_DATA", ".t3")]).await;
    let script = script.replace(API, &format!("API={}", run.base));
    // Whoever tries it again has the same data folder.
    for _ in 0..2 {
        let mut bash = Command::new("bash");
        bash.args(["-e", "-u", "-c", &script]).current_dir(program.folder()).env("NO_PROXY", "*");
        let output = bash.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
        let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}\n{complained}");
        assert_eq!(complained, "");
        assert!(said.lines().all(|line| line.len() < 200), "answers can be read: {said}");
        let answers: Vec<Value> = Deserializer::from_str(&said).into_iter().map(|answer| answer.unwrap()).collect();
        let times = answers.last().expect("an answer");
        assert_eq!(times.as_array().map(Vec::len), Some(1), "{said}");
        assert_eq!((&times[0]["time"], &times[0]["income"]), (&3_600_000.into(), &50.0.into()), "{said}");
    }
    run.stop().await;
}
