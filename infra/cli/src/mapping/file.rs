//! Writes the commented file of a new mapping.
//!
//! A gap without a proposed variable gets an empty text, which `mapping check` reports until a person fills it.

use domain::check::ButtonKind;
use domain::event::EventType;
use domain::primitives::id::AccountId;
use domain::proposal::{ButtonGap, Gap, HeaderGap, propose};
use domain::template::variable::Definition;
use domain::template::{Media, Parts, Placeholder, Template};
use jiff::Timestamp;
use serde_json::Value;
use texts::Texts;

/// A new mapping.
pub(super) struct NewMapping<'a> {
    pub(super) id: &'a str,
    pub(super) event: EventType,
    /// The account, unless it is the site's default.
    pub(super) account: Option<&'a AccountId>,
    /// Earlier events are not notified.
    pub(super) active_since: Timestamp,
    pub(super) uses: Vec<Used<'a>>,
}

/// A template in one language.
pub(super) struct Used<'a> {
    pub(super) template: &'a Template,
    pub(super) parts: &'a Parts,
}

/// Writes the file.
pub(super) fn write(mapping: &NewMapping<'_>, texts: &Texts) -> String {
    let mut file = File { lines: Vec::new(), texts };
    file.head(mapping);
    file.conditions(mapping.event);
    file.put(0, "templates:");
    for used in &mapping.uses {
        file.template(used, mapping.event);
    }
    file.lines.join("\n") + "\n"
}

struct File<'a> {
    lines: Vec<String>,
    texts: &'a Texts,
}

impl File<'_> {
    fn put(&mut self, indent: usize, line: &str) {
        self.lines.push(format!("{}{line}", " ".repeat(indent)));
    }

    /// Adds a comment. Control characters and line breaks of foreign text would end it.
    fn note(&mut self, indent: usize, text: &str) {
        let line = format!("# {}", one_line(text));
        self.put(indent, line.trim_end());
    }

    fn head(&mut self, mapping: &NewMapping<'_>) {
        let template = mapping.uses.first().map(|used| used.template.name.as_str()).unwrap_or_default();
        self.note(0, &self.texts.new_mapping_title(template, mapping.event.name()));
        self.note(0, &self.texts.new_mapping_steps());
        self.put(0, "");
        self.put(0, &format!("id: {}", quoted(mapping.id)));
        self.put(0, &format!("name: {}", quoted(&title(template))));
        self.put(0, &format!("event_type: {}", mapping.event));
        self.put(0, "enabled: true");
        self.note(0, &self.texts.new_mapping_active_since());
        self.put(0, &format!("active_since: {}", mapping.active_since.strftime("%Y-%m-%dT%H:%M:%SZ")));
        if let Some(account) = mapping.account {
            self.put(0, &format!("account: {}", quoted(account.as_str())));
        }
    }

    /// Adds the optional fields of the event type as comments.
    fn conditions(&mut self, event: EventType) {
        self.note(0, &self.texts.new_mapping_conditions());
        let of_event: &[&str] = match event {
            EventType::OrderStatusChanged => &["order_statuses: [EVASO]", "min_total: \"10.00\"", "hold_for: 5m"],
            EventType::CartAbandoned => &["min_total: \"10.00\"", "cart_interval: 180"],
            EventType::ActivityStatusChanged => &["recipient_rule: other_party"],
            EventType::FileUploaded | EventType::FileDownloaded | EventType::FilePreviewed => &["hold_for: 10m"],
            _ => &[],
        };
        for line in of_event.iter().chain(&["groups: [Clienti web]", "useful_for: 1d"]) {
            self.note(0, line);
        }
    }

    fn template(&mut self, used: &Used<'_>, event: EventType) {
        let proposal = propose(event, used.parts);
        let language = used.template.language.as_str();
        self.put(2, &format!("{language}:"));
        self.put(4, &format!("name: {}", quoted(&used.template.name)));
        self.put(4, &format!("language: {language}"));
        if let Some(header) = &proposal.header {
            self.header(header, event, language);
        }
        self.note(4, &String::from(used.parts.body.clone()));
        if proposal.body.is_empty() {
            self.put(4, "body: {}");
        } else {
            self.put(4, "body:");
        }
        for (placeholder, gap) in &proposal.body {
            self.placeholder(6, placeholder, gap, language);
        }
        self.buttons(&proposal.buttons, language);
    }

    fn header(&mut self, header: &HeaderGap, event: EventType, language: &str) {
        match header {
            HeaderGap::Text(placeholder, gap) => {
                self.put(4, "header:");
                self.put(6, "text:");
                self.placeholder(8, placeholder, gap, language);
            }
            HeaderGap::Media(media, gap) => {
                self.note(4, &self.texts.new_mapping_media());
                self.put(4, "header:");
                self.put(6, &format!("{media}:"));
                self.value(8, "link", gap, language);
                if *media == Media::Document {
                    let name = domain::template::variable::Variable::of("file.name").map(|one| one.definition());
                    let variable = name.filter(|definition| definition.events.contains(&event));
                    self.value(8, "filename", &Gap { variable, example: None }, language);
                }
            }
        }
    }

    fn placeholder(&mut self, indent: usize, placeholder: &Placeholder, gap: &Gap, language: &str) {
        self.value(indent, &placeholder.to_string(), gap, language);
    }

    /// Adds a value with its comment.
    fn value(&mut self, indent: usize, name: &str, gap: &Gap, language: &str) {
        self.note(indent, &self.remark(gap));
        // A name such as `no` or `1e3` would be another type without quotes.
        let name = if name.bytes().all(|byte| byte.is_ascii_digit()) { name.to_owned() } else { quoted(name) };
        self.put(indent, &format!("{name}: {}", source(gap, language)));
    }

    /// Returns the comment of a gap: the variable's label or that it must be filled, and the template's example.
    fn remark(&self, gap: &Gap) -> String {
        let what = match gap.variable {
            Some(variable) => self.texts.new_mapping_guess(variable.italian_label),
            None => self.texts.new_mapping_fill(),
        };
        match &gap.example {
            Some(example) => format!("{what} {}", self.texts.new_mapping_example(example.as_str())),
            None => what,
        }
    }

    /// Adds the buttons. The payload of a quick reply is optional and stays a comment.
    fn buttons(&mut self, buttons: &[ButtonGap], language: &str) {
        let has_required = buttons.iter().any(|button| button.kind != ButtonKind::Payload);
        if has_required {
            self.put(4, "buttons:");
        }
        for button in buttons {
            let kind = button.kind.field();
            if button.kind == ButtonKind::Payload {
                let value = format!("{}: {{ {kind}: {{ text: \"ok\" }} }}", button.index);
                let indent = if has_required { 6 } else { 4 };
                self.note(indent, &self.texts.new_mapping_payload(button.label.as_str()));
                self.note(indent, &if has_required { value } else { format!("buttons: {{ {value} }}") });
                continue;
            }
            let value = source(&button.gap, language);
            let target = button.base.as_ref().map(|base| format!("{base}{{{{1}}}}")).unwrap_or_default();
            self.note(6, &self.texts.new_mapping_button(button.label.as_str(), target));
            self.note(6, &self.remark(&button.gap));
            self.put(6, &format!("{}: {{ {kind}: {value} }}", button.index));
        }
    }
}

/// Returns the value of a gap: its variable, or an empty text that a person must fill.
fn source(gap: &Gap, language: &str) -> String {
    let Some(variable) = gap.variable else { return "{ text: \"\" }".to_owned() };
    match default(variable, language) {
        Some(default) => format!("{{ variable: {}, default: {default} }}", variable.id),
        None => format!("{{ variable: {} }}", variable.id),
    }
}

/// Returns a default for the name of a person, which companies and guests may lack.
fn default(variable: &Definition, language: &str) -> Option<&'static str> {
    let is_name = variable.id.ends_with("full_name") || variable.id.ends_with("first_name");
    let is_italian = language.split('_').next() == Some("it");
    is_name.then_some(if is_italian { "cliente" } else { "customer" })
}

/// Returns `Ordine spedito` for `ordine_spedito`.
fn title(template: &str) -> String {
    let words = template.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Quotes a text. JSON strings are YAML.
fn quoted(text: &str) -> String {
    Value::String(one_line(text)).to_string()
}

/// Replaces the characters that YAML reads as a line break or refuses.
fn one_line(text: &str) -> String {
    let blank = |letter: char| {
        letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    text.chars().map(|letter| if blank(letter) { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests;
