//! An activity's reminder, with events in any order, killed executions and repeated sweeps.
//!
//! - Each due moment is notified at most once.
//! - A reminder that is no longer valid is not sent.
//! - The reminder that is valid at the end was sent.
//!
//! The call is one step here. The model `sending` covers it in detail.

mod protocol;
mod replay;
mod setup;
mod state;

use stateright::{Checker, HasDiscoveries, Model};

use crate::bounds::more;
use crate::fixtures::{deleted, saved};
use domain::event::Event;
use setup::{Bounds, Mutation, Setup};

const HOUR: i64 = 3_600;

fn calm() -> Bounds {
    Bounds { executions: 1, ..Bounds::default() }
}

fn two() -> Bounds {
    Bounds { executions: 2, crashes: 1 + more(), ..calm() }
}

/// Saved, then moved to a later time.
fn moved() -> Vec<Event> {
    vec![saved("s1", 0, 3 * HOUR), saved("s2", 10, 5 * HOUR)]
}

/// Saved, moved, and deleted in the same second as the move.
fn cancelled() -> Vec<Event> {
    vec![saved("s1", 0, 3 * HOUR), saved("s2", 10, 5 * HOUR), deleted("x", 10)]
}

/// Saved, moved, and moved back.
fn moved_back() -> Vec<Event> {
    vec![saved("s1", 0, 3 * HOUR), saved("s2", 10, 5 * HOUR), saved("s3", 20, 3 * HOUR)]
}

#[track_caller]
fn check(name: &str, setup: Setup) {
    let bounds = setup.bounds;
    let checker = setup.checker().threads(2).spawn_dfs().join();
    println!("{name}: {} states, {bounds:?}", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn a_moved_reminder_is_sent_once_for_its_current_time() {
    check("moved", Setup::of(&moved(), Bounds { doubles: 1, sweeps: 1, ..two() }));
}

#[test]
fn a_cancelled_reminder_is_never_sent_afterwards() {
    check("cancelled", Setup::of(&cancelled(), Bounds { lost: 1, ..two() }));
}

#[test]
fn a_reminder_moved_back_is_sent_once() {
    check("moved back", Setup::of(&moved_back(), Bounds { sweeps: 1, ..two() }));
}

/// Asserts that the checker finds a break through the property that it violates.
#[track_caller]
fn finds(mutation: Mutation, events: &[Event], bounds: Bounds, property: &'static str) {
    let wanted = HasDiscoveries::AnyOf([property].into());
    let checker = Setup::of(events, bounds).with(mutation).checker().threads(2).finish_when(wanted).spawn_dfs().join();
    assert!(checker.discovery(property).is_some(), "{mutation:?} is not found");
}

#[test]
fn violations_of_the_reminder_protocol_are_found() {
    let two = Bounds { doubles: 1, sweeps: 1, ..two() };
    finds(Mutation::HeadWithoutOrder, &cancelled(), two, protocol::VALID_ONLY);
    finds(Mutation::ClaimWithoutActivity, &cancelled(), two, protocol::VALID_ONLY);
    finds(Mutation::ClaimWithoutDedupKey, &moved_back(), two, protocol::ONCE);
    finds(Mutation::RemovedFirst, &moved(), two, protocol::TOLD);
    finds(Mutation::RemovedWithoutContent, &moved(), two, protocol::TOLD);
}
