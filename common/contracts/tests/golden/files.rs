//! Compares messages with the golden files.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use contracts::{Event, Reply, Request};
use serde::{Serialize, de::DeserializeOwned};

/// Compares messages with the golden files, one by one. At the end, each file must have been
/// compared.
#[derive(Default)]
pub(crate) struct Golden {
    seen: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Golden {
    fn folder() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
    }

    fn is_updating() -> bool {
        env::var_os("UPDATE_GOLDEN").is_some()
    }

    /// Serializes the message and compares the JSON with the file. Also deserializes the file,
    /// serializes the result again and compares that with the file. With `UPDATE_GOLDEN`, the file
    /// is first replaced by the JSON.
    pub(crate) fn check<T: Serialize + DeserializeOwned>(&mut self, file: &str, message: &T) {
        let text = serde_json::to_string_pretty(message).expect("JSON") + "\n";
        let path = Self::folder().join(format!("{file}.json"));
        assert!(self.seen.insert(file.to_owned()), "{file} stands twice");
        if Self::is_updating() {
            fs::create_dir_all(Self::folder()).expect("the folder");
            fs::write(&path, &text).expect("the file");
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        let read_back =
            serde_json::from_str::<T>(&golden).map(|m| serde_json::to_string_pretty(&m).expect("JSON") + "\n");
        if golden != text || read_back.ok().as_ref() != Some(&golden) {
            self.wrong.push(file.to_owned());
        }
    }

    pub(crate) fn request<R: Request>(&mut self, request: R, reply: R::Reply) {
        self.check(&R::subject(), &request);
        self.check(&format!("{}.reply", R::subject()), &Reply::Ok(reply));
    }

    pub(crate) fn event<E: Event>(&mut self, event: E) {
        self.check(&E::filter().replace(".*.", "."), &event);
    }

    pub(crate) fn finish(self) {
        let files = fs::read_dir(Golden::folder()).expect("the folder").map(|f| f.expect("a file").file_name());
        let names: BTreeSet<String> = files.map(|f| f.to_string_lossy().trim_end_matches(".json").to_owned()).collect();
        assert!(
            self.wrong.is_empty(),
            "changed, although version 1 is frozen (see the top of main.rs): {:?}",
            self.wrong
        );
        assert_eq!(names, self.seen, "golden files without a message, or the other way round");
    }
}
