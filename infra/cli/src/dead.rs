//! `bridge dead`: dead letters, the records that could not be processed.

use domain::queue::Record;
use domain::queue::platform_event::Queued;
use jiff::tz::TimeZone;
use queue::NotQueued;
use serde_json::{Value, json};
use store::ledger::{DeadQueue, KeptBody, KeptLetter};
use texts::Texts;

use crate::args;
use crate::days::dates;
use crate::failure::Failure;
use crate::output::{Output, wrapped};
use crate::stack::Stack;

pub(crate) async fn run(command: args::Dead, stack: &Stack, output: Output) -> Result<(), Failure> {
    match command {
        args::Dead::List { days } => list(days, stack, output).await,
        args::Dead::Redrive { id, days, .. } => redrive(id.as_deref(), days, stack, output).await,
    }
}

/// Returns the dead letters of the last days, oldest first: those of the site and those without a site.
async fn letters(count: u16, stack: &Stack) -> Result<Vec<KeptLetter>, Failure> {
    let site = stack.site()?;
    let mut letters = Vec::new();
    for day in dates(stack.clock.now(), count) {
        letters.extend(stack.ledger.kept_letters(Some(site), day).await?);
        letters.extend(stack.ledger.kept_letters(None, day).await?);
    }
    letters.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
    Ok(letters)
}

async fn list(count: u16, stack: &Stack, output: Output) -> Result<(), Failure> {
    let letters = letters(count, stack).await?;
    let documents: Vec<Value> = letters.iter().map(as_document).collect();
    let zone = stack.zone().await?;
    output.say(&json!({"dead_letters": documents}), |texts| {
        if letters.is_empty() {
            return texts.dead_none();
        }
        letters.iter().map(|letter| words(letter, &zone, texts)).collect()
    });
    Ok(())
}

fn as_document(letter: &KeptLetter) -> Value {
    let body = match letter.body {
        KeptBody::Whole(_) => "whole",
        KeptBody::Cut => "cut",
        KeptBody::Erased => "erased",
    };
    json!({
        "id": letter.id, "queue": letter.queue.name(), "site": letter.site, "cause": letter.cause, "at": letter.at,
        "body": body, "redriven_at": letter.redriven_at,
    })
}

fn words(letter: &KeptLetter, zone: &TimeZone, texts: &Texts) -> String {
    let mut lines = vec![letter.cause.clone()];
    lines.extend(letter.redriven_at.map(|at| texts.dead_put_back(texts.moment(at, zone))));
    lines.extend(obstacle(letter, texts));
    let lines: String = lines.iter().map(|line| wrapped(line, 4)).collect();
    let site = letter.site.as_ref().map_or("-", |site| site.as_str());
    format!("{}  {}  {site}  {}\n{lines}", letter.id, letter.queue.name(), texts.moment(letter.at, zone))
}

/// Returns why a letter can never be put back, if so.
fn obstacle(letter: &KeptLetter, texts: &Texts) -> Option<String> {
    match letter.body {
        KeptBody::Whole(_) => None,
        KeptBody::Cut => Some(texts.dead_cut()),
        KeptBody::Erased => Some(texts.dead_erased()),
    }
}

/// Puts one letter back, or every letter that can be and was not yet. Marks each letter after SQS accepted it.
async fn redrive(id: Option<&str>, count: u16, stack: &Stack, output: Output) -> Result<(), Failure> {
    let letters = letters(count, stack).await?;
    let chosen: Vec<&KeptLetter> = match id {
        None => letters.iter().filter(|letter| letter.redriven_at.is_none()).collect(),
        Some(id) => {
            let letter = letters.iter().find(|letter| letter.id == id);
            let letter = letter.ok_or_else(|| Failure::no(|texts| texts.dead_unknown(id, count)))?;
            if let Some(at) = letter.redriven_at {
                return Err(Failure::no(|texts| texts.dead_redriven_before(at.to_string())));
            }
            vec![letter]
        }
    };
    let (mut redriven, mut left) = (Vec::new(), Vec::new());
    for letter in chosen {
        let KeptBody::Whole(body) = &letter.body else {
            left.push(letter);
            continue;
        };
        put_back(letter, body, stack).await.map_err(|error| Failure::aws(&error))?;
        stack.ledger.mark_redriven(letter, stack.clock.now()).await?;
        redriven.push(letter);
    }
    let ids = |letters: &[&KeptLetter]| letters.iter().map(|letter| letter.id.clone()).collect::<Vec<_>>();
    output.say(&json!({"redriven": ids(&redriven), "cannot": ids(&left)}), |texts| {
        let head = texts.dead_redriven();
        let left = left
            .iter()
            .map(|letter| wrapped(&format!("{}: {}", letter.id, obstacle(letter, texts).unwrap_or_default()), 0));
        format!("{head}: {}\n{}", redriven.len(), left.collect::<String>())
    });
    if left.is_empty() { Ok(()) } else { Err(Failure::no(|texts| texts.dead_some_cannot())) }
}

/// Puts a record back into the queue that can process it. An unreadable body returns unchanged to the letter's own queue,
/// because a newer version may understand it. The period of tries begins again.
///
/// The form decides, because versions with two dead-letter queues recorded every letter of the shared one under `events`.
async fn put_back(letter: &KeptLetter, body: &str, stack: &Stack) -> Result<(), NotQueued> {
    match Record::parse(body) {
        Record::Job(job) => stack.queue.send(&job.redriven(stack.clock.now())).await,
        Record::PlatformEvent(queued) => {
            stack.statuses.send_after(&Queued { put_back_since: None, ..*queued }, 0).await
        }
        Record::Unreadable { .. } => match letter.queue {
            DeadQueue::Events => stack.queue.send_body(body, letter.site.as_ref()).await,
            DeadQueue::Statuses => stack.statuses.send_body(body, letter.site.as_ref()).await,
        },
    }
}
