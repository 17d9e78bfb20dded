//! A state of an account, and the changes to it.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use domain::site::health::{Cause, Health, Proof, Stop};
use jiff::{SignedDuration, Timestamp};

use crate::fixtures::at;

/// The time from a rejected call to the first probe.
pub(crate) const AFTER_ANSWER: i64 = 1;
/// The time from a report to the first probe.
pub(crate) const AFTER_REPORT: i64 = 2;
/// The time after which a probe without an outcome no longer blocks the next one.
pub(crate) const PROBE_AGAIN: i64 = 2;

/// The parameters of a check.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) minutes: i64,
    pub(crate) calls: usize,
    /// The maximum number of changes between their read and their write. With zero, each change is one step.
    pub(crate) changes_at_once: usize,
    pub(crate) mutation: Option<Mutation>,
}

/// A deliberate break of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// A late proof from an older message ends a newer stop.
    StartWithoutMoment,
    StopForgetsReport,
    /// A cause with a shorter pause brings the probe forward.
    StopMovesProbe,
    /// A write does not check whether the account changed since the read.
    WriteWithoutCondition,
    /// No probe is ever due.
    StopForGood,
}

/// A call to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) claimed_at: i64,
    pub(crate) is_probe: bool,
    pub(crate) is_answered: bool,
    pub(crate) is_accepted: bool,
    /// Whether it was sent to the phone, according to a report.
    pub(crate) left: bool,
    /// When it failed because of the account, according to a report.
    pub(crate) failed_at: Option<i64>,
}

/// A change of whether an account can send.
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
    /// Changes that were read and are not written yet, with the account that each of them read.
    pub(crate) reading: Vec<(Change, Health)>,
    /// Whether Meta stopped it by a platform event, whether Meta withdrew that, and whether an operator started it.
    pub(crate) notices: [bool; 3],
    /// The cause of the stop: the latest time, and whether a report is among the causes.
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

    /// Returns the account after the change.
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
