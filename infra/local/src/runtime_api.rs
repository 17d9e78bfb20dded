//! The Lambda Runtime API for the local run's child processes. It delivers events, receives answers and enforces
//! deadlines.
//!
//! Every worker process has its own path on one listener. This distinguishes calls of a replaced process from calls of
//! its successor. This module handles invocations and deadlines. It does not start or kill processes:
//! [`crate::workers`] does, when notified through [`Enlisted::condemned`].

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

/// The reason why an invocation has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The function reported an error.
    #[error("{}", brief(message))]
    Failed {
        /// The error's type, as reported by the function.
        error_type: String,
        /// The error's message.
        message: String,
    },
    /// The function did not answer before its timeout. Its process is replaced.
    #[error("timed out after {0:?}")]
    TimedOut(Duration),
    /// The process ended before it answered, or before it requested its first event.
    #[error("the process ended: {0}")]
    Exited(String),
    /// No such function exists here, or the run is stopping.
    #[error("no such function")]
    Unknown,
}

/// Returns the beginning of a function's error message. The function's log contains the rest.
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
    /// Notified whenever a worker requests its first event.
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
    /// Whether it has requested an event at least once.
    ready: bool,
    current: Option<Current>,
    condemned: Arc<Notify>,
}

/// The invocation that a worker is processing.
#[derive(Debug)]
struct Current {
    id: String,
    answer: oneshot::Sender<Answer>,
    deadline: AbortHandle,
}

impl Current {
    fn settle(self, answer: Answer) {
        self.deadline.abort();
        // The caller may have given up, as the gateway does after 30 s.
        drop(self.answer.send(answer));
    }
}

/// The registration of one worker process, from its start to its end.
#[derive(Debug)]
pub struct Enlisted {
    /// The worker's name, unique to its process, and its path on the listener.
    pub id: String,
    /// Notified when the process must be killed because it exceeded its timeout.
    pub condemned: Arc<Notify>,
}

impl RuntimeApi {
    /// Creates an API for functions given by name and timeout.
    #[must_use]
    pub fn new<'a>(functions: impl IntoIterator<Item = (&'a str, Duration)>) -> Self {
        let function = |timeout| Function { timeout, pending: VecDeque::new(), arrivals: Arc::new(Notify::new()) };
        let functions = functions.into_iter().map(|(name, timeout)| (name.to_owned(), function(timeout))).collect();
        let state = Mutex::new(State { functions, ..State::default() });
        Self(Arc::new(Inner { state, readiness: Notify::new() }))
    }

    /// Sends `payload` to `function` and waits for its answer. The call first waits for a free worker. The function's
    /// timeout starts when a worker takes the event.
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

    /// Registers a new process of `function`.
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

    /// Removes a worker whose process has ended. `how` describes its end. Its current invocation fails.
    ///
    /// Returns whether the worker ever requested an event. If it did not, and no other worker of the function has, the
    /// function's pending invocations fail too. AWS treats a failed start in the same way.
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

    /// Waits until every function has a worker that has requested an event.
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

    /// Every change is one step, so the state is consistent even after a panic while the lock was held.
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
    /// Waits for the next event of the worker's function and makes it the worker's current invocation. `None` if the
    /// worker is not registered, because its process was replaced.
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
            // A wake-up for a removed worker is passed on to another worker.
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

    /// Fails the invocation when its timeout has passed, and requests that the process be killed.
    async fn expire(self, worker: String, invocation: String, timeout: Duration) {
        tokio::time::sleep(timeout).await;
        let mut state = self.state();
        let Some(worker) = state.workers.get_mut(&worker) else { return };
        if let Some(current) = worker.current.take_if(|current| current.id == invocation) {
            current.settle(Err(InvokeError::TimedOut(timeout)));
            worker.condemned.notify_one();
        }
    }

    /// Passes the worker's answer to the caller. Returns false if the worker does not have this invocation, or no
    /// longer.
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

/// Creates a request id in the format of AWS: a version 4 UUID.
pub(crate) fn request_id() -> String {
    // Ids need only differ within one run. Without random bytes nothing else in the local run would work either.
    let bytes = clock::random::<16>().unwrap_or_default();
    let digits = hex::encode(bytes);
    let part = |from, to| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
