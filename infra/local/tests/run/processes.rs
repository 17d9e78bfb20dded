//! Processes start with a clean environment, are replaced when they end, and are never left behind.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use local::runtime_api::{InvokeError, RuntimeApi};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::{Fixture, PATIENCE, lives, stand_in, strings, until, within};

fn kill(pid: u64) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_process_gets_only_the_variables_it_needs() {
    let fixture = Fixture::start(1, Duration::from_secs(60)).await;
    let variables = strings(&fixture.invoke(json!({"do": "environment"})).await.unwrap());
    assert_eq!(variables["GIVEN"], "yes");
    assert_eq!(variables["AWS_LAMBDA_FUNCTION_NAME"], "stand-in");
    for inherited in ["PATH", "HOME", "CARGO_MANIFEST_DIR"] {
        assert!(!variables.contains_key(inherited), "{inherited} was inherited");
    }
}

#[tokio::test]
async fn a_process_leads_its_own_group_and_writes_to_the_log() {
    let fixture = Fixture::start(1, Duration::from_secs(60)).await;
    let pid = fixture.pid().await;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let group = stat.rsplit(')').next().unwrap().split_whitespace().nth(2).unwrap().to_owned();
    assert_eq!(group, pid.to_string());
    let log = fixture.logs.path().join("stand-in.log");
    let line = format!(" [{pid}] stand-in is here\n");
    until("the line in the log", async || fs::read_to_string(&log).unwrap().ends_with(&line)).await;
}

#[tokio::test]
async fn a_killed_process_is_replaced_within_a_second() {
    let fixture = Fixture::start(1, Duration::from_secs(60)).await;
    let first = fixture.pid().await;
    let start = Instant::now();
    kill(first);
    until("an answer of another process", async || match fixture.invoke(json!({"do": "pid"})).await {
        Ok(pid) => pid != first,
        // The event was delivered to the process at the moment it died.
        Err(InvokeError::Exited(_)) => false,
        Err(error) => panic!("{error}"),
    })
    .await;
    let took = start.elapsed();
    assert!(took < Duration::from_secs(1), "replaced after {took:?}");
}

#[tokio::test]
async fn a_process_that_exits_or_fails_loses_only_its_own_event() {
    let fixture = Fixture::start(1, Duration::from_secs(60)).await;
    let exited = fixture.invoke(json!({"do": "exit"})).await.unwrap_err();
    assert_eq!(exited, InvokeError::Exited("exit code 3".to_owned()));
    let failed = fixture.invoke(json!({"do": "fail"})).await.unwrap_err();
    assert!(matches!(failed, InvokeError::Failed { message, .. } if message == "as it was told"));
    assert_eq!(fixture.invoke(json!("still here")).await.unwrap(), json!("still here"));
}

#[tokio::test]
async fn a_process_that_overruns_is_killed_and_replaced() {
    let timeout = Duration::from_millis(300);
    let fixture = Fixture::start(1, timeout).await;
    let first = fixture.pid().await;
    let overran = fixture.invoke(json!({"do": "hang"})).await.unwrap_err();
    assert_eq!(overran, InvokeError::TimedOut(timeout));
    assert_ne!(fixture.pid().await, first);
    assert!(!lives(first), "the hung process is still there");
}

#[tokio::test]
async fn stopping_leaves_no_process() {
    let mut fixture = Fixture::start(2, Duration::from_secs(60)).await;
    let pid = fixture.pid().await;
    within(fixture.workers.stop()).await;
    assert!(!lives(pid));
}

#[tokio::test]
async fn dropping_leaves_no_process_either() {
    let fixture = Fixture::start(1, Duration::from_secs(60)).await;
    let pid = fixture.pid().await;
    drop(fixture);
    until("the process ends", async || !lives(pid)).await;
}

#[test]
fn a_process_ends_by_itself_when_the_local_run_is_gone() {
    let host = tokio::runtime::Runtime::new().unwrap();
    let api = RuntimeApi::new([("stand-in", Duration::from_secs(60))]);
    let place = api.enlist("stand-in");
    let listener = host.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/{}", listener.local_addr().unwrap(), place.id);
    let router = api.router();
    host.spawn(async move { axum::serve(listener, router).await });
    let mut child = Command::new(stand_in())
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", url)
        .env("AWS_LAMBDA_FUNCTION_NAME", "stand-in")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "stand-in")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stand-in")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    host.block_on(within(api.ready()));
    host.shutdown_background();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("the process goes on without anybody to serve");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
