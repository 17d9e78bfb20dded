//! `POST /v1/events/batch`: several events, with one result per event.

use domain::event::Event;
use domain::primitives::json::Fault;
use domain::queue::job::Job;
use http::StatusCode;
use jiff::SignedDuration;
use lambda_http::Request;
use runtime::metrics::Metric;
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::{Admitted, App, BATCH_BYTES_MAX, EVENT_BYTES_MAX, admit, trace_of};

/// Maximum number of events per batch.
const BATCH_EVENTS_MAX: usize = 100;

/// The result of one event of a batch.
enum Outcome {
    Accepted,
    Refused(Problem),
    Failed(Problem),
}

pub(crate) async fn handle(app: &App, request: &Request) -> Result<(StatusCode, Value), Problem> {
    let now = app.clock.now();
    let Admitted { site, key_id, mut document } = admit(app, request, BATCH_BYTES_MAX, now).await?;
    let events = match document.get_mut("events").map(Value::take) {
        Some(Value::Array(events)) if (1..=BATCH_EVENTS_MAX).contains(&events.len()) => events,
        _ => {
            let detail = format!("must be a list of 1 to {BATCH_EVENTS_MAX} events");
            return Err(Problem::invalid(vec![Fault { pointer: "/events".to_owned(), detail }]));
        }
    };
    let ids: Vec<Option<String>> = events.iter().map(|event| event["id"].as_str().map(str::to_owned)).collect();
    let parsed: Vec<Result<Event, Problem>> = events.into_iter().map(|event| parse(event, now)).collect();
    let trace = trace_of(request);
    let jobs: Vec<Job> = parsed
        .iter()
        .flatten()
        .zip(0..)
        .map(|(event, place)| {
            // The events get increasing times. Of two events with the same second, the later one in the list is
            // therefore the newer.
            let received_at = now + SignedDuration::from_micros(place);
            Job::event(site.clone(), received_at, event.document.clone()).traced(trace.clone())
        })
        .collect();
    let mut queued = app.queue.send_all(&jobs).await.into_iter();
    let outcomes: Vec<Outcome> = parsed
        .into_iter()
        .map(|event| match event {
            Err(problem) => Outcome::Refused(problem),
            Ok(_) => match queued.next() {
                Some(Ok(())) => Outcome::Accepted,
                Some(Err(error)) => Outcome::Failed(Problem::not_queued(&error)),
                None => Outcome::Failed(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-queued", "Send it again.")),
            },
        })
        .collect();
    app.limits.count(&key_id, accepted(&outcomes), now).await;
    app.metrics.count(Metric::EventsAccepted, accepted(&outcomes));
    tracing::info!(%site, events = outcomes.len(), accepted = accepted(&outcomes), "took a batch");
    // If no event was accepted, the request itself is refused and counted.
    let answer = answer(&outcomes, &ids)?;
    for outcome in &outcomes {
        if let Outcome::Refused(problem) | Outcome::Failed(problem) = outcome {
            app.metrics.count_by(Metric::EventsRefused, problem.kind());
        }
    }
    Ok(answer)
}

fn parse(event: Value, now: jiff::Timestamp) -> Result<Event, Problem> {
    let bytes = event.to_string().len();
    if bytes > EVENT_BYTES_MAX {
        let detail = format!("The event has {bytes} bytes; at most {EVENT_BYTES_MAX} are taken.");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &detail));
    }
    Event::parse(event, now).map_err(Problem::of_event)
}

fn accepted(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted)).count()
}

/// Returns 202 if any event was enqueued, 422 if none was valid, and 503 if SQS accepted none of the valid ones.
fn answer(outcomes: &[Outcome], ids: &[Option<String>]) -> Result<(StatusCode, Value), Problem> {
    let results: Vec<Value> = outcomes
        .iter()
        .zip(ids)
        .enumerate()
        .map(|(index, (outcome, id))| {
            let (status, problem) = match outcome {
                Outcome::Accepted => ("accepted", None),
                Outcome::Refused(problem) => ("refused", Some(problem)),
                Outcome::Failed(problem) => ("failed", Some(problem)),
            };
            let mut result = json!({"index": index, "id": id, "status": status});
            if let (Some(problem), Some(fields)) = (problem, result.as_object_mut()) {
                fields.insert("problem".to_owned(), problem.document());
            }
            result
        })
        .collect();
    if accepted(outcomes) > 0 {
        return Ok((StatusCode::ACCEPTED, json!({"results": results})));
    }
    let failed = outcomes.iter().find_map(|outcome| match outcome {
        Outcome::Failed(problem) => Some(problem.clone()),
        _ => None,
    });
    let problem = failed.unwrap_or_else(|| {
        let errors = outcomes.iter().enumerate().filter_map(|(index, outcome)| match outcome {
            Outcome::Refused(problem) => Some(problem.errors_below(&format!("/events/{index}"))),
            _ => None,
        });
        Problem::invalid(errors.flatten().collect())
    });
    Err(problem.with("results", json!(results)))
}
