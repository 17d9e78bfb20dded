//! Export of all contact data as CSV.

use std::io::Write;
use std::path::Path;

use domain::message::suppression::Suppression;
use domain::primitives::key::ContactSecret;
use domain::primitives::phone::Phone;
use domain::site::config::Site;
use serde_json::json;
use store::contacts::SuppressedContact;

use super::COLUMNS;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress;
use crate::stack::Stack;

pub(super) async fn run(file: Option<&Path>, stack: &Stack, output: Output) -> Result<(), Failure> {
    let site = stack.live().await?.site;
    let secret = stack.contact_secret().await?;
    let mut rows = Vec::new();
    let all = stack.contacts.all(&site.id).await?;
    let progress = progress::bar(all.len(), output.texts.contacts_read());
    for one in all {
        let phone = phone(&one.contact, &site, &secret, stack).await?;
        rows.extend(rows_of(&one, phone.as_ref()));
        progress.inc(1);
    }
    drop(progress);
    let csv = written(&rows).map_err(|error| Failure::no(|texts| texts.list_not_written(error.to_string())))?;
    match file {
        Some(file) => {
            std::fs::write(file, csv).map_err(|error| {
                Failure::usage(|texts| texts.file_error(file.display().to_string(), texts.io_error(&error)))
            })?;
            output.say(&json!({"file": file, "lines": rows.len()}), |texts| {
                format!("{}: {}", file.display(), texts.contacts_exported(rows.len()))
            });
        }
        None if output.json => {
            let object = |row: &[String; 8]| -> serde_json::Map<String, serde_json::Value> {
                COLUMNS.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), json!(cell))).collect()
            };
            let contacts: Vec<_> = rows.iter().map(object).collect();
            output.say(&json!({"contacts": contacts}), |_| String::new());
        }
        // Ignore write errors, such as a closed pipe.
        None => drop(std::io::stdout().write_all(&csv)),
    }
    Ok(())
}

/// Returns the number of a pseudonym, if the ledger still has a message to it.
async fn phone(contact: &str, site: &Site, secret: &ContactSecret, stack: &Stack) -> Result<Option<Phone>, Failure> {
    let events = stack.ledger.events_of_contact(&site.id, contact).await?;
    let phones = events.iter().flat_map(|event| &event.messages).filter_map(|message| message.phone.as_deref());
    let mut phones = phones.filter_map(|phone| Phone::parse(phone, site.country(None)).ok());
    Ok(phones.find(|phone| secret.contact_key(&site.id, phone) == contact))
}

/// Returns a row for each suppression. A contact without suppressions gets one row if it has a consent or was
/// unreachable.
fn rows_of(one: &SuppressedContact, phone: Option<&Phone>) -> Vec<[String; 8]> {
    let known = &one.known;
    let consent = known.marketing_consent.map_or("", |consent| if consent { "yes" } else { "no" });
    let unreachable_until = known.unreachable_until.map(|until| until.to_string()).unwrap_or_default();
    let row = |suppression: Option<&Suppression>| {
        let of = |field: &dyn Fn(&Suppression) -> String| suppression.map(field).unwrap_or_default();
        [
            one.contact.clone(),
            phone.map(|phone| phone.as_e164().to_owned()).unwrap_or_default(),
            of(&|suppression| suppression.scope.to_string()),
            of(&|suppression| suppression.source.to_string()),
            of(&|suppression| suppression.since.to_string()),
            of(&|suppression| suppression.reason.clone()),
            consent.to_owned(),
            unreachable_until.clone(),
        ]
    };
    let has_content = known.marketing_consent.is_some() || known.unreachable_until.is_some();
    let suppressed = known.suppressions.iter().map(|suppression| row(Some(suppression)));
    let only = (known.suppressions.is_empty() && has_content).then(|| row(None));
    suppressed.chain(only).collect()
}

fn written(rows: &[[String; 8]]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}
