//! `bridge preview`: the plan, decision, text and request body that the functions would produce, without sending.

use std::path::Path;

use domain::check::check;
use domain::decision::context::DecisionContext;
use domain::decision::plan::{PlannedMessage, plan};
use domain::decision::render::{ButtonValue, FilledButton, FilledHeader};
use domain::decision::{Halt, Outgoing, decide};
use domain::event::Event;
use domain::mapping::Mapping;
use domain::message::suppression::ContactData;
use domain::primitives::id::{EventId, MappingId, ObjectId, SiteId};
use domain::primitives::key::{MessageId, event_key, message_key};
use domain::primitives::phone::Phone;
use domain::site::config::{Account, LiveConfig, Site};
use domain::template::{Button, Content, Template};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use texts::Texts;

use crate::args::{self, Common};
use crate::document;
use crate::failure::Failure;
use crate::mapping;
use crate::output::{Output, wrapped};
use crate::stack::{self, Stack};
use crate::yaml;

/// The decision for one recipient, or for the whole event.
struct Decision {
    mapping: Option<MappingId>,
    recipient: Option<ObjectId>,
    outcome: Result<Sendable, Halt>,
}

/// A message that would be sent.
struct Sendable {
    header: Option<String>,
    text: String,
    /// The filled buttons by their position: a whole URL, a payload or a code.
    buttons: Vec<(u8, String)>,
    request: Value,
}

pub(crate) async fn run(
    command: &args::Preview,
    common: &Common,
    stack: Result<Stack, Failure>,
    output: Output,
) -> Result<(), Failure> {
    let only_files = is_file(&command.mapping) && is_file(&command.event) && command.template.is_some();
    let stack = match stack {
        Err(Failure::Unreachable(_)) if only_files && common.stack.is_none() => None,
        opened => Some(opened?),
    };
    let mut live = match &stack {
        Some(stack) => stack.live().await?,
        None => unset(common)?,
    };
    let given = match &stack {
        Some(stack) if !is_file(&command.mapping) => Some(mapping::find(&command.mapping, stack).await?),
        _ => None,
    };
    let template = command.template.as_deref().map(read_template).transpose()?;
    if let Some(template) = &template {
        put_template(&mut live, given.as_ref(), template);
    }
    let mut mapping = match given {
        Some(mapping) => mapping,
        None => mapping_of_file(Path::new(&command.mapping), &live, output)?,
    };
    if let Some(template) = &template {
        // Preview the mapping as if it had been checked against this template.
        for used in mapping.templates.values_mut().filter(|used| is_of(used, template)) {
            used.fingerprint.clone_from(&template.fingerprint);
        }
        mapping.needs_review = None;
    }
    let (event, now) = read_event(&command.event, stack.as_ref()).await?;
    same_type(&mapping, &event)?;
    mapping.enabled = true;
    // An event counts as if it had just happened, and a new mapping begins in the present.
    mapping.active_since = Timestamp::MIN;
    live.mappings = vec![mapping];
    let decisions = decisions(&event, &live, stack.as_ref(), now).await?;
    let documents: Vec<Value> = decisions.iter().map(as_document).collect();
    let zone = live.site.zone();
    output.say(&json!({"event": event.id, "decisions": documents}), |texts| words(&decisions, &zone, texts));
    Ok(())
}

/// Checks that the mapping is for events of this type.
fn same_type(mapping: &Mapping, event: &Event) -> Result<(), Failure> {
    if event.kind() == mapping.event_type {
        return Ok(());
    }
    let (id, wanted, found) = (mapping.id.as_str(), mapping.event_type.name(), event.kind().name());
    Err(Failure::usage(|texts| texts.other_event_type(id, wanted, found)))
}

/// Whether an argument names a file or standard input rather than an id.
fn is_file(argument: &str) -> bool {
    argument == "-" || Path::new(argument).is_file()
}

fn is_of(used: &domain::mapping::TemplateUse, template: &Template) -> bool {
    used.name == template.name && used.language == template.language
}

/// Returns a site with default settings, for a preview of files without a stack.
fn unset(common: &Common) -> Result<LiveConfig, Failure> {
    let site = common.site.as_deref().map_or_else(|| stack::site_id("site"), stack::site_id)?;
    let account: Account = serde_json::from_value(json!({
        "id": "account", "base_url": "https://example.com", "phone_number_id": "0", "waba_id": "0",
    }))
    .map_err(|error| Failure::internal(&error))?;
    let (mappings, templates, holds) = (Vec::new(), Vec::new(), Vec::new());
    Ok(LiveConfig { site: Site::new(site), accounts: vec![account], mappings, templates, holds })
}

fn read_template(file: &Path) -> Result<Template, Failure> {
    let row = document::read_json(file)?;
    provider::read_template(&row)
        .map_err(|error| Failure::usage(|texts| texts.not_a_template(file.display().to_string(), error.to_string())))
}

/// Replaces the synced template: for the account that the mapping names, or for every account.
fn put_template(live: &mut LiveConfig, mapping: Option<&Mapping>, template: &Template) {
    let account = mapping.and_then(|mapping| mapping.account.as_ref());
    live.templates.retain(|(_, known)| known.name != template.name || known.language != template.language);
    let owners = live.accounts.iter().filter(|owner| account.is_none_or(|id| owner.id == *id));
    let templates: Vec<_> = owners.map(|owner| (owner.id.clone(), template.clone())).collect();
    live.templates.extend(templates);
}

/// Reads a mapping from a file. Ignores check findings, because the decision reports them too. Fails only if the file
/// contains no mapping.
fn mapping_of_file(file: &Path, live: &LiveConfig, output: Output) -> Result<Mapping, Failure> {
    let document = yaml::parse(&document::read_text(file)?)
        .map_err(|error| Failure::usage(|texts| texts.not_yaml(file.display().to_string(), error.as_str())))?;
    let checked = check(&document, live);
    checked.mapping.ok_or_else(|| {
        output.say(&mapping::document(&checked.findings), |texts| mapping::words(&checked.findings, texts));
        Failure::no(|texts| texts.file_without_mapping())
    })
}

/// Reads an event or an example, and returns it with its own `occurred_at` as the current time. A preview thus treats an old event as
/// if it had just happened.
pub(crate) async fn read_event(argument: &str, stack: Option<&Stack>) -> Result<(Event, Timestamp), Failure> {
    let document = match stack {
        _ if is_file(argument) => document::read_example(Path::new(argument))?,
        Some(stack) => {
            let id = EventId::parse(argument)
                .map_err(|error| Failure::usage(|texts| texts.wrong_id(texts.id_error(error))))?;
            let event = stack.ledger.event(stack.site()?, &id).await?;
            event.ok_or_else(|| Failure::no(|texts| texts.no_event_no_file(id.to_string())))?.document
        }
        None => return Err(Failure::usage(|texts| texts.no_such_file(argument))),
    };
    let at = document.get("occurred_at").and_then(Value::as_str).and_then(|text| text.parse().ok());
    let at: Timestamp = at.ok_or_else(|| Failure::usage(|texts| texts.no_occurred_at()))?;
    let event = Event::parse_any(document, at).map_err(|error| Failure::usage(|texts| texts.event_error(&error)))?;
    Ok((event, at))
}

async fn decisions(
    event: &Event,
    live: &LiveConfig,
    stack: Option<&Stack>,
    now: Timestamp,
) -> Result<Vec<Decision>, Failure> {
    let plan = plan(event, live);
    let mut decisions = Vec::new();
    for planned in plan.messages {
        let contact = known(event, &planned, live, stack).await?;
        let known = DecisionContext { contact, ..DecisionContext::default() };
        let outcome = decide(event, &planned, live, &known, now).map(|outgoing| {
            let opaque = message_id(&live.site.id, event, &planned).to_string();
            Sendable {
                header: outgoing.header.as_ref().map(header_text),
                text: outgoing.body.text.clone(),
                buttons: outgoing
                    .buttons
                    .iter()
                    .map(|button| (button.index, button_text(button, &outgoing, live)))
                    .collect(),
                request: provider::send_body(&outgoing, &opaque),
            }
        });
        decisions.push(Decision { mapping: Some(planned.mapping), recipient: Some(planned.recipient), outcome });
    }
    decisions.extend(plan.skips.into_iter().map(|planned| Decision {
        mapping: planned.mapping,
        recipient: planned.recipient,
        outcome: Err(planned.skip.into()),
    }));
    Ok(decisions)
}

/// Reads the contact data that the decision needs; empty without a stack or a valid number.
async fn known(
    event: &Event,
    planned: &PlannedMessage,
    live: &LiveConfig,
    stack: Option<&Stack>,
) -> Result<ContactData, Failure> {
    let (Some(stack), Some(person)) = (stack, event.recipient(&planned.recipient)) else {
        return Ok(ContactData::default());
    };
    let country = live.site.country(person.country.as_deref());
    let Ok(phone) = Phone::parse(person.phone.as_deref().unwrap_or_default(), country) else {
        return Ok(ContactData::default());
    };
    let contact = stack.contact(live, &phone).await?;
    let person = stack.contact_secret().await?.person_key(&live.site.id, &person.id);
    Ok(stack.contacts.known(&contact, &person).await?)
}

fn message_id(site: &SiteId, event: &Event, planned: &PlannedMessage) -> MessageId {
    let message = message_key(&planned.mapping, &planned.recipient, 1);
    MessageId { event: event_key(site, &event.id), message }
}

fn header_text(header: &FilledHeader) -> String {
    match header {
        FilledHeader::Text(filled) => filled.text.clone(),
        FilledHeader::Image(link) | FilledHeader::Video(link) => link.clone(),
        FilledHeader::Document { link, filename } => format!("{filename}, {link}"),
    }
}

/// Returns the value of a button, with the template's part of a URL.
fn button_text(button: &FilledButton, outgoing: &Outgoing<'_>, live: &LiveConfig) -> String {
    let template = live.template(&outgoing.account.id, outgoing.template, outgoing.language);
    let defined = match template.map(|template| &template.content) {
        Some(Content::Usable(parts)) => parts.buttons.get(usize::from(button.index)),
        _ => None,
    };
    match (&button.value, defined) {
        (ButtonValue::Suffix(end), Some(Button::UrlWithSuffix { base, .. })) => format!("{base}{end}"),
        (ButtonValue::Suffix(value) | ButtonValue::Payload(value) | ButtonValue::Code(value), _) => value.clone(),
    }
}

/// Formats the parts of a message, one below the other.
fn message_words(message: &Sendable, texts: &Texts) -> String {
    let mut words = String::new();
    if let Some(header) = &message.header {
        words += &wrapped(&texts.template_header(header.as_str()), 4);
    }
    words += &wrapped(&message.text, 4);
    for (index, value) in &message.buttons {
        words += &wrapped(&texts.preview_button(*index, value.as_str()), 4);
    }
    words
}

fn as_document(decision: &Decision) -> Value {
    let (word, reason, detail) = match &decision.outcome {
        Ok(_) => ("send", None, ""),
        Err(Halt::Skip(skip)) => ("skip", Some(skip.reason.to_string()), skip.detail.as_str()),
        Err(Halt::Wait { waiting, .. }) => ("wait", Some(waiting.why.to_string()), waiting.detail.as_str()),
    };
    let detail = Some(detail).filter(|detail| !detail.is_empty());
    let sendable = decision.outcome.as_ref().ok();
    json!({
        "mapping": decision.mapping, "recipient": decision.recipient, "decision": word, "reason": reason,
        "detail": detail, "text": sendable.map(|message| &message.text),
        "request": sendable.map(|message| &message.request),
    })
}

fn words(decisions: &[Decision], zone: &TimeZone, texts: &Texts) -> String {
    if decisions.is_empty() {
        return texts.preview_nobody();
    }
    let one = |decision: &Decision| {
        let name = |id: Option<&str>| id.map_or_else(|| texts.everyone(), str::to_owned);
        let recipient = name(decision.recipient.as_ref().map(ObjectId::as_str));
        let mapping = name(decision.mapping.as_ref().map(MappingId::as_str));
        match &decision.outcome {
            Ok(message) => {
                let head = texts.would_send();
                format!("{mapping} → {recipient}: {head}\n{}", message_words(message, texts))
            }
            Err(Halt::Wait { waiting, .. }) => {
                let head = texts.would_wait();
                let why = format!("{} {}", texts.wait_reason(waiting.why), waiting.detail);
                format!("{mapping} → {recipient}: {head} ({})\n{}", waiting.why, wrapped(&why, 4))
            }
            Err(Halt::Skip(skip)) => {
                let head = texts.would_skip();
                let why = texts.skip(skip.reason, &skip.detail, zone);
                format!("{mapping} → {recipient}: {head} ({})\n{}", skip.reason, wrapped(&why, 4))
            }
        }
    };
    decisions.iter().map(one).collect()
}
