//! A state of an account, and what changes it.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use domain::site::health::{Cause, Health, Proof, Stop};
use jiff::{SignedDuration, Timestamp};

use crate::fixtures::at;

/// How long after a refusal the first probe goes.
pub(crate) const AFTER_ANSWER: i64 = 1;
/// As above, after a report.
pub(crate) const AFTER_REPORT: i64 = 2;
/// How long a right to probe lasts whose outcome never comes.
pub(crate) const PROBE_AGAIN: i64 = 2;

/// What a check is about.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) minutes: i64,
    pub(crate) calls: usize,
    /// Changes between their read and their write at once; none: each is one step.
    pub(crate) changes_at_once: usize,
    pub(crate) mutation: Option<Mutation>,
}

/// The protocol, broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// A late proof of an older message ends a newer stop.
    StartWithoutMoment,
    StopForgetsReport,
    /// A cause that asks for less brings the probe forward.
    StopMovesProbe,
    /// What was read may have been changed since.
    WriteWithoutCondition,
    /// No probe is ever due.
    StopForGood,
}

/// A call of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) claimed_at: i64,
    pub(crate) is_probe: bool,
    pub(crate) is_answered: bool,
    pub(crate) is_accepted: bool,
    /// It left for the phone, says a report.
    pub(crate) left: bool,
    /// It failed for the account, says a report.
    pub(crate) failed_at: Option<i64>,
}

/// What changes whether an account can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    Stop { at: i64, by_report: bool },
    Accepted(i64),
    Left(i64),
    Operator,
    Reinstated(i64),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) now: i64,
    pub(crate) health: Health,
    pub(crate) probing_until: Option<i64>,
    pub(crate) calls: Vec<Call>,
    /// Changes that were read for, with what was read.
    pub(crate) reading: Vec<(Change, Health)>,
    /// Whether Meta stopped it by a notice, Meta took that back, and an operator started it.
    pub(crate) notices: [bool; 3],
    /// What caused the stop: the latest moment, and whether a report is among the causes.
    pub(crate) cause: Option<(i64, bool)>,
    pub(crate) was_started: bool,
    pub(crate) broken: BTreeSet<&'static str>,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let known = |health: &Health| {
            let Health { stop, started_at, proved_at } = health.clone();
            let stop = stop.map(|Stop { since, caused_at, code, probe_at, by_report }| {
                (since, caused_at, code, probe_at, by_report)
            });
            (stop, started_at, proved_at)
        };
        (self.now, known(&self.health), self.probing_until, &self.calls, self.notices).hash(state);
        for (change, health) in &self.reading {
            (change, known(health)).hash(state);
        }
        (self.cause, self.was_started, &self.broken).hash(state);
    }
}

pub(crate) fn minute(minute: i64) -> Timestamp {
    at(60 * minute)
}

impl Change {
    pub(crate) fn cause(at: i64, by_report: bool) -> Cause<'static> {
        let probe_after = SignedDuration::from_mins(if by_report { AFTER_REPORT } else { AFTER_ANSWER });
        Cause { code: if by_report { "131031" } else { "190" }, by_report, at: minute(at), probe_after }
    }

    /// What is known of the account after the change.
    pub(crate) fn of(self, setup: &Setup, health: &Health, now: i64) -> Health {
        let is = |mutation| setup.mutation == Some(mutation);
        let proof = |proof| if is(Mutation::StartWithoutMoment) { Proof::Operator } else { proof };
        match self {
            Self::Stop { at, by_report } => {
                let mut after = health.stopped(Self::cause(at, by_report), minute(now));
                if let Some(stop) = &mut after.stop {
                    stop.by_report = if is(Mutation::StopForgetsReport) { by_report } else { stop.by_report };
                    if is(Mutation::StopMovesProbe) {
                        stop.probe_at = minute(now) + Self::cause(at, by_report).probe_after;
                    }
                    if is(Mutation::StopForGood) {
                        stop.probe_at = minute(1_000_000);
                    }
                }
                after
            }
            Self::Accepted(at) => health.started(proof(Proof::Accepted(minute(at)))),
            Self::Left(at) => health.started(proof(Proof::Left(minute(at)))),
            Self::Operator => health.started(Proof::Operator),
            Self::Reinstated(at) => health.reinstated(minute(at), minute(now)),
        }
    }
}
