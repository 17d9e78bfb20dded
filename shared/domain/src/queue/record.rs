//! A record of either queue. Both queues share a dead-letter queue, so a dead letter shows only by its form which queue can
//! process it.

use super::job::Job;
use super::platform_event::Queued;

/// The body of a record, by the queue that can process it.
#[derive(Debug)]
pub enum Record {
    /// A record of the events queue.
    Job(Box<Job>),
    /// A record of the statuses queue.
    PlatformEvent(Box<Queued>),
    /// A record of neither, or of another version.
    Unreadable {
        /// The first line that is not a job, from 1.
        line: usize,
        /// The column in it.
        column: usize,
    },
}

impl Record {
    /// Parses a body. The two forms have different tags, so no body is both.
    #[must_use]
    pub fn parse(body: &str) -> Self {
        let error = match serde_json::from_str::<Job>(body) {
            Ok(job) => return Self::Job(Box::new(job)),
            Err(error) => error,
        };
        match serde_json::from_str::<Queued>(body) {
            Ok(queued) => Self::PlatformEvent(Box::new(queued)),
            // serde's error message may quote the body. The position does not.
            Err(_) => Self::Unreadable { line: error.line(), column: error.column() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_record_shows_its_queue() {
        let event = r#"{"job":"event.1","site":"demo","received_at":"2026-11-22T09:15:00Z","event":{}}"#;
        let message = r#"{"job":"message.1","site":"demo","event":"e-1","mapping":"m","recipient":"C1"}"#;
        for body in [event, message] {
            assert!(matches!(Record::parse(body), Record::Job(job) if job.site().as_str() == "demo"), "{body}");
        }
        let number =
            r#"{"notice":"number.1","site":"demo","phone_number_id":"1","from":"393401234567","to":"393407654321"}"#;
        let put_back = number.replace('}', r#","put_back_since":"2026-11-22T09:16:00Z"}"#);
        for body in [number, &put_back] {
            assert!(matches!(Record::parse(body), Record::PlatformEvent(_)), "{body}");
        }
    }

    #[test]
    fn a_body_of_another_form_has_the_position_of_its_fault() {
        for body in ["", "{}", "not a record", r#"{"job":"event.9"}"#, r#"{"notice":"word.9"}"#] {
            assert!(matches!(Record::parse(body), Record::Unreadable { .. }), "{body}");
        }
        assert!(matches!(Record::parse("{\n  x"), Record::Unreadable { line: 2, column: 3 }));
    }
}
