//! Tests the program as started by a user: ports and folder, `demo.json`, signals, and leftover files.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{PATIENCE, lives, stand_in, until};

/// Returns the program with the stand-in as its cargo and its functions. Port 0 selects a free port.
fn program(port: u16, data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(["--port", &port.to_string(), "--simulator-port", "0", "--data-dir"]).arg(data);
    command.env("CARGO", stand_in()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

struct Running {
    child: Child,
    demo: Value,
}

impl Running {
    async fn start(data: &Path) -> Self {
        let mut child = program(0, data).spawn().unwrap();
        let file = data.join("demo.json");
        until("demo.json is there", async || {
            assert_eq!(child.try_wait().unwrap(), None, "the program ended");
            file.exists()
        })
        .await;
        let demo = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        Self { child, demo }
    }

    /// Returns the functions' processes, whose parent is the program.
    fn children(&self) -> Vec<u64> {
        let parent = format!(" {} ", self.child.id());
        let processes =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        let is_ours = |pid: &u64| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.rsplit(')').next().is_some_and(|rest| rest.chars().skip(2).collect::<String>().starts_with(&parent))
        };
        processes.filter(is_ours).collect()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    async fn ended(&mut self) -> ExitStatus {
        until("the program ends", async || self.child.try_wait().unwrap().is_some()).await;
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test]
async fn every_endpoint_answers_once_demo_json_exists() {
    let data = tempfile::tempdir().unwrap();
    let running = Running::start(data.path()).await;
    let http = reqwest::Client::new();
    let of = |name: &str| running.demo[name].as_str().unwrap().to_owned();
    let event = http.post(format!("{}/v1/events", of("base_url"))).body("x").send().await.unwrap();
    assert_eq!(event.json::<Value>().await.unwrap()["routeKey"], "POST /v1/events");
    let webhook = http.post(of("webhook_url")).body("x").send().await.unwrap();
    assert_eq!(webhook.json::<Value>().await.unwrap()["routeKey"], "POST /v1/webhooks/whatsapp/{id}");
    let messages = http.get(format!("{}/_sim/messages", of("simulator_url"))).send().await.unwrap();
    assert_eq!(messages.json::<Value>().await.unwrap(), json!([]));
    let templates = http
        .get(format!("{}/v1/{}/message_templates?limit=100", of("simulator_url"), of("waba_id")))
        .bearer_auth(of("access_token"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        templates.json::<Value>().await.unwrap()["data"].as_array().unwrap().len(),
        local::templates::rows().unwrap().len()
    );
    let variables = fs::read_to_string(of("env_file")).unwrap();
    for variable in ["BRIDGE_CONFIG_TABLE=bridge-config", "BRIDGE_PROVIDER_NETWORK=any", "AWS_ENDPOINT_URL_DYNAMODB="] {
        assert!(variables.contains(variable), "{variable} is missing in {variables}");
    }
    assert_eq!(running.children().len(), 10, "two processes for each of five functions");
}

#[tokio::test]
async fn ctrl_c_leaves_no_process_and_no_demo_json() {
    for signal in [Signal::INT, Signal::TERM] {
        let data = tempfile::tempdir().unwrap();
        let mut running = Running::start(data.path()).await;
        let children = running.children();
        running.signal(signal);
        assert_eq!(running.ended().await.code(), Some(0), "after {signal:?}");
        assert!(!data.path().join("demo.json").exists());
        assert!(!children.iter().any(|pid| lives(*pid)));
    }
}

#[tokio::test]
async fn a_killed_program_takes_its_functions_with_it() {
    let data = tempfile::tempdir().unwrap();
    let mut running = Running::start(data.path()).await;
    let (children, key) = (running.children(), running.demo["api_key"].clone());
    running.signal(Signal::KILL);
    assert_eq!(running.ended().await.signal(), Some(9));
    until("the functions end", async || !children.iter().any(|pid| lives(*pid))).await;
    fs::remove_file(data.path().join("demo.json")).unwrap();
    let again = Running::start(data.path()).await;
    assert_eq!(again.demo["api_key"], key, "the key survives");
}

/// Runs the program, which must refuse to start, and returns its output.
fn refused(mut command: Command) -> String {
    let start = Instant::now();
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(start.elapsed() < PATIENCE);
    assert_eq!((status.code(), String::from_utf8(stdout).unwrap().as_str()), (Some(1), ""), "it began to build");
    let stated = String::from_utf8(stderr).unwrap();
    assert_eq!(stated.trim_end().lines().count(), 1, "{stated}");
    stated
}

#[test]
fn a_port_in_use_is_reported_before_anything_is_built() {
    let data = tempfile::tempdir().unwrap();
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    let stated = refused(program(port, data.path()));
    assert!(stated.contains(&format!("port {port} on 127.0.0.1 is in use")), "{stated}");
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0, "the folder was touched");
}

#[tokio::test]
async fn a_folder_in_use_is_reported_before_anything_is_built() {
    let data = tempfile::tempdir().unwrap();
    let _running = Running::start(data.path()).await;
    let stated = refused(program(0, data.path()));
    assert!(stated.contains("in use by another local run"), "{stated}");
    assert!(data.path().join("demo.json").exists(), "the running one lost its description");
}
