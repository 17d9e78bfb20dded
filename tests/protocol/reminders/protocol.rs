//! The possible next actions on an activity's reminder.

use domain::decision::reminder::ActivityStatus;
use stateright::{Model, Property};

use super::setup::{Mutation, Setup};
use super::state::{Item, Outcome, Record, Run, State, Write};

pub(crate) const ONCE: &str = "each moment is told at most once";
pub(crate) const VALID_ONLY: &str = "no invalid reminder is sent";
pub(crate) const TOLD: &str = "what stands at the end was told";

/// An action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// An execution begins with a record of the queue.
    Take(usize),
    /// Like [`Take`](Self::Take), and the queue delivers the record once more.
    Double(usize),
    /// An execution or a sweep takes its next step.
    Go(usize),
    /// The response to its write is lost. The write is applied later, and the record is delivered again.
    Lose(usize),
    /// An execution or a sweep dies.
    Crash(usize),
    /// A write without a response is applied.
    Land(usize),
    /// The next due time is reached.
    Pass,
    /// A sweep finds the due item.
    Sweep,
}

/// The writes of a step, with their outcomes.
pub(crate) type Log = Vec<(Write, Outcome)>;

impl Setup {
    /// Returns the state after an action and appends the writes of the step to `log`.
    pub(crate) fn step(&self, before: &State, action: Action, log: &mut Log) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Take(place) => {
                let record = state.queue.remove(place);
                state.runs.push(Run::Event(record));
            }
            Action::Double(place) => {
                state.left.doubles -= 1;
                state.runs.push(Run::Event(state.queue[place]));
            }
            Action::Go(place) => self.go(&mut state, place, log),
            Action::Lose(place) => {
                state.left.lost -= 1;
                let run = state.runs.remove(place);
                state.in_flight.extend(run.write(&state));
                state.queue.extend(run.record());
            }
            Action::Crash(place) => {
                state.left.crashes -= 1;
                let run = state.runs.remove(place);
                state.queue.extend(run.record());
            }
            Action::Land(place) => {
                let write = state.in_flight.remove(place);
                write_to(&mut state, self, write, log);
            }
            Action::Pass => state.passed += 1,
            Action::Sweep => {
                if state.runs.iter().any(Run::is_of_sweep) {
                    state.left.sweeps -= 1;
                }
                state.runs.push(Run::Look(state.item?));
            }
        }
        state.queue.sort_unstable();
        state.runs.sort_unstable();
        state.in_flight.sort_unstable();
        Some(state)
    }

    fn go(&self, state: &mut State, place: usize, log: &mut Log) {
        let run = state.runs.remove(place);
        let outcome = run.write(state).map(|write| write_to(state, self, write, log));
        let next = match run {
            Run::Event(Record::Saved(event)) => Some(Run::LatestEvent(event)),
            Run::Event(Record::Raised(raised)) => (!state.raised[&raised]).then_some(Run::Notify(raised)),
            Run::LatestEvent(event) => self.is_to_be_kept(event, outcome).then_some(Run::Keep(event)),
            Run::Keep(_) | Run::Notify(_) => None,
            Run::Look(item) => Some(self.look(state, item)),
            Run::Raise(item, raised) => {
                state.queue.push(Record::Raised(raised));
                (self.mutation != Some(Mutation::RemovedFirst)).then_some(Run::Remove(item, None))
            }
            Run::Gone(item) => Some(Run::Remove(item, None)),
            Run::Remove(item, raised) => raised.map(|raised| Run::Raise(item, raised)),
        };
        state.runs.extend(next);
    }

    /// Whether an event's reminder is put into the schedule. This is also the case if a newer event left it unchanged.
    fn is_to_be_kept(&self, event: usize, outcome: Option<Outcome>) -> bool {
        let Some((moment, _)) = &self.events[event].kept else { return false };
        let is_left = |latest: usize| self.events[latest].fingerprints.contains(moment);
        let basis = match outcome {
            Some(Outcome::Newer(latest)) => is_left(latest),
            _ => true,
        };
        basis && self.events[event].activity_status == ActivityStatus::Saved
    }

    /// Checks whether the activity still has the reminder of a due item, and returns the next step.
    fn look(&self, state: &State, item: Item) -> Run {
        let moment = self.moment_of(item.0);
        let latest = state.latest.filter(|_| moment.is_some_and(|moment| state.has(self, &moment)));
        match latest {
            Some(latest) if self.mutation == Some(Mutation::RemovedFirst) => Run::Remove(item, Some((latest, item.1))),
            Some(latest) => Run::Raise(item, (latest, item.1)),
            None => Run::Gone(item),
        }
    }
}

impl Run {
    fn is_of_sweep(&self) -> bool {
        matches!(self, Self::Look(_) | Self::Raise(..) | Self::Gone(_) | Self::Remove(..))
    }

    /// Returns the next write.
    fn write(self, state: &State) -> Option<Write> {
        match self {
            Self::Event(Record::Saved(event)) => Some(Write::Saved(event)),
            Self::Event(Record::Raised(raised)) => Some(Write::Raised(raised, false)),
            Self::LatestEvent(event) => Some(Write::LatestEvent(event)),
            Self::Keep(event) => Some(Write::Keep(event)),
            Self::Notify(raised) => Some(Write::Claim(raised)),
            Self::Gone(item) => Some(Write::Raised(item, true)),
            Self::Remove(item, _) => Some(Write::Remove(item)).filter(|_| state.item.is_some()),
            Self::Look(_) | Self::Raise(..) => None,
        }
    }

    /// The record that is delivered again if the execution dies. A sweep has none; the next sweep finds its item.
    fn record(self) -> Option<Record> {
        match self {
            Self::Event(record) => Some(record),
            Self::LatestEvent(event) | Self::Keep(event) => Some(Record::Saved(event)),
            Self::Notify(raised) => Some(Record::Raised(raised)),
            Self::Look(_) | Self::Raise(..) | Self::Gone(_) | Self::Remove(..) => None,
        }
    }
}

fn write_to(state: &mut State, setup: &Setup, write: Write, log: &mut Log) -> Outcome {
    let outcome = state.write(setup, write);
    log.push((write, outcome.clone()));
    outcome
}

impl Model for Setup {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let executions = state.runs.iter().filter(|run| !run.is_of_sweep()).count();
        for place in 0..state.queue.len() {
            if executions < self.bounds.executions {
                actions.push(Action::Take(place));
                actions.extend((state.left.doubles > 0).then_some(Action::Double(place)));
            }
        }
        for (place, run) in state.runs.iter().enumerate() {
            actions.push(Action::Go(place));
            actions.extend((state.left.crashes > 0).then_some(Action::Crash(place)));
            // A claim and its call are one step here.
            let may_be_lost = !matches!(run, Run::Notify(_)) && run.write(state).is_some();
            actions.extend((state.left.lost > 0 && may_be_lost).then_some(Action::Lose(place)));
        }
        actions.extend((0..state.in_flight.len()).map(Action::Land));
        if state.passed < self.dues.len() {
            actions.push(Action::Pass);
        }
        let sweeps = state.runs.iter().any(Run::is_of_sweep);
        if state.item.is_some_and(|(_, due)| due < state.passed) && (!sweeps || state.left.sweeps > 0) {
            actions.push(Action::Sweep);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.step(state, action, &mut Vec::new())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONCE, |_, state: &State| state.notified.values().all(|times| *times <= 1)),
            Property::always(VALID_ONLY, |_, state: &State| !state.sent_an_invalid_reminder),
            Property::always(TOLD, |setup: &Self, state: &State| {
                !state.is_over(setup) || state.the_valid_reminder_was_sent(setup)
            }),
            Property::sometimes("a reminder is told", |setup: &Self, state: &State| {
                state.is_over(setup) && !state.notified.is_empty()
            }),
            Property::sometimes("one does not stand when it is due", |_, state: &State| {
                state.raised.values().any(|notifies_nobody| *notifies_nobody)
            }),
        ]
    }
}
