//! Tests the parts of the local run together, with real processes. `examples/stand-in.rs` is the function.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod front;
mod processes;
mod queue;
mod whole;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use local::{
    runtime_api::{InvokeError, RuntimeApi},
    terminal::Terminal,
    workers::{Function, Workers},
};
use serde_json::{Value, json};

/// How long a condition may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(15);

/// Returns the path of the stand-in, which `cargo test` builds beside the tests.
fn stand_in() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join("examples/stand-in");
    assert!(path.is_file(), "{} is missing: run `cargo test` without naming a target", path.display());
    path
}

/// One function with real processes.
struct Fixture {
    api: RuntimeApi,
    workers: Workers,
    logs: tempfile::TempDir,
}

impl Fixture {
    async fn start(workers: usize, timeout: Duration) -> Self {
        let logs = tempfile::tempdir().unwrap();
        let function = Function {
            name: "stand-in",
            executable: stand_in(),
            timeout,
            memory_mb: 256,
            workers,
            environment: vec![("GIVEN".to_owned(), "yes".to_owned())],
        };
        let api = RuntimeApi::new([("stand-in", timeout)]);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = api.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let workers = Workers::start(&[function], &api, &url, logs.path(), Terminal::new(false)).unwrap();
        within(api.ready()).await;
        Self { api, workers, logs }
    }

    async fn invoke(&self, payload: Value) -> Result<Value, InvokeError> {
        let answer = within(self.api.invoke("stand-in", payload.to_string().into_bytes())).await?;
        Ok(serde_json::from_slice(&answer).unwrap())
    }

    async fn pid(&self) -> u64 {
        self.invoke(json!({"do": "pid"})).await.unwrap().as_u64().unwrap()
    }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("done within the limit")
}

/// Polls until the condition holds.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < PATIENCE, "not within the limit: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn lives(pid: u64) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn strings(map: &Value) -> HashMap<String, String> {
    serde_json::from_value(map.clone()).unwrap()
}
