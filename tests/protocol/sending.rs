//! The sending protocol, with crashes, losses, duplicates and records in any order. Nothing is sent twice, every
//! message ends, and every STOP takes effect.
//!
//! The model makes no assumption about time. The sweep may run while an owner is active. A write whose response was
//! lost may be applied at any later time. [`Bounds`] limits the faults.

mod action;
mod mutations;
mod protocol;
mod replay;
mod setup;
mod state;
mod table;

use stateright::{Checker, Model};

use crate::bounds::more;
use setup::{Bounds, Setup};
use state::State;

/// Checks every state of a setup and prints the number of states.
#[track_caller]
fn check(name: &str, setup: Setup) {
    let bounds = setup.bounds;
    let checker = setup.checker().threads(2).symmetry_fn(State::representative).spawn_dfs().join();
    println!("{name}: {} states, {bounds:?}", checker.unique_state_count());
    checker.assert_properties();
}

/// One execution at a time and no faults.
fn calm() -> Bounds {
    Bounds { executions: 1, looks: 1, ..Bounds::default() }
}

#[test]
fn a_message_is_sent_at_most_once_and_ends_in_every_state() {
    let one = 1 + more();
    let bounds = Bounds { executions: 2, crashes: one, doubles: 1, lost: one, not_accepted: 1, ..calm() };
    check("one message", Setup::one(bounds));
}

#[test]
fn refused_writes_and_several_tries_lose_no_message() {
    let two = 2 + more();
    let bounds = Bounds { crashes: 1, refused: 1, not_accepted: two, ..calm() };
    check("several tries", Setup::one(bounds));
}

#[test]
fn a_sweep_or_report_at_any_moment_never_causes_a_second_send() {
    let one = 1 + more();
    let bounds = Bounds { executions: 2, crashes: one, doubles: 1, not_accepted: 1, reports: 2, sweeps: 2, ..calm() };
    check("sweep and reports", Setup::one(bounds));
}

#[test]
fn an_operators_resend_is_a_send_of_its_own() {
    let one = 1 + more();
    let bounds = Bounds { executions: 2, crashes: one, doubles: 1, reports: 1, resends: 1, ..calm() };
    check("sent again by a person", Setup::one(bounds));
}

#[test]
fn a_state_reported_by_two_events_is_notified_once() {
    let one = 1 + more();
    let bounds = Bounds { executions: 2, lost: one, not_accepted: 1, ..calm() };
    check("one state, two events", Setup::repeated(bounds));
}

#[test]
fn an_older_state_is_not_notified_after_a_newer_one() {
    let one = 1 + more();
    let bounds = Bounds { executions: 2, crashes: one, doubles: 1, not_accepted: 1, ..calm() };
    check("two states", Setup::overtaken(bounds));
}

#[test]
fn a_claim_whose_owner_may_not_call_is_taken_back_and_loses_nothing() {
    let one = 1 + more();
    let bounds = Bounds { executions: 2, crashes: one, doubles: 1, lost: 1, uncalled: 1, ..calm() };
    check("taken back", Setup::one(bounds));
    let bounds = Bounds { executions: 2, not_accepted: 1, uncalled: 1, ..calm() };
    check("taken back, one state, two events", Setup::repeated(bounds));
}

#[test]
fn a_recorded_stop_prevents_every_later_claim() {
    let one = 1 + more();
    let bounds = Bounds { executions: 2, crashes: one, not_accepted: 1, stops: 1, lost: 1, ..calm() };
    check("stop", Setup::one(bounds));
}
