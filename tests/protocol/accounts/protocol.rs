//! The possible next actions of an account.

use domain::site::health::{Health, Proof};
use jiff::{SignedDuration, Timestamp};
use stateright::{Model, Property};

use super::state::{AFTER_REPORT, Call, Change, Mutation, PROBE_AGAIN, Setup, State, minute};

pub(crate) const ENDS: &str = "a stop ends only by what is newer";
pub(crate) const REPORT: &str = "what a report stopped ends only by a report";
pub(crate) const LATER: &str = "a cause never brings the probe forward";
pub(crate) const COUNTS: &str = "every cause counts";
pub(crate) const AGAIN: &str = "a stopped account is probed, and can be started";

/// An action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A minute passes.
    Tick,
    /// A message is claimed.
    Claim,
    /// A message is claimed as a probe.
    Probe,
    /// The provider accepts a call.
    Accepts(usize),
    /// The provider rejects a call because of the account.
    Refuses(usize),
    /// A call returns no information about the account.
    NoEvidence(usize),
    /// An accepted message is sent to the phone.
    Leaves(usize),
    /// An accepted message fails because of the account.
    Fails(usize),
    /// The outcome of a message is reported, possibly again.
    Report(usize),
    /// A platform event from Meta stops the account.
    Notice,
    /// Meta withdraws the cause of the stop.
    Reinstate,
    /// An operator starts the account.
    Operator,
    /// A change is written, on condition that what it read is unchanged.
    Write(usize),
}

impl Setup {
    pub(crate) fn step(&self, before: &State, action: Action) -> State {
        let mut state = before.clone();
        match action {
            Action::Tick => state.now += 1,
            Action::Claim => self.claim(&mut state, false),
            Action::Probe => {
                state.probing_until = Some(state.now + PROBE_AGAIN);
                self.claim(&mut state, true);
            }
            Action::Accepts(call) => {
                state.calls[call].is_accepted = true;
                let Call { claimed_at, is_probe, .. } = self.answered(&mut state, call);
                if is_probe {
                    self.change(&mut state, Change::Accepted(claimed_at));
                }
            }
            Action::Refuses(call) => {
                self.answered(&mut state, call);
                let at = state.now;
                self.change(&mut state, Change::Stop { at, by_report: false });
            }
            Action::NoEvidence(call) => {
                if self.answered(&mut state, call).is_probe {
                    state.probing_until = None;
                }
            }
            Action::Leaves(call) => state.calls[call].left = true,
            Action::Fails(call) => state.calls[call].failed_at = Some(state.now),
            Action::Report(call) => match state.calls[call] {
                Call { failed_at: Some(at), .. } => self.change(&mut state, Change::Stop { at, by_report: true }),
                Call { claimed_at, .. } => self.change(&mut state, Change::Left(claimed_at)),
            },
            Action::Notice => {
                state.notices[0] = true;
                let at = state.now;
                self.change(&mut state, Change::Stop { at, by_report: true });
            }
            Action::Reinstate => {
                state.notices[1] = true;
                let at = state.now;
                self.change(&mut state, Change::Reinstated(at));
            }
            Action::Operator => {
                state.notices[2] = true;
                self.change(&mut state, Change::Operator);
            }
            Action::Write(place) => {
                let (change, read) = state.reading.remove(place);
                self.write(&mut state, change, &read);
            }
        }
        state
    }

    fn claim(&self, state: &mut State, is_probe: bool) {
        let (claimed_at, failed_at) = (state.now, None);
        let (is_answered, is_accepted, left) = (false, false, false);
        state.calls.push(Call { claimed_at, is_probe, is_answered, is_accepted, left, failed_at });
    }

    fn answered(&self, state: &mut State, call: usize) -> Call {
        state.calls[call].is_answered = true;
        state.calls[call]
    }

    /// Reads the account for a change. The write is a separate step if changes may overlap.
    fn change(&self, state: &mut State, change: Change) {
        let read = state.health.clone();
        if self.changes_at_once > 0 {
            state.reading.push((change, read));
        } else {
            self.write(state, change, &read);
        }
    }

    /// Writes a change. If the account changed since it was read, it is read again.
    fn write(&self, state: &mut State, change: Change, read: &Health) {
        let is_blind = self.mutation == Some(Mutation::WriteWithoutCondition);
        if deciding(read) != deciding(&state.health) && !is_blind {
            let read = state.health.clone();
            state.reading.push((change, read));
            return;
        }
        let after = change.of(self, read, state.now);
        if after != *read {
            state.note(change, &after);
            state.health = after;
            state.probing_until = None;
        }
    }
}

/// Returns the attributes that the store compares when it writes a change.
fn deciding(health: &Health) -> ([Option<Timestamp>; 4], bool) {
    let stop = health.stop.as_ref();
    let since = stop.map(|stop| stop.since);
    let moments = [since, stop.map(|stop| stop.caused_at), stop.map(|stop| stop.probe_at), health.started_at];
    (moments, stop.is_some_and(|stop| stop.by_report))
}

impl State {
    /// Records the promises that a change breaks.
    fn note(&mut self, change: Change, after: &Health) {
        let (was, is) = (self.health.stop.clone(), after.stop.clone());
        let ended = was.is_some() && is.is_none();
        let by = match change {
            Change::Accepted(at) | Change::Left(at) => Some(at),
            _ => None,
        };
        if let (true, Some((caused_at, by_report)), Some(at)) = (ended, self.cause, by) {
            self.broken.extend((at <= caused_at).then_some(ENDS));
            let is_answer = matches!(change, Change::Accepted(_));
            self.broken.extend((is_answer && by_report).then_some(REPORT));
        }
        if let (Change::Stop { .. }, Some(was), Some(is)) = (change, &was, &is) {
            self.broken.extend((is.probe_at < was.probe_at).then_some(LATER));
        }
        if ended {
            self.was_started = true;
            self.cause = None;
        }
        if let Change::Stop { at, by_report } = change {
            let (caused_at, was_report) = self.cause.unwrap_or((at, false));
            self.cause = Some((caused_at.max(at), was_report || by_report));
        }
        // The recorded stop must reflect all of its causes.
        let counts = match (self.cause, &is) {
            (Some((caused_at, by_report)), Some(is)) => is.caused_at == minute(caused_at) && is.by_report == by_report,
            (cause, is) => cause.is_some() == is.is_some(),
        };
        self.broken.extend((!counts).then_some(COUNTS));
    }

    fn is_probed_again(&self) -> bool {
        let Some(stop) = &self.health.stop else { return true };
        // Every pause is at most the one after a report, plus the time that the stop has lasted.
        let latest = minute(2 * self.now + AFTER_REPORT);
        let next = minute(self.now) + SignedDuration::from_mins(1);
        stop.probe_at <= latest && self.health.started(Proof::Left(next)).stop.is_none()
    }
}

impl Model for Setup {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend((0..state.reading.len()).map(Action::Write));
        if state.now < self.minutes {
            actions.push(Action::Tick);
        }
        if self.changes_at_once > 0 && state.reading.len() >= self.changes_at_once {
            return;
        }
        if state.calls.len() < self.calls {
            match &state.health.stop {
                None => actions.push(Action::Claim),
                Some(stop) if stop.probe_at <= minute(state.now) => {
                    let is_free = state.probing_until.is_none_or(|until| until <= state.now);
                    actions.extend(is_free.then_some(Action::Probe));
                }
                Some(_) => {}
            }
        }
        for (place, call) in state.calls.iter().enumerate() {
            if !call.is_answered {
                actions.extend([Action::Accepts(place), Action::Refuses(place), Action::NoEvidence(place)]);
            }
            if call.is_accepted && !call.left && call.failed_at.is_none() {
                actions.extend([Action::Leaves(place), Action::Fails(place)]);
            }
            if call.failed_at.is_some() || (call.left && call.is_probe) {
                actions.push(Action::Report(place));
            }
        }
        let notices = [Action::Notice, Action::Reinstate, Action::Operator];
        actions.extend(notices.into_iter().zip(state.notices).filter(|(_, done)| !done).map(|(action, _)| action));
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(self.step(state, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ENDS, |_, state: &State| !state.broken.contains(ENDS)),
            Property::always(REPORT, |_, state: &State| !state.broken.contains(REPORT)),
            Property::always(LATER, |_, state: &State| !state.broken.contains(LATER)),
            Property::always(COUNTS, |_, state: &State| !state.broken.contains(COUNTS)),
            Property::always(AGAIN, |_, state: &State| state.is_probed_again()),
            Property::sometimes("a probe starts it", |_, state: &State| {
                state.was_started && state.calls.iter().any(|call| call.is_probe) && !state.notices[2]
            }),
            Property::sometimes("it is stopped again", |_, state: &State| {
                state.was_started && state.health.stop.is_some()
            }),
        ]
    }
}
