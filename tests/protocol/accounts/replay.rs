//! Replays random traces of the model against the store and compares the account after each step.

use jiff::SignedDuration;
use stateright::Model;
use store::schedule::Lane;

use super::protocol::Action;
use super::state::{Call, Change, PROBE_AGAIN, Setup, State, minute};
use crate::bounds::more;
use crate::fixtures::{account, site};
use crate::random::Random;
use crate::world::World;
use domain::site::health::Proof;

/// The number of traces. Each has its own account.
const TRACES: u64 = 60;
/// The maximum number of steps in a trace.
const STEPS: usize = 60;

#[tokio::test]
async fn traces_of_an_account_end_the_same_in_the_store() {
    // The store reads and writes in one call. These traces do the same.
    let setup = Setup { minutes: 30, calls: 8, changes_at_once: 0, mutation: None };
    let (world, mut random) = (World::start().await, Random(6));
    for trace in 0..TRACES * u64::from(1 + more()) {
        let site = domain::primitives::id::SiteId::parse(&format!("{}-{trace}", site())).unwrap();
        let lane = Lane { site, account: account() };
        let (mut state, mut steps) = (State::default(), Vec::new());
        for _ in 0..STEPS {
            let mut actions = Vec::new();
            setup.actions(&state, &mut actions);
            if actions.is_empty() {
                break;
            }
            let action = actions[random.below(actions.len())];
            steps.push(action);
            write(&world, &lane, &state, action).await;
            state = setup.step(&state, action);
            let known = world.schedule.account_state(&lane).await.unwrap().health;
            assert_eq!(known, state.health, "trace {trace}: {steps:?}");
        }
    }
}

/// Does in the store what the model does in a step.
async fn write(world: &World, lane: &Lane, state: &State, action: Action) {
    let (schedule, now) = (&world.schedule, minute(state.now));
    let of_call = |call: usize| state.calls[call];
    let change = match action {
        Action::Probe => {
            let again = SignedDuration::from_mins(PROBE_AGAIN);
            assert!(schedule.take_probe(lane, again, now).await.unwrap().is_some(), "the right to probe is not there");
            let more = schedule.take_probe(lane, again, now).await.unwrap();
            assert_eq!(more, None, "only one message probes at a time");
            return;
        }
        Action::NoEvidence(call) if of_call(call).is_probe => return schedule.return_probe(lane).await.unwrap(),
        Action::Accepts(call) if of_call(call).is_probe => Change::Accepted(of_call(call).claimed_at),
        Action::Refuses(_) => Change::Stop { at: state.now, by_report: false },
        Action::Report(call) => match of_call(call) {
            Call { failed_at: Some(at), .. } => Change::Stop { at, by_report: true },
            Call { claimed_at, .. } => Change::Left(claimed_at),
        },
        Action::Notice => Change::Stop { at: state.now, by_report: true },
        Action::Reinstate => Change::Reinstated(state.now),
        Action::Operator => Change::Operator,
        _ => return,
    };
    match change {
        Change::Stop { at, by_report } => {
            schedule.stop_account(lane, Change::cause(at, by_report), now).await.map(drop).unwrap();
        }
        Change::Accepted(at) => schedule.start_account(lane, Proof::Accepted(minute(at))).await.map(drop).unwrap(),
        Change::Left(at) => schedule.start_account(lane, Proof::Left(minute(at))).await.map(drop).unwrap(),
        Change::Operator => schedule.start_account(lane, Proof::Operator).await.map(drop).unwrap(),
        Change::Reinstated(at) => schedule.reinstate_account(lane, minute(at), now).await.unwrap(),
    }
}
