//! Tests the import of a time sheet through the HTTP API.

use std::fs;
use std::path::Path;

use bench::import::{self, Options};
use serde_json::Value;

use crate::support::System;

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_comes_out_exact_however_often_it_is_imported() {
    let system = System::start().await;
    let data = system.data();
    fs::create_dir_all(data.join("secrets")).unwrap();
    fs::write(data.join("secrets/admin-api-key"), system.admin_key).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/bench/fixtures/timesheet.csv");
    let options = Options { file, url: system.base.clone(), data, minutes: 150, connections: 8 };
    for time in ["first", "second"] {
        import::run(&options).await.unwrap();
        for (path, count) in [
            ("/api/v1/employee", 3),
            ("/api/v1/project", 3),
            ("/api/v1/task", 6),
            ("/api/v1/analytics/window?start=1073000000000&end=1074000000000", 1),
            ("/api/v1/analytics/window?start=1582000000000&end=1584000000000", 25),
        ] {
            let list = system.admin("GET", path, Value::Null).await.expect(200);
            assert_eq!(list.as_array().unwrap().len(), count, "{path}, after the {time} time");
        }
    }
    system.finish().await;
}
