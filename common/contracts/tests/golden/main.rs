//! Tests that messages of version 1 do not change. `golden/` contains one JSON file for each
//! message. Each message must still be serialized and deserialized exactly as in its file. After an
//! optional field was added, `UPDATE_GOLDEN=1 cargo test -p contracts` writes the files again. Look
//! at the difference before you commit it.

mod accounts;
mod audit;
mod corrections;
mod employees;
mod examples;
mod files;
mod periods;
mod projects;
mod rates;
mod reports;
mod windows;

use contracts::*;

use crate::{
    examples::{filter, id, range},
    files::Golden,
};

#[test]
fn every_message_is_written_and_read_as_its_golden_file_says() {
    let mut golden = Golden::default();
    accounts::accounts(&mut golden);
    employees::employees(&mut golden);
    employees::teams(&mut golden);
    projects::projects(&mut golden);
    rates::rates(&mut golden);
    windows::windows(&mut golden);
    periods::periods(&mut golden);
    corrections::corrections(&mut golden);
    golden.request(
        GetProjectTime { range: range(), filter: filter() },
        vec![ProjectTime { id: id(3), time: HOUR, costs: Cents(4_050), income: Cents(5_000) }],
    );
    reports::time(&mut golden);
    reports::attention(&mut golden);
    employees::names(&mut golden);
    golden.request(
        GetTaskTime { employee_id: id(1), task_id: id(4) },
        TaskTime { employee_id: id(1), task_id: id(4), total_time_millis: HOUR },
    );
    audit::audit(&mut golden);
    golden.check("error.reply", &Reply::<()>::Error(Failure::field("name", "must not be empty")));
    let too_many = Failure::new(Code::TooManyAttempts, "Too many attempts have failed.").again_in(64);
    golden.check("error.too_many_attempts.reply", &Reply::<()>::Error(too_many));
    let caused = vec![Awaited { event: id(8), by: vec![Service::Directory, Service::Timetrack] }];
    golden.check("applied", &Applied { event: id(7), by: Service::Projects, caused });
    golden.finish();
}
