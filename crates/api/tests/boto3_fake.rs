//! The dialect as boto3 and aws cli see it, over a control plane in memory.
//!
//! Needs `MERIDIAN_TEST_PYTHON`, a Python that has boto3 and awscli; without it the test says so
//! and passes. Nothing leaves the machine.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking too"
)]

mod fake;

use std::future::IntoFuture;
use std::process::Command;
use std::sync::Arc;

use fake::{Fake, KEY, SECRET};
use meridian_api::{ApiConfig, Scheme, router};
use tokio::net::TcpListener;

#[test]
fn real_clients_are_content() {
    let Ok(python) = std::env::var("MERIDIAN_TEST_PYTHON") else {
        eprintln!("SKIPPED: set MERIDIAN_TEST_PYTHON to a Python with boto3 and awscli");
        return;
    };
    tracing_subscriber::fmt().with_test_writer().init();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let status = runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = router(Arc::new(Fake::default()), ApiConfig::new(Scheme::Http));
        let server = tokio::spawn(axum::serve(listener, router).into_future());
        let client = move || {
            Command::new(python)
                .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boto3_fake.py"))
                .args([&endpoint, KEY, SECRET])
                .status()
                .unwrap()
        };
        let status = tokio::task::spawn_blocking(client).await.unwrap();
        server.abort();
        status
    });
    assert!(
        status.success(),
        "the Python side failed; its output is above"
    );
}
