//! The stop and start of an account, with answers and reports that come late, repeatedly and in any order. A stop ends
//! only by information newer than every cause of the stop. An account that can send again is detected.
//!
//! Times are minutes here, and the pauses are shorter than the real ones. A change is a read and a conditional write of
//! what was read, with other changes in between.

mod protocol;
mod replay;
mod state;

use stateright::{Checker, HasDiscoveries, Model};

use crate::bounds::more;
use protocol::{AGAIN, COUNTS, ENDS, LATER, REPORT};
use state::{Mutation, Setup};

fn setup() -> Setup {
    Setup { minutes: 2 + i64::from(more()), calls: 2, changes_at_once: 2, mutation: None }
}

#[test]
fn a_stop_ends_only_through_newer_evidence_in_every_state() {
    let checker = setup().checker().threads(2).spawn_dfs().join();
    println!("account: {} states, {:?}", checker.unique_state_count(), setup());
    checker.assert_properties();
}

#[test]
fn violations_of_the_account_protocol_are_found() {
    for (mutation, property) in [
        (Mutation::StartWithoutMoment, ENDS),
        (Mutation::StopForgetsReport, REPORT),
        (Mutation::StopMovesProbe, LATER),
        (Mutation::WriteWithoutCondition, COUNTS),
        (Mutation::StopForGood, AGAIN),
    ] {
        let wanted = HasDiscoveries::AnyOf([property].into());
        let setup = Setup { mutation: Some(mutation), ..setup() };
        let checker = setup.checker().threads(2).finish_when(wanted).spawn_dfs().join();
        assert!(checker.discovery(property).is_some(), "{mutation:?} is not found");
    }
}
