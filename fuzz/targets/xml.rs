//! Requests of the API: whatever path, query and body, the answer is a document that can be read,
//! and what the audit log shows of it is bounded.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use meridian_api::fuzzing::{Request, answer, reads};
use meridian_control::{Acks, Control, SystemEnvironment};
use meridian_fuzz::lines;
use meridian_log::{LocalJournal, Tables, Vault};

/// Without an account, so that nothing is ever written and each input finds the same state.
static CONTROL: LazyLock<(Control, tempfile::TempDir)> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = LocalJournal::in_memory().expect("memory");
    let tables = Tables::in_memory().expect("memory");
    let vault = Vault::open(directory.path()).expect("a new vault");
    let control = Control::new(
        Arc::new(journal),
        Arc::new(tables),
        Arc::new(vault),
        Arc::new(Acks::default()),
        Box::new(SystemEnvironment::new()),
    );
    (control, directory)
});

fuzz_target!(|bytes: &[u8]| {
    let Some(request) = lines::request(bytes) else {
        return;
    };
    let request = Request {
        method: request.method,
        path: request.path,
        query: request.query,
        body: request.body,
    };
    let answered = answer(&CONTROL.0, request);
    assert!((200..600).contains(&answered.status));
    match answered.code {
        Some(code) => {
            assert!(reads(&answered.body, "ErrorResponse"), "{}", answered.body);
            assert!(answered.status >= 400 && !code.is_empty());
        }
        None => {
            let root = answered
                .body
                .split(['<', ' '])
                .find(|part| part.ends_with("Response"));
            assert!(
                reads(&answered.body, root.expect("a root")),
                "{}",
                answered.body
            );
        }
    }
    // Escapes are six bytes for one at most, and texts are repeated once.
    assert!(
        answered
            .shown
            .is_none_or(|shown| shown.len() < 6 * 64 * 1024)
    );
    // Values are quoted in messages, cut; markup is escaped.
    assert!(answered.body.len() < 64 * 1024 + 16 * bytes.len());
});
