//! Whether an account can send: what stops it, and what ends a stop.
//!
//! Answers and reports come late, again and in any order. So each one carries its moment, and a stop ends only by what
//! is newer than everything that caused it.

use jiff::{SignedDuration, Timestamp};

use crate::message::backoff::PAUSE_MAX;

/// The shortest time there is: what is later by it is later.
const MOMENT: SignedDuration = SignedDuration::from_nanos(1);

/// What is known of an account's ability to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why it is stopped; `None` while it can send.
    pub stop: Option<Stop>,
    /// The latest moment of which something says that the account could send then. An older cause stops nothing.
    pub started_at: Option<Timestamp>,
    /// When the latest message was claimed that ended a stop. An operator's start leaves it as it is.
    pub proved_at: Option<Timestamp>,
}

/// Why an account is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Since when.
    pub since: Timestamp,
    /// The moment of its latest cause.
    pub caused_at: Timestamp,
    /// The provider's code, or `none`.
    pub code: String,
    /// When the next message may try whether the account can send again.
    pub probe_at: Timestamp,
    /// Whether a report of what became of a message stopped it: then that a message is accepted says nothing, and only
    /// a report that one left ends the stop.
    pub by_report: bool,
}

/// What stops an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause<'a> {
    /// The provider's code or its word, or `none`.
    pub code: &'a str,
    /// Whether it was reported later, and is not the answer to a call.
    pub by_report: bool,
    /// When it happened.
    pub at: Timestamp,
    /// How long from now the first probe waits.
    pub probe_after: SignedDuration,
}

/// What says that an account can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The provider accepted a message that was claimed at this moment.
    Accepted(Timestamp),
    /// A message that was claimed at this moment left, says a report.
    Left(Timestamp),
    /// An operator says so.
    Operator,
}

impl Health {
    /// The account after a cause to stop it. A cause that is older than a proof changes nothing. Of an account that is
    /// stopped the probe moves on: by as long as the stop has lasted, at most [`PAUSE_MAX`], or by what the cause asks
    /// for. It never comes earlier, and a stop by a report stays one.
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
                // One that is not newer says nothing new: it may have come twice.
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

    /// The account after Meta took back what stopped it, at a moment: a stop that is not newer is probed at once. An older
    /// cause that comes later stops nothing.
    #[must_use]
    pub fn reinstated(&self, at: Timestamp, now: Timestamp) -> Self {
        let started_at = self.started_at.max(Some(at));
        let probed = |stop: &Stop| Stop { probe_at: stop.probe_at.min(now), ..stop.clone() };
        match &self.stop {
            Some(stop) if stop.caused_at >= at => self.clone(),
            stop => Self { stop: stop.as_ref().map(probed), started_at, proved_at: self.proved_at },
        }
    }

    /// The account after a proof that it can send. One that is not newer than what stopped the account changes nothing,
    /// nor does an accepted message where only a report ends the stop. An operator's word always counts.
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
            // The operator's clock may be wrong: what is known by now has ended, and nothing else.
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
    fn a_probe_that_fails_moves_the_next_one_on_up_to_a_quarter_of_an_hour() {
        let mut health = Health::default().stopped(cause("190", 0, MINUTE), at(0));
        for (second, next) in [(60, 120), (120, 240), (240, 480), (5_000, 5_900)] {
            health = health.stopped(cause("190", second, MINUTE), at(second));
            assert_eq!((stop(&health).since, stop(&health).probe_at), (at(0), at(next)));
        }
    }

    #[test]
    fn a_call_under_way_when_a_longer_stop_comes_neither_shortens_it_nor_forgets_that_only_a_report_ends_it() {
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
    fn an_answer_ends_the_stop_of_an_answer_and_what_is_older_than_a_proof_stops_nothing() {
        let stopped = Health::default().stopped(cause("190", 100, MINUTE), at(100));
        let started = stopped.started(Proof::Accepted(at(160)));
        assert_eq!(started.stop, None);
        assert_eq!(started.stopped(report("131042", 150, MINUTE), at(170)), started);
        assert!(started.stopped(report("131042", 160, MINUTE), at(170)).stop.is_some());
    }

    #[test]
    fn a_reinstatement_has_older_stops_probed_at_once_in_any_order() {
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
    fn an_operator_ends_every_stop_and_proves_nothing() {
        let stopped = Health::default().stopped(report("131031", 100, DAY), at(100));
        let started = stopped.started(Proof::Operator);
        assert_eq!((&started.stop, started.proved_at), (&None, None));
        assert_eq!(started.stopped(report("131031", 100, DAY), at(120)), started, "it comes again");
        assert!(started.stopped(report("131031", 101, DAY), at(120)).stop.is_some());
    }
}
