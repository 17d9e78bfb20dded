//! Checks a mapping before it is saved, and reports every problem with its place.
//!
//! Each field is first checked alone, then against the site's accounts and templates. A mapping that passes can be
//! sent, as far as can be determined in advance.

mod draft;
mod fixed;
mod problem;
mod wrong;

use serde_json::Value;

use crate::event::{EventType, Notification};
use crate::mapping::{ButtonUse, HeaderUse, Mapping, Source, ValueSource};
use crate::primitives::language::Language;
use crate::site::config::{Account, LiveConfig};
use crate::template::variable::counterpart;
use crate::template::{Button, Category, Content, Header, Parts, Pattern, Placeholder, Template, TemplateStatus};
use draft::{Draft, DraftUse, Notes, below};

pub use problem::{ButtonKind, Problem, Unfilled};
pub use wrong::Wrong;

/// A problem and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// JSON pointer into the mapping.
    pub path: String,
    /// The problem at that place.
    pub problem: Problem,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The mapping, with the fingerprints that the document omits; `None` if the document is not a mapping.
    pub mapping: Option<Mapping>,
    /// The problems, ordered by place.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// Whether the mapping may be saved.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.mapping.is_some() && self.findings.iter().all(|finding| finding.problem.is_warning())
    }
}

/// Conditions with the event types that can meet them.
const CONDITIONS: [(&str, &[EventType]); 7] = [
    ("order_statuses", &[EventType::OrderStatusChanged]),
    ("order_kinds", &[EventType::OrderStatusChanged]),
    ("min_total", &[EventType::OrderStatusChanged, EventType::CartAbandoned]),
    ("recipient_rule", &[EventType::ActivityStatusChanged]),
    ("cart_interval", &[EventType::CartAbandoned]),
    (
        "notify_actor",
        &[
            EventType::MessageSent,
            EventType::MessageRead,
            EventType::ActivityStatusChanged,
            EventType::ActivityAcknowledged,
            EventType::FileUploaded,
            EventType::FileDownloaded,
            EventType::FilePreviewed,
        ],
    ),
    (
        "hold_for",
        &[
            EventType::OrderStatusChanged,
            EventType::ActivityStatusChanged,
            EventType::FileUploaded,
            EventType::FileDownloaded,
            EventType::FilePreviewed,
        ],
    ),
];

/// Checks a mapping document against a site.
///
/// `config.templates` must contain all the site's templates, not only those in use.
#[must_use]
pub fn check(document: &Value, config: &LiveConfig) -> Checked {
    let mut notes = Notes::default();
    let draft = draft::read(document, &mut notes);
    if let Some(event) = draft.event {
        check_event(document, event, &mut notes);
    }
    let account = account(&draft, config, &mut notes);
    for used in &draft.uses {
        check_use(used, &draft, account, config, &mut notes);
    }
    let default = &config.site.default_language;
    let covers =
        |used: &DraftUse| used.key.as_ref().is_some_and(|key| key == default || key.as_str() == default.base());
    if !draft.uses.is_empty() && !draft.uses.iter().any(covers) {
        notes.add("/templates", Problem::NoDefaultLanguage(default.clone()));
    }
    let mut findings: Vec<Finding> =
        notes.problems.into_iter().map(|(path, problem)| Finding { path, problem }).collect();
    let whole = serde_json::from_value(with_fingerprints(document, &draft, account, config));
    if let Err(error) = &whole
        && findings.iter().all(|finding| finding.problem.is_warning())
    {
        findings.push(Finding { path: String::new(), problem: Problem::Wrong(Wrong::of(&error.to_string())) });
    }
    let mapping: Option<Mapping> = whole.ok();
    findings.extend(mapping.iter().flat_map(waits_in_vain));
    findings.sort_by(|one, other| one.path.cmp(&other.path));
    Checked { mapping, findings }
}

/// Finds holds that outlast the usefulness of every message, and quiet hours of zero length.
fn waits_in_vain(mapping: &Mapping) -> Vec<Finding> {
    let mut found = Vec::new();
    if mapping.hold_for.is_some_and(|hold_for| hold_for.duration() >= mapping.useful_for().duration()) {
        let problem = Problem::HeldTooLong(mapping.useful_for().to_string());
        found.push(Finding { path: "/hold_for".to_owned(), problem });
    }
    if mapping.quiet_hours.as_ref().is_some_and(|quiet| quiet.from == quiet.to) {
        found.push(Finding { path: "/quiet_hours/to".to_owned(), problem: Problem::NeverQuiet });
    }
    found
}

fn check_event(document: &Value, event: EventType, notes: &mut Notes) {
    if event.notification() == Notification::Never {
        notes.add("/event_type", Problem::NeverNotified(event));
    }
    for (condition, events) in CONDITIONS {
        if document.get(condition).is_some() && !events.contains(&event) {
            notes.add(below("", condition), Problem::NotOfThisEvent(event));
        }
    }
}

/// Returns the account that the mapping would send through.
fn account<'a>(draft: &Draft, config: &'a LiveConfig, notes: &mut Notes) -> Option<&'a Account> {
    let found = config.account_or_default(draft.account.as_ref());
    match found {
        None => {
            let wanted = draft.account.as_ref().or_else(|| config.default_account());
            notes.add("/account", Problem::UnknownAccount(wanted.map(ToString::to_string)));
        }
        Some(account) if !account.active => notes.add("/account", Problem::InactiveAccount(account.id.to_string())),
        Some(_) => {}
    }
    found
}

fn check_use(used: &DraftUse, draft: &Draft, account: Option<&Account>, config: &LiveConfig, notes: &mut Notes) {
    for (path, value) in &used.values {
        check_value(path, value, draft.event, notes);
        fixed::check(&used.path, path, value, notes);
    }
    if let Some(key) = used.key.as_ref().filter(|key| !key.is_offered()) {
        notes.add(used.path.as_str(), Problem::UnknownLanguage(key.clone()));
    }
    if let (Some(key), Some(language)) = (&used.key, &used.language)
        && key.base() != language.base()
    {
        notes.add(below(&used.path, "language"), Problem::OtherLanguage(language.clone()));
    }
    let (Some(account), Some(name), Some(language)) = (account, &used.name, &used.language) else { return };
    let Some(template) = config.template(&account.id, name, language) else {
        notes.add(below(&used.path, "name"), unknown_template(account, name, config));
        return;
    };
    check_template(used, template, notes);
    if let Content::Usable(parts) = &template.content {
        check_parts(used, parts, notes);
    }
}

fn check_value(path: &str, value: &ValueSource, event: Option<EventType>, notes: &mut Notes) {
    if let (Source::Variable(variable), Some(event)) = (&value.source, event)
        && !variable.definition().events.contains(&event)
    {
        let variable = variable.definition().id;
        let instead = counterpart(variable, event);
        notes.add(below(path, "variable"), Problem::VariableNotInEvent { variable, event, instead });
    }
}

fn unknown_template(account: &Account, name: &str, config: &LiveConfig) -> Problem {
    let listed = config.templates.iter().filter(|(owner, template)| *owner == account.id && template.name == name);
    let listed: Vec<Language> = listed.map(|(_, template)| template.language.clone()).collect();
    if listed.is_empty() {
        Problem::UnknownTemplate { name: name.to_owned(), account: account.id.to_string() }
    } else {
        Problem::UnknownTemplateLanguage { name: name.to_owned(), listed }
    }
}

/// Returns what prevents or restricts the use of a template, whatever the mapping.
#[must_use]
pub fn template_problems(template: &Template) -> Vec<Problem> {
    let status = match &template.status {
        TemplateStatus::Approved => None,
        TemplateStatus::Other(status) => Some(Problem::NotApproved(status.clone())),
    };
    let category = match &template.category {
        Category::Utility => None,
        Category::Marketing => Some(Problem::Marketing),
        Category::Other(category) => Some(Problem::CategoryRefused(category.clone())),
    };
    let content = match &template.content {
        Content::Usable(_) => None,
        Content::Unusable { why } => Some(Problem::Unusable(why.clone())),
    };
    [status, category, content].into_iter().flatten().collect()
}

/// Checks whether the template may be sent at all.
fn check_template(used: &DraftUse, template: &Template, notes: &mut Notes) {
    for problem in template_problems(template) {
        notes.add(below(&used.path, "name"), problem);
    }
    if used.fingerprint.as_ref().is_some_and(|fingerprint| *fingerprint != template.fingerprint) {
        notes.add(below(&used.path, "fingerprint"), Problem::TemplateChanged);
    }
}

/// Checks that each part that needs a value has one, and that each value has a part.
fn check_parts(used: &DraftUse, parts: &Parts, notes: &mut Notes) {
    check_placeholders(&below(&used.path, "body"), &parts.body, &used.body, notes);
    if let Some(header) = &used.header {
        check_header(&below(&used.path, "header"), parts.header.as_ref(), header.as_ref(), notes);
    }
    let path = below(&used.path, "buttons");
    for (index, given) in &used.buttons {
        let place = below(&path, &index.to_string());
        let button = parts.buttons.get(usize::from(*index));
        let Some(kind) = button.and_then(button_kind) else {
            notes.add(place, Problem::Superfluous);
            continue;
        };
        let fits = match given {
            Some(ButtonUse::Suffix(_)) => kind == ButtonKind::Suffix,
            Some(ButtonUse::Payload(_)) => kind == ButtonKind::Payload,
            Some(ButtonUse::Code(_)) => kind == ButtonKind::Code,
            None => true,
        };
        if !fits {
            notes.add(place, Problem::OtherButton(kind));
        }
    }
    for (index, button) in parts.buttons.iter().enumerate() {
        let must = button_kind(button).filter(|kind| *kind != ButtonKind::Payload);
        if let Some(kind) = must
            && !used.buttons.iter().any(|(given, _)| usize::from(*given) == index)
        {
            notes.add(below(&path, &index.to_string()), Problem::Unfilled(Unfilled::Button(kind)));
        }
    }
}

/// Returns the kind of value that a button takes; `None` if there is nothing to fill.
#[must_use]
pub fn button_kind(button: &Button) -> Option<ButtonKind> {
    match button {
        Button::UrlWithSuffix { .. } => Some(ButtonKind::Suffix),
        Button::QuickReply { .. } => Some(ButtonKind::Payload),
        Button::CopyCode { .. } => Some(ButtonKind::Code),
        Button::Url { .. } | Button::PhoneNumber { .. } => None,
    }
}

fn check_header(path: &str, header: Option<&Header>, given: Option<&HeaderUse>, notes: &mut Notes) {
    match (header, given) {
        (None, None) => {}
        (None, Some(_)) => notes.add(path, Problem::Superfluous),
        (Some(Header::Text { text }), None) => check_placeholders(&below(path, "text"), text, &[], notes),
        (Some(Header::Text { text }), Some(HeaderUse::Text(values))) => {
            let filled: Vec<Placeholder> = values.keys().cloned().collect();
            check_placeholders(&below(path, "text"), text, &filled, notes);
        }
        (Some(Header::Text { .. }), Some(_)) => notes.add(path, Problem::OtherHeader(None)),
        (Some(Header::Media { media }), None) => notes.add(path, Problem::Unfilled(Unfilled::Header(*media))),
        (Some(Header::Media { media }), Some(given)) => {
            if given.media() != Some(*media) {
                notes.add(path, Problem::OtherHeader(Some(*media)));
            }
        }
    }
}

fn check_placeholders(path: &str, pattern: &Pattern, filled: &[Placeholder], notes: &mut Notes) {
    let wanted = pattern.placeholders();
    for placeholder in wanted.iter().filter(|placeholder| !filled.contains(placeholder)) {
        notes.add(
            below(path, &placeholder.to_string()),
            Problem::Unfilled(Unfilled::Placeholder((*placeholder).clone())),
        );
    }
    for placeholder in filled.iter().filter(|placeholder| !wanted.contains(placeholder)) {
        notes.add(below(path, &placeholder.to_string()), Problem::Superfluous);
    }
}

/// Returns the mapping with the current fingerprint of every template where it names none. The fingerprint is empty if
/// the template does not exist.
fn with_fingerprints(document: &Value, draft: &Draft, account: Option<&Account>, config: &LiveConfig) -> Value {
    let mut document = document.clone();
    for used in draft.uses.iter().filter(|used| used.fingerprint.is_none()) {
        let template = match (account, &used.name, &used.language) {
            (Some(account), Some(name), Some(language)) => config.template(&account.id, name, language),
            _ => None,
        };
        let fingerprint = template.map(|template| template.fingerprint.clone()).unwrap_or_default();
        if let Some(fields) = document.pointer_mut(&used.path).and_then(Value::as_object_mut) {
            fields.insert("fingerprint".to_owned(), Value::String(fingerprint));
        }
    }
    document
}

#[cfg(test)]
mod tests;
