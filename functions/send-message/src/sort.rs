//! Sorts the records of the function: jobs to process, and dead letters of either queue.

use aws_lambda_events::event::sqs::SqsMessage;
use domain::primitives::id::SiteId;
use domain::queue::Record;
use domain::queue::job::Job;
use store::ledger::DeadQueue;

/// The cause of every dead letter that a dead-letter queue delivers.
pub(crate) const GIVEN_UP: &str = "SQS gave up: the record was received too often";
/// The attribute of a record in a dead-letter queue with the ARN of the queue that it came from.
const SOURCE_ATTRIBUTE: &str = "DeadLetterQueueSourceArn";

/// The ARNs by which the function recognises a dead letter and its queue.
#[derive(Clone, Debug)]
pub(crate) struct Arns {
    /// The dead-letter queue of both queues.
    pub(crate) dead_queue: String,
    pub(crate) statuses_queue: String,
}

/// A record, by what must happen to it.
#[derive(Debug)]
pub(crate) enum Sorted {
    /// A job of the events queue.
    Job(Job),
    /// A job that SQS gave up.
    DeadJob(Job),
    /// A record that this function cannot process.
    Dead { queue: DeadQueue, site: Option<SiteId>, cause: String },
}

impl Arns {
    /// Sorts a record by its source and its form.
    pub(crate) fn sort(&self, record: &SqsMessage) -> Sorted {
        let is_dead = record.event_source_arn.as_ref() == Some(&self.dead_queue);
        let cause = |other: String| if is_dead { GIVEN_UP.to_owned() } else { other };
        match Record::parse(record.body.as_deref().unwrap_or_default()) {
            Record::Job(job) if is_dead => Sorted::DeadJob(*job),
            Record::Job(job) => Sorted::Job(*job),
            Record::PlatformEvent(queued) => Sorted::Dead {
                queue: DeadQueue::Statuses,
                site: Some(queued.platform_event.site().clone()),
                cause: cause("the record is a platform event, not a job".to_owned()),
            },
            Record::Unreadable { line, column } => Sorted::Dead {
                queue: self.source_of(record),
                site: None,
                cause: cause(format!("the record is not a job (line {line}, column {column})")),
            },
        }
    }

    /// Returns the queue of an unreadable record: the one that SQS names, otherwise the events queue. SQS names none if a
    /// person moved the record into the dead-letter queue.
    fn source_of(&self, record: &SqsMessage) -> DeadQueue {
        let from_statuses = record.attributes.get(SOURCE_ATTRIBUTE) == Some(&self.statuses_queue);
        if from_statuses { DeadQueue::Statuses } else { DeadQueue::Events }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = r#"{"job":"message.1","site":"demo","event":"e-1","mapping":"m","recipient":"C1"}"#;
    const STOP: &str = r#"{"notice":"word.1","site":"demo","phone_number_id":"1","from":"393401234567","at":"2026-11-22T09:15:00Z","word":"stop"}"#;

    fn sorted(body: &str, queue: &str, came_from: Option<&str>) -> Sorted {
        let arns = Arns { dead_queue: "arn:dead".to_owned(), statuses_queue: "arn:statuses".to_owned() };
        let mut record = SqsMessage::default();
        record.body = Some(body.to_owned());
        record.event_source_arn = Some(queue.to_owned());
        record.attributes.extend(came_from.map(|arn| (SOURCE_ATTRIBUTE.to_owned(), arn.to_owned())));
        arns.sort(&record)
    }

    fn dead(sorted: Sorted) -> (DeadQueue, Option<String>, String) {
        let Sorted::Dead { queue, site, cause } = sorted else { panic!("{sorted:?}") };
        (queue, site.map(|site| site.to_string()), cause)
    }

    #[test]
    fn a_job_is_dead_only_in_the_dead_letter_queue() {
        assert!(matches!(sorted(JOB, "arn:events", None), Sorted::Job(_)));
        for came_from in [None, Some("arn:events"), Some("arn:statuses")] {
            assert!(matches!(sorted(JOB, "arn:dead", came_from), Sorted::DeadJob(_)));
        }
    }

    /// The form is certain. SQS may not know the source of a record, and a person may move a record.
    #[test]
    fn the_form_of_a_dead_letter_goes_before_its_source() {
        for came_from in [None, Some("arn:events"), Some("arn:statuses")] {
            let found = dead(sorted(STOP, "arn:dead", came_from));
            assert_eq!(found, (DeadQueue::Statuses, Some("demo".to_owned()), GIVEN_UP.to_owned()));
        }
        let (queue, site, cause) = dead(sorted(STOP, "arn:events", None));
        assert_eq!((queue, site.as_deref()), (DeadQueue::Statuses, Some("demo")));
        assert_eq!(cause, "the record is a platform event, not a job");
    }

    #[test]
    fn an_unreadable_dead_letter_keeps_its_source() {
        let sources = [
            (None, DeadQueue::Events),
            (Some("arn:events"), DeadQueue::Events),
            (Some("arn:other"), DeadQueue::Events),
            (Some("arn:statuses"), DeadQueue::Statuses),
        ];
        for (came_from, queue) in sources {
            assert_eq!(dead(sorted("no record", "arn:dead", came_from)), (queue, None, GIVEN_UP.to_owned()));
        }
        let (queue, _, cause) = dead(sorted("no record", "arn:events", None));
        assert_eq!((queue, cause.as_str()), (DeadQueue::Events, "the record is not a job (line 1, column 2)"));
    }
}
