//! The Lambda Runtime API for our own children: events go out, answers come back, deadlines are true.
//!
//! Every worker process has a path of its own on one listener, so that what a replaced process still says can be
//! told from what its successor says. This module knows invocations and deadlines; it starts and kills nothing, that
//! is what [`crate::workers`] does when asked through [`Enlisted::condemned`].

mod http;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::body::Bytes;
use tokio::{
    sync::{Notify, oneshot},
    task::AbortHandle,
};

use crate::clock;

/// Why an invocation has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The function reported an error of its own.
    #[error("{}", brief(message))]
    Failed {
        /// The error's type as the function named it.
        error_type: String,
        /// What the function said.
        message: String,
    },
    /// The function did not answer in its time; its process is replaced.
    #[error("timed out after {0:?}")]
    TimedOut(Duration),
    /// The process ended before it answered, or before it asked for its first event.
    #[error("the process ended: {0}")]
    Exited(String),
    /// There is no such function here, or the run is stopping.
    #[error("no such function")]
    Unknown,
}

/// The beginning of what a function said; its own log has the rest.
fn brief(message: &str) -> String {
    const CHARS_MAX: usize = 160;
    let shown: String = message.chars().take(CHARS_MAX).collect();
    if shown.len() < message.len() { format!("{shown}…") } else { shown }
}

type Answer = Result<Bytes, InvokeError>;

/// The Runtime API of all functions. Clones share it.
#[derive(Clone, Debug)]
pub struct RuntimeApi(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// Woken whenever a worker asks for its first event.
    readiness: Notify,
}

#[derive(Debug, Default)]
struct State {
    functions: HashMap<String, Function>,
    workers: HashMap<String, Worker>,
    enlisted: u64,
}

#[derive(Debug)]
struct Function {
    timeout: Duration,
    pending: VecDeque<Invocation>,
    arrivals: Arc<Notify>,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    payload: Bytes,
    answer: oneshot::Sender<Answer>,
}

#[derive(Debug)]
struct Worker {
    function: String,
    /// It has asked for an event at least once.
    ready: bool,
    current: Option<Current>,
    condemned: Arc<Notify>,
}

/// The invocation a worker is busy with.
#[derive(Debug)]
struct Current {
    id: String,
    answer: oneshot::Sender<Answer>,
    deadline: AbortHandle,
}

impl Current {
    fn settle(self, answer: Answer) {
        self.deadline.abort();
        // Whoever asked may have given up, as the gateway does after its 30 s.
        drop(self.answer.send(answer));
    }
}

/// A place for one worker process, from its start to its end.
#[derive(Debug)]
pub struct Enlisted {
    /// The worker's name, unique for every process, and its path on the listener.
    pub id: String,
    /// Notified when the process must be killed because it overran its time.
    pub condemned: Arc<Notify>,
}

impl RuntimeApi {
    /// An API for functions given by name and time-out.
    #[must_use]
    pub fn new<'a>(functions: impl IntoIterator<Item = (&'a str, Duration)>) -> Self {
        let function = |timeout| Function { timeout, pending: VecDeque::new(), arrivals: Arc::new(Notify::new()) };
        let functions = functions.into_iter().map(|(name, timeout)| (name.to_owned(), function(timeout))).collect();
        let state = Mutex::new(State { functions, ..State::default() });
        Self(Arc::new(Inner { state, readiness: Notify::new() }))
    }

    /// Has `function` handle `payload` and waits for its answer. Waits for a free worker first; the function's time
    /// counts from when one takes the event.
    ///
    /// # Errors
    /// See [`InvokeError`].
    pub async fn invoke(&self, function: &str, payload: Vec<u8>) -> Answer {
        let (answer, answered) = oneshot::channel();
        {
            let mut state = self.state();
            let function = state.functions.get_mut(function).ok_or(InvokeError::Unknown)?;
            let id = request_id();
            function.pending.push_back(Invocation { id, payload: payload.into(), answer });
            function.arrivals.notify_one();
        }
        answered.await.unwrap_or(Err(InvokeError::Unknown))
    }

    /// A place for a new process of `function`.
    #[must_use]
    pub fn enlist(&self, function: &str) -> Enlisted {
        let mut state = self.state();
        state.enlisted += 1;
        let id = format!("{function}-{}", state.enlisted);
        let condemned = Arc::new(Notify::new());
        let worker =
            Worker { function: function.to_owned(), ready: false, current: None, condemned: Arc::clone(&condemned) };
        state.workers.insert(id.clone(), worker);
        Enlisted { id, condemned }
    }

    /// Takes a worker off the books once its process has ended, `how` in words. What it was busy with fails. Returns
    /// whether it had ever asked for an event; if it had not and nobody else can, what waits for the function fails
    /// too, as a failed start does on AWS.
    pub fn dismiss(&self, worker: &str, how: &str) -> bool {
        let mut state = self.state();
        let Some(gone) = state.workers.remove(worker) else { return false };
        let error = || Err(InvokeError::Exited(how.to_owned()));
        if let Some(current) = gone.current {
            current.settle(error());
        }
        let others_serve = state.workers.values().any(|other| other.ready && other.function == gone.function);
        if let (false, false, Some(function)) = (gone.ready, others_serve, state.functions.get_mut(&gone.function)) {
            for invocation in function.pending.drain(..) {
                drop(invocation.answer.send(error()));
            }
        }
        gone.ready
    }

    /// Waits until every function has a worker that has asked for an event.
    pub async fn ready(&self) {
        loop {
            let changed = self.0.readiness.notified();
            {
                let state = self.state();
                let serves =
                    |name: &String| state.workers.values().any(|worker| worker.ready && worker.function == *name);
                if state.functions.keys().all(serves) {
                    return;
                }
            }
            changed.await;
        }
    }

    /// A panic elsewhere while the lock was held leaves a state that is still consistent: every change is one step.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The next event for a worker.
#[derive(Debug)]
struct Next {
    id: String,
    payload: Bytes,
    function: String,
    deadline_ms: i64,
}

impl RuntimeApi {
    /// Waits for the next event of the worker's function and makes it the worker's current one. `None`: the worker
    /// is not on the books, so its process has been given up.
    async fn next(&self, worker: &str) -> Option<Next> {
        loop {
            let arrivals = {
                let mut state = self.state();
                match self.take(&mut state, worker)? {
                    Taken::Event(next) => return Some(next),
                    Taken::Nothing(arrivals) => arrivals,
                }
            };
            arrivals.notified().await;
            // A wake-up that finds its worker gone belongs to another one.
            if !self.state().workers.contains_key(worker) {
                arrivals.notify_one();
            }
        }
    }

    fn take(&self, state: &mut State, id: &str) -> Option<Taken> {
        let State { functions, workers, .. } = state;
        let worker = workers.get_mut(id)?;
        if let Some(unanswered) = worker.current.take() {
            unanswered.settle(Err(InvokeError::Exited("it asked for the next event without an answer".to_owned())));
        }
        if !worker.ready {
            worker.ready = true;
            self.0.readiness.notify_waiters();
        }
        let function = functions.get_mut(&worker.function)?;
        while let Some(invocation) = function.pending.pop_front() {
            if invocation.answer.is_closed() {
                continue;
            }
            let timeout = function.timeout;
            let deadline_ms =
                clock::now().as_millisecond() + i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX / 2);
            let expiry = self.clone().expire(id.to_owned(), invocation.id.clone(), timeout);
            worker.current = Some(Current {
                id: invocation.id.clone(),
                answer: invocation.answer,
                deadline: tokio::spawn(expiry).abort_handle(),
            });
            let function = worker.function.clone();
            return Some(Taken::Event(Next { id: invocation.id, payload: invocation.payload, function, deadline_ms }));
        }
        Some(Taken::Nothing(Arc::clone(&function.arrivals)))
    }

    /// Fails the invocation once its time is over, and has the process killed.
    async fn expire(self, worker: String, invocation: String, timeout: Duration) {
        tokio::time::sleep(timeout).await;
        let mut state = self.state();
        let Some(worker) = state.workers.get_mut(&worker) else { return };
        if let Some(current) = worker.current.take_if(|current| current.id == invocation) {
            current.settle(Err(InvokeError::TimedOut(timeout)));
            worker.condemned.notify_one();
        }
    }

    /// Hands the worker's answer to whoever invoked. False: the worker has no such invocation (any more).
    fn settle(&self, worker: &str, invocation: &str, answer: Answer) -> bool {
        let mut state = self.state();
        let current =
            state.workers.get_mut(worker).and_then(|worker| worker.current.take_if(|current| current.id == invocation));
        current.map(|current| current.settle(answer)).is_some()
    }
}

enum Taken {
    Event(Next),
    Nothing(Arc<Notify>),
}

/// A request id in the form AWS gives it, a version 4 UUID.
pub(crate) fn request_id() -> String {
    // Ids need only differ within one run; without random bytes nothing else here would work either.
    let bytes = clock::random::<16>().unwrap_or_default();
    let hex = clock::hex(&bytes);
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
