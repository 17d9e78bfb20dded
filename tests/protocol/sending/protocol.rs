//! The possible next actions: the steps of `send-message`, the sweep, and the faults.

use domain::decision::{Halt, wait};
use domain::message::backoff::PAUSE_MAX;
use domain::message::error_code;
use domain::message::reason::Reason;
use domain::message::state::{State as Notified, Status, WaitReason};
use jiff::SignedDuration;
use stateright::{Model, Property};

use super::action::{Action, Choice};
use super::setup::{CODES, Mutation, Setup, is_ambiguous, now};
use super::state::{Broken, Run, State, Step, Then};
use super::table::{Kept, Outcome, Owner, Record, SendId, Write};

/// The writes of a step, with their outcomes.
pub(crate) type Log = Vec<(Write, Outcome)>;

impl Setup {
    /// Returns the state after an action and appends the writes of the step to `log`.
    pub(crate) fn step(&self, before: &State, action: Action, log: &mut Log) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Take(place) => self.take(&mut state, place, false),
            Action::Double(place) => self.take(&mut state, place, true),
            Action::Go(place, choice) => self.go(&mut state, place, choice, log),
            Action::Crash(place) => {
                state.left.crashes -= 1;
                let run = state.runs.remove(place);
                never_called(&mut state, run);
                if self.mutation != Some(Mutation::RecordGivenUpFirst) || !matches!(run.step, Step::Queue(_)) {
                    state.queue.push(run.record);
                }
            }
            Action::Land(place) => {
                let write = state.in_flight.remove(place);
                write_to(&mut state, self, write, log);
            }
            Action::Forget(place) => {
                state.left.crashes -= 1;
                state.in_flight.remove(place);
            }
            Action::Late => state.is_late = true,
            Action::Stop => {
                state.left.stops -= 1;
                write_to(&mut state, self, Write::Suppress, log);
            }
            Action::Sweep(send) => {
                let owner = state.tables.items[send].owner?;
                state.left.sweeps = state.left.sweeps.saturating_sub(1);
                state.in_flight.push(Write::GiveUp { send, owner });
            }
            Action::Fire(send) => {
                let record = state.tables.schedule[send]?;
                state.queue.push(record);
                state.in_flight.push(Write::Remove(record));
            }
            Action::Report(send, status) => {
                state.left.reports -= 1;
                write_to(&mut state, self, Write::Report(send, status), log);
            }
            Action::Resend(send) => {
                state.left.resends -= 1;
                state.queue.push(Record { send, of_event: false, attempt: 0, met: (0, 0), proof: None });
            }
        }
        state.queue.sort_unstable();
        state.in_flight.sort_unstable();
        Some(state)
    }

    fn take(&self, state: &mut State, place: usize, again: bool) {
        let record = if again { state.queue[place] } else { state.queue.remove(place) };
        if state.tables.items[record.send].state() == Notified::Sending {
            state.left.looks = state.left.looks.saturating_sub(1);
        }
        if again {
            state.left.doubles -= 1;
        }
        let recorded = self.sends[record.send].repeats.unwrap_or(record.send);
        if !record.of_event && !state.tables.events[recorded] {
            state.broken = state.broken.or(Some(Broken::DeadLetter));
        }
        let step = match record {
            Record { of_event: true, .. } => Step::Event,
            Record { proof: Some(_), .. } => Step::Release,
            Record { send, .. } => self.decided(state, send),
        };
        state.runs.push(Run { record, step });
    }

    fn go(&self, state: &mut State, place: usize, choice: Choice, log: &mut Log) {
        let run = state.runs[place];
        let next = match run.step {
            Step::Call(owner) if choice == Choice::Uncalled => {
                state.left.uncalled -= 1;
                state.may_have_sent.remove(&owner);
                Next::Go(Step::Queue(run.record.successor((0, 0), Some(owner))))
            }
            Step::Call(owner) => Next::Go(self.call(state, run.record, owner, choice)),
            Step::Queue(successor) => {
                state.queue.push(successor);
                // A record put back after an unanswered claim is not recorded as waiting.
                if successor.proof == run.record.proof { Next::Go(Step::Wait) } else { Next::End }
            }
            _ => self.write_step(state, run, choice, log),
        };
        if !matches!(next, Next::Go(Step::Claim { .. } | Step::Call(_) | Step::TakeAway { .. })) {
            never_called(state, run);
        }
        match next {
            Next::Go(step) => state.runs[place].step = step,
            Next::End => {
                state.runs.remove(place);
            }
            Next::Again => {
                state.runs.remove(place);
                state.queue.push(run.record.again());
            }
        }
    }

    fn decided(&self, state: &mut State, send: SendId) -> Step {
        match self.decision(send, state.is_late, state.tables.is_suppressed) {
            Err(reason) => Step::Skip(reason),
            Ok(_) => {
                let owner = state.next_owner;
                state.next_owner += 1;
                state.may_have_sent.insert(owner);
                Step::Claim { owner, is_unclear: false }
            }
        }
    }

    /// Applies the provider's response and returns the next step.
    fn call(&self, state: &mut State, record: Record, owner: Owner, choice: Choice) -> Step {
        let send = record.send;
        let settle = |kept, then| Step::Settle { owner, kept, then, is_tried: false };
        let (code, accepted) = match choice {
            Choice::Code(code, accepted) => (Some(code), accepted),
            Choice::Unanswered(accepted) => (None, accepted),
            _ => {
                state.calls[send] += 1;
                state.accepted[send] = true;
                return settle(Kept::Accepted, Then::End);
            }
        };
        let Some(code) = code.filter(|code| !is_ambiguous(CODES[*code])) else {
            state.calls[send] += 1;
            state.accepted[send] |= accepted;
            let released = self.mutation == Some(Mutation::UnknownIsTriedAgain);
            return match released {
                true => settle(Kept::NotAccepted, Then::Queue(record.successor((0, 0), None))),
                false => settle(Kept::Unknown, Then::End),
            };
        };
        state.may_have_sent.remove(&owner);
        let times = if usize::from(record.met.0) == code { record.met.1 + 1 } else { 1 };
        let pause = error_code::action(CODES[code]).unwrap().pause(u32::from(times), 0, None);
        let Some(pause) = pause else { return settle(Kept::Refused, Then::End) };
        state.left.not_accepted -= 1;
        let successor = record.successor((u8::try_from(code).unwrap(), times), None);
        settle(Kept::NotAccepted, self.waiting(state, successor, CODES[code], pause))
    }

    /// Returns where a message waits. If it is of no use by then, it is skipped at once as too late.
    fn waiting(&self, state: &State, successor: Record, code: &str, pause: SignedDuration) -> Then {
        let is_parked = matches!(error_code::action(code), Some(error_code::Action::SlowAccount { .. }));
        let Ok(useful_until) = self.decision(successor.send, false, false) else { panic!("it was sent") };
        if is_parked {
            return Then::Park(successor);
        }
        let until = now(state.is_late) + pause;
        match wait(until, WaitReason::Retry, code.to_owned(), useful_until) {
            Halt::Skip(skip) => Then::Skip(skip.reason),
            Halt::Wait { .. } if pause > PAUSE_MAX => Then::Park(successor),
            Halt::Wait { .. } => Then::Queue(successor),
        }
    }

    fn write_step(&self, state: &mut State, run: Run, choice: Choice, log: &mut Log) -> Next {
        let send = run.record.send;
        let write = run.write();
        let outcome = match choice {
            Choice::GiveUp => return self.without_time(state, run),
            Choice::Refused => {
                state.left.refused -= 1;
                return run.failed();
            }
            Choice::LostForNow => {
                state.left.lost -= 1;
                state.in_flight.push(write);
                return run.failed();
            }
            Choice::Lost => {
                state.left.lost -= 1;
                write_to(state, self, write, log);
                return run.failed();
            }
            _ => write_to(state, self, write, log),
        };
        let is_sending = state.tables.items[send].state() == Notified::Sending;
        match (run.step, outcome) {
            (Step::Claim { .. }, Outcome::Theirs) | (Step::Skip(_) | Step::Park(_), Outcome::Refused)
                if is_sending && self.mutation != Some(Mutation::RecordGivenUpWhileSending) =>
            {
                self.list(state, send, false)
            }
            // The successor is in the queue.
            (Step::Wait, Outcome::Refused) if is_sending => self.list(state, send, true),
            (Step::Open { has_successor, .. }, _) if !has_successor => Next::Again,
            // The ledger does not have the answer of this owner.
            (Step::Settle { kept: Kept::Accepted | Kept::Unknown, .. }, Outcome::Refused) => Next::Again,
            (Step::Settle { owner, kept: Kept::Refused, .. }, Outcome::Refused) => {
                Next::Go(Step::GiveBack { owner, then: Then::Again })
            }
            (Step::Event, _) => Next::Go(self.decided(state, send)),
            (Step::Release, _) => Next::Go(self.decided(state, send)),
            (Step::TakeAway { owner, .. }, _) => Next::Go(Step::Claim { owner, is_unclear: false }),
            (Step::Claim { owner, .. }, Outcome::Ours) => Next::Go(Step::Call(owner)),
            (Step::Claim { .. }, Outcome::Suppressed) => {
                let reason = self.decision(send, false, true).err();
                Next::Go(Step::Skip(reason.unwrap_or(Reason::Suppressed)))
            }
            (Step::Claim { .. }, Outcome::Superseded) => Next::Go(Step::Skip(Reason::Superseded)),
            (Step::Claim { owner, .. }, Outcome::AlreadyNotified) => Next::Go(self.notified(state, send, owner)),
            // A recorded refusal determines what follows, so another execution can do it.
            (Step::Claim { .. } | Step::Skip(_) | Step::Park(_), Outcome::Theirs | Outcome::Refused) => {
                match state.tables.items[send].owner.filter(|_| state.tables.items[send].answer == Some(Kept::Refused))
                {
                    Some(owner) => Next::Go(Step::GiveBack { owner, then: Then::End }),
                    None => Next::End,
                }
            }
            (Step::Settle { owner, kept: Kept::NotAccepted | Kept::Refused, then, .. }, _) => {
                Next::Go(Step::GiveBack { owner, then })
            }
            (Step::GiveBack { then, .. }, _) => then.next(),
            // A claim of another owner, or a step that ends with its write.
            _ => Next::End,
        }
    }

    /// The next step of a claim if another send took the dedup key. A finally refused send does not keep the key.
    fn notified(&self, state: &State, send: SendId, owner: Owner) -> Step {
        let notified = state.tables.dedup_keys[self.sends[send].dedup_key_of];
        match notified.filter(|(by, _)| state.tables.items[*by].facts().is_refused()) {
            Some((of, _)) => Step::TakeAway { owner, of },
            None => Step::Skip(Reason::AlreadyNotified),
        }
    }

    /// Lists a message that is `sending`, unless it is listed. Then the record is put back, unless it has a successor.
    fn list(&self, state: &State, send: SendId, has_successor: bool) -> Next {
        let item = &state.tables.items[send];
        match item.owner.filter(|_| !item.is_open && self.mutation != Some(Mutation::RecordThatListsNothing)) {
            Some(owner) => Next::Go(Step::Open { owner, has_successor }),
            None if has_successor => Next::End,
            None => Next::Again,
        }
    }

    /// How an execution ends that could not record its answer.
    fn unrecorded(&self) -> Then {
        if self.mutation == Some(Mutation::OwnerGivesUpItsRecord) { Then::End } else { Then::Again }
    }

    /// The next step if there is no time to retry the write. Facts that only this execution has go with the successor.
    fn without_time(&self, state: &mut State, run: Run) -> Next {
        match run.step {
            Step::Claim { owner, .. } => {
                let successor = run.record.successor((0, 0), Some(owner));
                if self.mutation == Some(Mutation::ProofBeforeTheEnd) {
                    state.queue.push(successor);
                    return Next::Go(Step::Claim { owner, is_unclear: false });
                }
                Next::Go(Step::Queue(successor))
            }
            Step::Settle { owner, kept: Kept::Refused, .. } => {
                Next::Go(Step::GiveBack { owner, then: self.unrecorded() })
            }
            Step::Settle { owner, kept: Kept::NotAccepted, then, .. } => Next::Go(Step::GiveBack { owner, then }),
            _ => self.unrecorded().next(),
        }
    }
}

/// Records that an execution leaves its claim without a call.
fn never_called(state: &mut State, run: Run) {
    if let Step::Claim { owner, .. } = run.step {
        state.may_have_sent.remove(&owner);
    }
}

/// How an execution continues after a step.
enum Next {
    Go(Step),
    End,
    /// Its record is put back.
    Again,
}

impl Then {
    fn next(self) -> Next {
        match self {
            Self::End => Next::End,
            Self::Again => Next::Again,
            Self::Queue(record) => Next::Go(Step::Queue(record)),
            Self::Park(record) => Next::Go(Step::Park(record)),
            Self::Skip(reason) => Next::Go(Step::Skip(reason)),
        }
    }
}

impl Run {
    /// Returns the write of the current step.
    fn write(self) -> Write {
        let Record { send, attempt, proof, .. } = self.record;
        match self.step {
            Step::Event => Write::Event(send),
            Step::Claim { owner, .. } => Write::Claim { send, owner, attempt },
            Step::Settle { owner, kept, .. } => Write::Settle { send, owner, kept },
            Step::Release => Write::Release { send, owner: proof.unwrap() },
            Step::TakeAway { of, .. } => Write::TakeAway(of),
            Step::GiveBack { owner, .. } => Write::GiveBack { send, owner },
            Step::Wait => Write::Wait { send, attempt },
            Step::Park(record) => Write::Park(record),
            Step::Skip(reason) => Write::Skip { send, attempt, reason },
            Step::Open { owner, .. } => Write::Open { send, owner },
            Step::Call(_) | Step::Queue(_) => panic!("it writes nothing"),
        }
    }

    /// Returns how the execution continues after a write without a response.
    fn failed(self) -> Next {
        match self.step {
            Step::Claim { owner, .. } => Next::Go(Step::Claim { owner, is_unclear: true }),
            Step::Settle { owner, kept, then, .. } => Next::Go(Step::Settle { owner, kept, then, is_tried: true }),
            // The successor is already in the queue. If this record were put back too, there would be two.
            Step::Wait | Step::Open { has_successor: true, .. } => Next::End,
            _ => Next::Again,
        }
    }
}

fn write_to(state: &mut State, setup: &Setup, write: Write, log: &mut Log) -> Outcome {
    let outcome = state.write(setup, write);
    log.push((write, outcome));
    outcome
}

impl Model for Setup {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let executes = state.runs.len() < usize::from(self.bounds.executions);
        for place in (0..state.queue.len()).filter(|_| executes) {
            let item = &state.tables.items[state.queue[place].send];
            // A record that meets an unlisted message lists it, so this happens once for each claim.
            let lists = !item.is_open && self.mutation != Some(Mutation::RecordThatListsNothing);
            if item.state() == Notified::Sending && state.left.looks == 0 && !lists {
                continue;
            }
            // Equal records in the queue are interchangeable.
            if place > 0 && state.queue[place] == state.queue[place - 1] {
                continue;
            }
            actions.push(Action::Take(place));
            if state.left.doubles > 0 {
                actions.push(Action::Double(place));
            }
        }
        for (place, run) in state.runs.iter().enumerate() {
            choices(state, run, &mut |choice| actions.push(Action::Go(place, choice)));
            if state.left.crashes > 0 {
                actions.push(Action::Crash(place));
            }
        }
        for (place, write) in state.in_flight.iter().enumerate() {
            actions.push(Action::Land(place));
            let is_of_sweep = matches!(write, Write::GiveUp { .. } | Write::Remove(_));
            if is_of_sweep && state.left.crashes > 0 {
                actions.push(Action::Forget(place));
            }
        }
        if !state.is_late {
            actions.push(Action::Late);
        }
        if state.left.stops > 0 {
            actions.push(Action::Stop);
        }
        for send in 0..self.sends.len() {
            self.actions_of(state, send, actions);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.step(state, action, &mut Vec::new())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("nothing is sent twice", |_, state: &State| state.nothing_is_sent_twice()),
            Property::always("no subject is notified twice", |setup: &Self, state: &State| {
                state.no_dedup_key_is_notified_twice(setup)
            }),
            Property::always("no claim takes what it may not", |_, state: &State| state.broken.is_none()),
            Property::always("every message ends", |setup: &Self, state: &State| {
                !state.is_over() || state.every_message_ended(setup)
            }),
            Property::always("the ledger is true", |_, state: &State| !state.is_over() || state.the_ledger_is_true()),
            Property::always("what is left goes on", |setup: &Self, state: &State| {
                let mut actions = Vec::new();
                setup.actions(state, &mut actions);
                state.is_over() || !actions.is_empty()
            }),
            Property::sometimes("one ends as sent", |_, state: &State| state.ends_as(&Notified::Sent)),
            Property::sometimes("one ends as unknown", |_, state: &State| state.ends_as(&Notified::Unknown)),
        ]
    }
}

impl Setup {
    fn actions_of(&self, state: &State, send: SendId, actions: &mut Vec<Action>) {
        let item = &state.tables.items[send];
        let is_swept = |write: &Write| matches!(write, Write::GiveUp { send: of, .. } if *of == send);
        // When nothing is running, no execution settles the message, so the sweep always sees it.
        let is_left = state.runs.is_empty() && state.in_flight.is_empty();
        if item.is_open && !state.in_flight.iter().any(is_swept) && (state.left.sweeps > 0 || is_left) {
            actions.push(Action::Sweep(send));
        }
        if let Some(record) = state.tables.schedule[send]
            && !state.in_flight.contains(&Write::Remove(record))
        {
            actions.push(Action::Fire(send));
        }
        if state.accepted[send] && state.left.reports > 0 {
            for status in [Status::Delivered, Status::Failed] {
                if !item.statuses.contains(&status) {
                    actions.push(Action::Report(send, status));
                }
            }
        }
        if let Some(first) = self.sends[send].repeats
            && state.left.resends > 0
            && state.tables.items[first].state().is_final()
        {
            actions.push(Action::Resend(send));
        }
    }
}

/// Adds the possible outcomes of an execution's step.
fn choices(state: &State, run: &Run, add: &mut impl FnMut(Choice)) {
    add(Choice::Done);
    match run.step {
        Step::Queue(_) => return,
        Step::Call(_) => {
            if state.left.uncalled > 0 {
                add(Choice::Uncalled);
            }
            for accepted in [true, false] {
                add(Choice::Unanswered(accepted));
            }
            for (place, code) in CODES.iter().enumerate() {
                let is_final = error_code::action(code).is_some_and(|action| action.pause(1, 0, None).is_none());
                if is_ambiguous(code) {
                    // The same as no response.
                    continue;
                }
                if is_final || state.left.not_accepted > 0 {
                    add(Choice::Code(place, false));
                }
            }
            return;
        }
        Step::Claim { is_unclear: true, .. } | Step::Settle { is_tried: true, .. } => add(Choice::GiveUp),
        _ => {}
    }
    if state.left.refused > 0 {
        add(Choice::Refused);
    }
    if state.left.lost > 0 {
        add(Choice::Lost);
        add(Choice::LostForNow);
    }
}
