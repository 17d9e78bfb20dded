//! Deliberate breaks of the protocol. The checker must find each of them; otherwise it proves nothing.

use stateright::{Checker, HasDiscoveries, Model};

use super::calm;
use super::setup::{Bounds, Mutation, Setup};
use super::state::State;

const TWICE: &str = "nothing is sent twice";
const DEDUP_KEY: &str = "no subject is notified twice";
const CLAIMS: &str = "no claim takes what it may not";
const LOST: &str = "every message ends";
const STUCK: &str = "what is left goes on";

/// Asserts that the checker finds a break through the property that it violates.
#[track_caller]
fn finds(mutation: Mutation, setup: Setup, property: &'static str) {
    let wanted = HasDiscoveries::AnyOf([property].into());
    let checker = setup.with(mutation).checker().threads(2).symmetry_fn(State::representative);
    let checker = checker.finish_when(wanted).spawn_dfs().join();
    assert!(checker.discovery(property).is_some(), "{mutation:?} is not found");
}

fn two() -> Bounds {
    Bounds { executions: 2, doubles: 1, ..calm() }
}

#[test]
fn a_claim_without_its_condition_is_found() {
    finds(Mutation::ClaimWithoutCondition, Setup::one(two()), TWICE);
    finds(Mutation::ClaimWithoutCondition, Setup::one(two()), CLAIMS);
}

#[test]
fn a_claim_that_ignores_a_stop_is_found() {
    finds(Mutation::ClaimWithoutStop, Setup::one(Bounds { stops: 1, ..calm() }), CLAIMS);
}

#[test]
fn a_claim_that_ignores_the_dedup_key_is_found() {
    finds(Mutation::ClaimWithoutDedupKey, Setup::repeated(calm()), DEDUP_KEY);
}

#[test]
fn a_settling_write_without_its_owner_is_found() {
    let bounds = Bounds { executions: 2, crashes: 1, lost: 1, not_accepted: 1, ..calm() };
    finds(Mutation::SettleWithoutOwner, Setup::one(bounds), TWICE);
}

#[test]
fn a_dedup_key_given_back_by_another_attempt_is_found() {
    let bounds = Bounds { executions: 2, lost: 1, not_accepted: 1, ..calm() };
    finds(Mutation::GiveBackWithoutOwner, Setup::repeated(bounds), DEDUP_KEY);
}

#[test]
fn a_sweep_that_retries_messages_is_found() {
    finds(Mutation::SweepReleases, Setup::one(Bounds { crashes: 1, sweeps: 1, ..two() }), TWICE);
}

#[test]
fn an_unknown_outcome_that_is_tried_again_is_found() {
    finds(Mutation::UnknownIsTriedAgain, Setup::one(calm()), TWICE);
}

#[test]
fn a_record_given_up_before_its_successor_is_queued_is_found() {
    let bounds = Bounds { crashes: 1, not_accepted: 1, ..calm() };
    finds(Mutation::RecordGivenUpFirst, Setup::one(bounds), LOST);
}

#[test]
fn an_owner_that_goes_on_after_its_proof_is_found() {
    let bounds = Bounds { executions: 2, lost: 1, looks: 2, ..calm() };
    finds(Mutation::ProofBeforeTheEnd, Setup::one(bounds), TWICE);
}

/// The behaviour of `send-message` before this model existed.
#[test]
fn a_record_given_up_while_its_message_is_sending_is_found() {
    let bounds = Bounds { lost: 1, not_accepted: 1, executions: 2, ..calm() };
    finds(Mutation::RecordGivenUpWhileSending, Setup::one(bounds), LOST);
}

#[test]
fn a_record_that_lists_nothing_for_the_sweep_is_found() {
    finds(Mutation::RecordThatListsNothing, Setup::one(Bounds { crashes: 1, ..calm() }), STUCK);
}

#[test]
fn an_owner_that_gives_up_its_record_without_an_answer_is_found() {
    let bounds = Bounds { executions: 2, refused: 1, ..calm() };
    finds(Mutation::OwnerGivesUpItsRecord, Setup::one(bounds), LOST);
}
