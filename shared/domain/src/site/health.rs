//! Whether an account can send: the causes of a stop and the proofs that end it.
//!
//! Responses and reports can arrive late, repeatedly and in any order. Each one therefore carries its time. Only a
//! proof that is newer than every cause ends a stop.

use jiff::{SignedDuration, Timestamp};

use crate::message::backoff::PAUSE_MAX;

/// The smallest time step, which makes one timestamp later than another.
const MOMENT: SignedDuration = SignedDuration::from_nanos(1);

/// The sending state of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The stop in effect; `None` while the account can send.
    pub stop: Option<Stop>,
    /// The latest time at which the account is proved able to send. An older cause does not stop the account.
    pub started_at: Option<Timestamp>,
    /// When the latest message that ended a stop was claimed. A start by an operator does not change it.
    pub proved_at: Option<Timestamp>,
}

/// A stop of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// When the stop began.
    pub since: Timestamp,
    /// The time of the latest cause.
    pub caused_at: Timestamp,
    /// The provider's code, or `none`.
    pub code: String,
    /// When the next message may probe whether the account can send again.
    pub probe_at: Timestamp,
    /// Whether a report about a message or the account caused the stop. An accepted message then proves nothing: only a
    /// report of a sent message ends the stop.
    pub by_report: bool,
}

/// A cause that stops an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause<'a> {
    /// The provider's code or word, or `none`.
    pub code: &'a str,
    /// Whether the cause was reported later, rather than returned by a call.
    pub by_report: bool,
    /// When it happened.
    pub at: Timestamp,
    /// Delay from now until the first probe.
    pub probe_after: SignedDuration,
}

/// A proof that an account can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The provider accepted a message that was claimed at this time.
    Accepted(Timestamp),
    /// A report states that a message claimed at this time was sent.
    Left(Timestamp),
    /// An operator states it.
    Operator,
}

impl Health {
    /// Returns the account after a cause to stop it.
    ///
    /// - A cause that is older than the latest proof changes nothing.
    /// - If the account is already stopped, the probe is postponed, never advanced. The delay is the stop's duration so
    ///   far, at most [`PAUSE_MAX`], or the delay of the cause, whichever is longer.
    /// - A stop by a report remains one.
    #[must_use]
    pub fn stopped(&self, cause: Cause<'_>, now: Timestamp) -> Self {
        if self.started_at.is_some_and(|started_at| started_at > cause.at) {
            return self.clone();
        }
        let probe_at = |pause| now.saturating_add(pause).unwrap_or(now);
        let Cause { code, by_report, at, probe_after } = cause;
        let stop = match &self.stop {
            None => Stop {
                since: at.min(now),
                caused_at: at,
                code: code.to_owned(),
                probe_at: probe_at(probe_after),
                by_report,
            },
            Some(stop) => {
                let lasted = now.duration_since(stop.since).clamp(SignedDuration::ZERO, PAUSE_MAX);
                // A cause that is not newer may be a duplicate, so the duration does not count.
                let probe_at = probe_at(if at > stop.caused_at { lasted.max(probe_after) } else { probe_after });
                let code = if probe_at >= stop.probe_at { code } else { &stop.code };
                Stop {
                    since: stop.since,
                    caused_at: stop.caused_at.max(at),
                    code: code.to_owned(),
                    probe_at: stop.probe_at.max(probe_at),
                    by_report: stop.by_report || by_report,
                }
            }
        };
        Self { stop: Some(stop), ..self.clone() }
    }

    /// Returns the account after Meta withdrew the cause of a stop at `at`.
    ///
    /// A stop with only older causes is probed immediately. An older cause that arrives later does not stop the
    /// account.
    #[must_use]
    pub fn reinstated(&self, at: Timestamp, now: Timestamp) -> Self {
        let started_at = self.started_at.max(Some(at));
        let probed = |stop: &Stop| Stop { probe_at: stop.probe_at.min(now), ..stop.clone() };
        match &self.stop {
            Some(stop) if stop.caused_at >= at => self.clone(),
            stop => Self { stop: stop.as_ref().map(probed), started_at, proved_at: self.proved_at },
        }
    }

    /// Returns the account after a proof that it can send.
    ///
    /// A proof that is not newer than the latest cause changes nothing. An accepted message does not end a stop by a
    /// report. An operator's proof always ends the stop.
    #[must_use]
    pub fn started(&self, proof: Proof) -> Self {
        let ends = |stop: &Stop| match proof {
            Proof::Operator => true,
            Proof::Accepted(at) => at > stop.caused_at && !stop.by_report,
            Proof::Left(at) => at > stop.caused_at,
        };
        let Some(stop) = self.stop.as_ref().filter(|stop| ends(stop)) else { return self.clone() };
        let (started_at, proved_at) = match proof {
            Proof::Accepted(at) | Proof::Left(at) => (at, self.proved_at.max(Some(at))),
            // The operator's clock may be wrong. Only the causes recorded so far have ended.
            Proof::Operator => (stop.caused_at.saturating_add(MOMENT).unwrap_or(stop.caused_at), self.proved_at),
        };
        Self { stop: None, started_at: self.started_at.max(Some(started_at)), proved_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);
    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn cause(code: &str, second: i64, probe_after: SignedDuration) -> Cause<'_> {
        Cause { code, by_report: false, at: at(second), probe_after }
    }

    fn report(code: &str, second: i64, probe_after: SignedDuration) -> Cause<'_> {
        Cause { by_report: true, ..cause(code, second, probe_after) }
    }

    fn stop(health: &Health) -> &Stop {
        health.stop.as_ref().unwrap()
    }

    #[test]
    fn failed_probes_delay_the_next_one_by_up_to_a_quarter_of_an_hour() {
        let mut health = Health::default().stopped(cause("190", 0, MINUTE), at(0));
        for (second, next) in [(60, 120), (120, 240), (240, 480), (5_000, 5_900)] {
            health = health.stopped(cause("190", second, MINUTE), at(second));
            assert_eq!((stop(&health).since, stop(&health).probe_at), (at(0), at(next)));
        }
    }

    #[test]
    fn a_failure_in_flight_does_not_shorten_or_downgrade_a_longer_stop() {
        let banned = Health::default().stopped(report("ACCOUNT_RESTRICTION", 0, DAY), at(0));
        let after = banned.stopped(cause("190", 2, MINUTE), at(2));
        assert_eq!((stop(&after).probe_at, stop(&after).by_report), (at(0) + DAY, true));
        assert_eq!(stop(&after).code, "ACCOUNT_RESTRICTION");
        let other_way = Health::default().stopped(cause("190", 0, MINUTE), at(0)).stopped(report("X", 2, DAY), at(2));
        assert_eq!((stop(&other_way).probe_at, stop(&other_way).code.as_str()), (at(2) + DAY, "X"));
    }

    #[test]
    fn only_a_message_claimed_after_every_cause_ends_a_stop() {
        let stopped = Health::default().stopped(report("131031", 100, MINUTE), at(100));
        let again = stopped.stopped(report("131031", 300, DAY), at(300));
        for proof in [Proof::Left(at(50)), Proof::Left(at(100)), Proof::Accepted(at(400))] {
            assert_eq!(stopped.started(proof), stopped, "{proof:?}");
        }
        assert_eq!(again.started(Proof::Left(at(200))), again, "the second cause is newer");
        let started = again.started(Proof::Left(at(301)));
        assert_eq!((started.stop, started.started_at, started.proved_at), (None, Some(at(301)), Some(at(301))));
    }

    #[test]
    fn an_accepted_call_ends_a_stop_by_an_answer_and_outdates_older_causes() {
        let stopped = Health::default().stopped(cause("190", 100, MINUTE), at(100));
        let started = stopped.started(Proof::Accepted(at(160)));
        assert_eq!(started.stop, None);
        assert_eq!(started.stopped(report("131042", 150, MINUTE), at(170)), started);
        assert!(started.stopped(report("131042", 160, MINUTE), at(170)).stop.is_some());
    }

    #[test]
    fn a_reinstatement_immediately_probes_or_prevents_older_stops_in_any_order() {
        let ban = report("DISABLED_UPDATE", 100, DAY);
        let banned = Health::default().stopped(ban, at(110));
        assert_eq!(banned.reinstated(at(99), at(120)), banned, "an older one");
        let reinstated = banned.reinstated(at(200), at(210));
        assert_eq!((stop(&reinstated).probe_at, stop(&reinstated).by_report), (at(210), true));
        let early = Health::default().reinstated(at(200), at(210));
        assert_eq!(early.stopped(ban, at(220)).stop, None, "the ban came after its end");
        assert!(early.stopped(report("DISABLED_UPDATE", 201, DAY), at(220)).stop.is_some());
    }

    #[test]
    fn an_operator_ends_every_stop_without_recording_a_proof() {
        let stopped = Health::default().stopped(report("131031", 100, DAY), at(100));
        let started = stopped.started(Proof::Operator);
        assert_eq!((&started.stop, started.proved_at), (&None, None));
        assert_eq!(started.stopped(report("131031", 100, DAY), at(120)), started, "it comes again");
        assert!(started.stopped(report("131031", 101, DAY), at(120)).stop.is_some());
    }
}
