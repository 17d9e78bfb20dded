//! The function processes. This module starts, watches, replaces and stops the shipped binaries.
//!
//! Every process leads its own process group. Ctrl-C on the terminal therefore reaches only the local run, which then
//! stops the processes in order. If the local run itself is killed, its listener closes. The Lambda runtime inside each
//! process then ends with its next call.

mod output;

use std::{
    collections::HashSet,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, Command},
    task::JoinSet,
};

use crate::{
    runtime_api::{Enlisted, RuntimeApi},
    stop::{self, Stopped, Stopper},
    terminal::Terminal,
};
use output::Log;

/// How long a process may take to end after SIGTERM before it receives SIGKILL.
const TERMINATION_LIMIT: Duration = Duration::from_secs(2);
/// The first pause before restarting a process that failed to start. The first restart has no pause.
const PAUSE_FIRST: Duration = Duration::from_millis(250);
/// The maximum pause. Each pause is twice the previous one.
const PAUSE_LAST: Duration = Duration::from_secs(10);

/// A function as started by the local run.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name, which is also the name of its binary.
    pub name: &'static str,
    /// The path of the binary.
    pub executable: PathBuf,
    /// The function's timeout.
    pub timeout: Duration,
    /// Its memory size on AWS. The process receives it as a variable; it is not enforced.
    pub memory_mb: u32,
    /// How many processes serve it in parallel.
    pub workers: usize,
    /// Its variables in addition to those of Lambda. It inherits no other variable.
    pub environment: Vec<(String, String)>,
}

/// The running processes.
#[derive(Debug)]
pub struct Workers {
    supervisors: JoinSet<()>,
    stop: Stopper,
    groups: Groups,
}

impl Workers {
    /// Starts the processes of `functions`, which use the `api` served at `api_url`. Their output goes to the terminal
    /// and to `<logs>/<function>.log`.
    ///
    /// # Errors
    /// When a log file cannot be written.
    pub fn start(
        functions: &[Function],
        api: &RuntimeApi,
        api_url: &str,
        logs: &Path,
        terminal: Terminal,
    ) -> Result<Self> {
        let (stop, stopped) = stop::word();
        let mut workers = Self { supervisors: JoinSet::new(), stop, groups: Groups::default() };
        for function in functions {
            let log = Log::create(&logs.join(format!("{}.log", function.name)))?;
            for _ in 0..function.workers {
                let supervisor = Supervisor {
                    function: function.clone(),
                    api: api.clone(),
                    api_url: api_url.to_owned(),
                    log: log.clone(),
                    terminal,
                    groups: workers.groups.clone(),
                };
                workers.supervisors.spawn(supervisor.run(stopped.clone()));
            }
        }
        Ok(workers)
    }

    /// Returns the process groups, for callers that must kill them immediately.
    #[must_use]
    pub fn groups(&self) -> Groups {
        self.groups.clone()
    }

    /// Ends every process: SIGTERM, then SIGKILL after two seconds.
    pub async fn stop(&mut self) {
        self.stop.stop();
        while self.supervisors.join_next().await.is_some() {}
    }
}

impl Drop for Workers {
    /// Kills all processes, so that none outlives the local run.
    fn drop(&mut self) {
        self.groups.kill();
    }
}

/// The process groups that are alive. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Groups(Arc<Mutex<HashSet<u32>>>);

impl Groups {
    /// Sends SIGKILL to all of them.
    pub fn kill(&self) {
        for id in self.alive().drain() {
            signal(id, Signal::KILL);
        }
    }

    fn alive(&self) -> std::sync::MutexGuard<'_, HashSet<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Signals a process group. A group that has just ended is ignored.
fn signal(group: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, signal);
    }
}

/// Keeps one process of a function alive.
struct Supervisor {
    function: Function,
    api: RuntimeApi,
    api_url: String,
    log: Log,
    terminal: Terminal,
    groups: Groups,
}

/// How a process ended.
enum End {
    Itself(ExitStatus),
    Overran,
    Stopped,
}

impl Supervisor {
    async fn run(self, mut stopped: Stopped) {
        let name = self.function.name;
        let mut failed_starts = 0;
        loop {
            let place = self.api.enlist(name);
            let how = match self.live(&place, &mut stopped).await {
                Ok(End::Stopped) => {
                    self.api.dismiss(&place.id, "the local run stops");
                    return;
                }
                Ok(End::Overran) => format!("killed: it overran its {:?}", self.function.timeout),
                Ok(End::Itself(status)) => describe(status),
                Err(error) => format!("{error:#}"),
            };
            failed_starts = if self.api.dismiss(&place.id, &how) { 0 } else { failed_starts + 1 };
            let pause = pause(failed_starts);
            let next = match pause {
                Duration::ZERO => "replaced".to_owned(),
                pause => format!("next try in {} ms", pause.as_millis()),
            };
            self.terminal.line(name, &format!("process ended ({how}); {next}"));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopped.wait() => return,
            }
        }
    }

    /// Runs one process from its start to its end.
    async fn live(&self, place: &Enlisted, stopped: &mut Stopped) -> Result<End> {
        let mut child = self.spawn(place)?;
        let group = child.id().context("the process ended before it began")?;
        self.groups.alive().insert(group);
        let end = tokio::select! {
            status = child.wait() => End::Itself(status?),
            () = place.condemned.notified() => {
                signal(group, Signal::KILL);
                child.wait().await?;
                End::Overran
            }
            () = stopped.wait() => {
                signal(group, Signal::TERM);
                if tokio::time::timeout(TERMINATION_LIMIT, child.wait()).await.is_err() {
                    signal(group, Signal::KILL);
                    child.wait().await?;
                }
                End::Stopped
            }
        };
        self.groups.alive().remove(&group);
        Ok(end)
    }

    fn spawn(&self, place: &Enlisted) -> Result<Child> {
        let Function { name, executable, memory_mb, environment, .. } = &self.function;
        let mut command = std::process::Command::new(executable);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", format!("{}/{}", self.api_url, place.id))
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory_mb.to_string())
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", &place.id)
            .envs(environment.iter().map(|(variable, value)| (variable, value)))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", executable.display()))?;
        let pid = child.id().unwrap_or_default();
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(output::copy(stdout, name, pid, self.log.clone(), self.terminal));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(output::copy(stderr, name, pid, self.log.clone(), self.terminal));
        }
        Ok(child)
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}

/// Returns the pause before the next start. It is zero after a process that served and after the first failed start,
/// then it doubles.
fn pause(failed_starts: u32) -> Duration {
    match failed_starts.checked_sub(2) {
        None => Duration::ZERO,
        Some(doublings) => PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(PAUSE_LAST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_repeated_start_failures_delay_a_restart() {
        let pauses: Vec<_> = [0, 1, 2, 3, 4, 9, 500].map(|failed| pause(failed).as_millis()).into();
        assert_eq!(pauses, [0, 0, 250, 500, 1_000, 10_000, 10_000]);
    }
}
