//! Import of suppressions and consents from a CSV file.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use csv::StringRecord;
use domain::message::suppression::{Scope, Source, Suppression};
use domain::primitives::id::SiteId;
use domain::primitives::key::ContactSecret;
use domain::primitives::phone::Phone;
use domain::site::config::Site;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use texts::Texts;

use super::COLUMNS;
use crate::ask;
use crate::failure::{Failure, Sentence};
use crate::output::Output;
use crate::progress;
use crate::stack::Stack;

/// Maximum size of the file, in bytes: about 300,000 lines.
const BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Length of a pseudonym, in characters.
const CONTACT_CHARS: usize = 64;

/// A valid line of the file.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    /// Line number in the file, from 1.
    number: u64,
    contact: String,
    /// Whether the line contains the phone number, not only a pseudonym.
    has_phone: bool,
    suppression: Option<Suppression>,
    consent: Option<bool>,
    unreachable_until: Option<Timestamp>,
}

/// An invalid line of the file.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Finding {
    /// Line number in the file, from 1.
    line: u64,
    message: Sentence,
}

/// The context in which lines are parsed.
struct Reading<'a> {
    site: &'a Site,
    secret: &'a ContactSecret,
    now: Timestamp,
}

/// How a file is imported.
#[derive(Clone, Copy)]
pub(super) struct Mode {
    /// Write nothing.
    pub(super) dry_run: bool,
    /// Write the valid lines even if others are wrong.
    pub(super) skip_wrong: bool,
    /// Accept pseudonyms that no table knows. A restored table may have lost them.
    pub(super) own_export: bool,
}

pub(super) async fn run(file: &Path, mode: Mode, stack: &Stack, output: Output) -> Result<(), Failure> {
    let site = stack.live().await?.site;
    let secret = stack.contact_secret().await?;
    let reading = Reading { site: &site, secret: &secret, now: stack.clock.now() };
    let (lines, mut findings) = reading.lines(&read(file)?)?;
    let (lines, strange) = of_site(lines, &site.id, mode.own_export, stack, output.texts).await?;
    findings.extend(strange);
    findings.sort_by_key(|finding| finding.line);
    let writes = !mode.dry_run && (findings.is_empty() || mode.skip_wrong);
    if writes {
        let progress = progress::bar(lines.len(), output.texts.lines_written());
        for line in &lines {
            write(line, &site, stack).await?;
            progress.inc(1);
        }
    }
    let written = if writes { lines.len() } else { 0 };
    let document = json!({"right": lines.len(), "written": written, "findings": findings});
    output.say(&document, |texts| {
        let wrong: String =
            findings.iter().map(|finding| texts.line(finding.line, finding.message.words(texts)) + "\n").collect();
        let count = texts.lines_imported(lines.len(), written);
        wrong + &count
    });
    if findings.is_empty() || writes { Ok(()) } else { Err(Failure::no(|texts| texts.nothing_written())) }
}

/// Separates the lines of this site from the others. A line with a pseudonym only belongs to the site if the site has
/// recorded something for it: a message, a suppression or a consent. Otherwise the pseudonym may be another site's,
/// unless the file is the site's own export.
async fn of_site(
    lines: Vec<Line>,
    site: &SiteId,
    own_export: bool,
    stack: &Stack,
    texts: &Texts,
) -> Result<(Vec<Line>, Vec<Finding>), Failure> {
    let pseudonyms: Vec<String> =
        lines.iter().filter(|line| !line.has_phone).map(|line| line.contact.clone()).collect();
    let sites = stack.contacts.sites(&pseudonyms).await?;
    let (mut own, mut strange) = (Vec::new(), Vec::new());
    let progress = progress::bar(lines.len(), texts.lines_checked());
    for line in lines {
        progress.inc(1);
        let wrong = match sites.get(&line.contact) {
            _ if line.has_phone => None,
            Some(known) if known == site => None,
            Some(_) => Some(Sentence::of(|texts| texts.contact_of_other_site())),
            None if own_export || stack.ledger.knows_contact(site, &line.contact).await? => None,
            None => Some(Sentence::of(|texts| texts.contact_not_known())),
        };
        match wrong {
            None => own.push(line),
            Some(message) => strange.push(Finding { line: line.number, message }),
        }
    }
    Ok((own, strange))
}

async fn write(line: &Line, site: &Site, stack: &Stack) -> Result<(), Failure> {
    if let Some(suppression) = &line.suppression {
        stack.contacts.suppress(&site.id, &line.contact, suppression).await?;
    }
    if let Some(consent) = line.consent {
        stack.contacts.put_consent(&site.id, &line.contact, consent).await?;
    }
    if let Some(until) = line.unreachable_until {
        stack.contacts.unreachable(&site.id, &line.contact, until).await?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(|texts| texts.file_error(file.display().to_string(), texts.io_error(&error)))
    };
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(unreadable)?)
    };
    let mut text = String::new();
    let bytes = source.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(bytes).is_ok_and(|bytes| bytes <= BYTES_MAX) {
        // Spreadsheets write a byte order mark first.
        Ok(text.trim_start_matches('\u{feff}').to_owned())
    } else {
        Err(Failure::usage(|texts| texts.file_too_long(file.display().to_string(), BYTES_MAX)))
    }
}

impl Reading<'_> {
    /// Parses the lines, and returns the valid ones and a finding for each invalid one.
    fn lines(&self, text: &str) -> Result<(Vec<Line>, Vec<Finding>), Failure> {
        let head = text.lines().next().unwrap_or_default();
        // Italian spreadsheets use semicolons.
        let delimiter = if head.contains(';') { b';' } else { b',' };
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader.delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
        let header =
            reader.headers().map_err(|error| Failure::usage(|texts| texts.not_csv(error.to_string())))?.clone();
        let columns = columns(&header)?;
        let (mut lines, mut findings) = (Vec::new(), Vec::new());
        for record in reader.records() {
            let position = match &record {
                Ok(record) => record.position(),
                Err(error) => error.position(),
            };
            let number = position.map_or(0, csv::Position::line);
            let read = match &record {
                Ok(record) => self.line(number, record, &columns),
                Err(error) => Err(Sentence::of(|texts| texts.not_csv(error.to_string()))),
            };
            match read {
                Ok(line) => lines.push(line),
                Err(message) => findings.push(Finding { line: number, message }),
            }
        }
        Ok((lines, findings))
    }

    fn line(&self, number: u64, record: &StringRecord, columns: &HashMap<&str, usize>) -> Result<Line, Sentence> {
        let cell = |name: &str| columns.get(name).and_then(|place| record.get(*place)).filter(|cell| !cell.is_empty());
        let moment = |name: &str| {
            let read = |text: &str| {
                text.parse::<Timestamp>().map_err(|_| Sentence::of(|texts| texts.not_a_timestamp(name, text)))
            };
            cell(name).map(read).transpose()
        };
        let scope = match cell("scope") {
            None => None,
            Some(name) => Some(Scope::parse(name).ok_or_else(|| Sentence::of(|texts| texts.not_a_scope(name)))?),
        };
        let source = match cell("source") {
            None => Source::Import,
            Some(name) => Source::parse(name).ok_or_else(|| Sentence::of(|texts| texts.not_a_source(name)))?,
        };
        let since = moment("since")?.unwrap_or(self.now);
        let reason = cell("reason").map(|reason| ask::words(reason, "reason")).transpose();
        let reason = reason.map_err(|error| error.sentence().clone())?.unwrap_or_default();
        let consent = match cell("consent").map(str::to_lowercase).as_deref() {
            None => None,
            Some("yes" | "sì" | "si") => Some(true),
            Some("no") => Some(false),
            Some(other) => return Err(Sentence::of(|texts| texts.not_a_consent(other))),
        };
        let line = Line {
            number,
            contact: self.contact(cell("phone"), cell("contact"))?,
            has_phone: cell("phone").is_some(),
            suppression: scope.map(|scope| Suppression { scope, source, since, reason }),
            consent,
            unreachable_until: moment("unreachable_until")?,
        };
        if line.suppression.is_none() && line.consent.is_none() && line.unreachable_until.is_none() {
            return Err(Sentence::of(|texts| texts.line_without_content()));
        }
        Ok(line)
    }

    /// Returns the pseudonym of the number that a line is about.
    fn contact(&self, phone: Option<&str>, contact: Option<&str>) -> Result<String, Sentence> {
        let is_pseudonym = |text: &str| {
            text.len() == CONTACT_CHARS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let of_phone = phone.map(|typed| {
            let phone = Phone::parse(typed, self.site.country(None))
                .map_err(|error| Sentence::of(|texts| texts.wrong_number(texts.phone_error(error))))?;
            Ok::<_, Sentence>(self.secret.contact_key(&self.site.id, &phone))
        });
        match (of_phone.transpose()?, contact) {
            (None, None) => Err(Sentence::of(|texts| texts.line_without_number())),
            (Some(_), Some(contact)) | (None, Some(contact)) if !is_pseudonym(contact) => {
                Err(Sentence::of(|texts| texts.not_a_pseudonym()))
            }
            (Some(own), Some(contact)) if own != contact => Err(Sentence::of(|texts| texts.other_pseudonym())),
            (Some(own), _) => Ok(own),
            (None, Some(contact)) => Ok(contact.to_owned()),
        }
    }
}

/// Returns the position of each column. Rejects unknown columns, because they may be misspelt.
fn columns(header: &StringRecord) -> Result<HashMap<&'static str, usize>, Failure> {
    let mut columns = HashMap::new();
    for (place, typed) in header.iter().enumerate() {
        let known = COLUMNS.into_iter().find(|name| typed.eq_ignore_ascii_case(name));
        let known = known.ok_or_else(|| Failure::usage(|texts| texts.no_column(typed, COLUMNS.join(", "))))?;
        if columns.insert(known, place).is_some() {
            return Err(Failure::usage(|texts| texts.column_twice(known)));
        }
    }
    let has = |name: &str| columns.contains_key(name);
    if !has("phone") && !has("contact") {
        return Err(Failure::usage(|texts| texts.column_missing()));
    }
    Ok(columns)
}

#[cfg(test)]
mod tests;
