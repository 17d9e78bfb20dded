//! The decision: whether one planned message may go now, with the text it would have.

use jiff::Timestamp;

use crate::config::{Account, LiveConfig};
use crate::event::Event;
use crate::language::{self, Language};
use crate::mapping::{Mapping, TemplateUse};
use crate::person::Person;
use crate::phone::Phone;
use crate::plan::PlannedMessage;
use crate::reason::{Reason, Skip};
use crate::render::{self, Filled, FilledButton, FilledHeader, Locale, Rendered};
use crate::template::{Category, Content, Parts, Template, TemplateStatus};
use crate::variable::Context;

/// A message that may be sent: everything the provider needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing<'a> {
    /// The account it goes through.
    pub account: &'a Account,
    /// The number it goes to.
    pub phone: Phone,
    /// The template's name.
    pub template: &'a str,
    /// The template's language.
    pub language: &'a Language,
    /// The filled header; `None` where nothing of it is filled.
    pub header: Option<FilledHeader>,
    /// The filled body.
    pub body: Filled,
    /// The filled buttons, in their order.
    pub buttons: Vec<FilledButton>,
}

/// Decides one message with the mapping as it is now. The order of the checks is a contract: the first "no" is the
/// recorded reason.
///
/// # Errors
/// Why it is not sent, with the value that decided.
pub fn decide<'a>(
    event: &'a Event,
    message: &PlannedMessage,
    config: &'a LiveConfig,
    now: Timestamp,
) -> Result<Outgoing<'a>, Skip> {
    if !config.site.active {
        return Err(Reason::SiteInactive.into());
    }
    let mapping = config.mapping(&message.mapping).ok_or(Reason::MappingDisabled)?;
    let recipient = event.recipient(&message.recipient).ok_or(Reason::NoRecipient)?;
    let account = config.account(mapping).filter(|account| account.active).ok_or(Reason::AccountInactive)?;
    if !mapping.includes(recipient) {
        return Err(Skip::new(Reason::GroupNotIncluded, recipient.groups.join(", ")));
    }
    let phone = phone(recipient, config)?;
    if recipient.whatsapp_opt_out {
        return Err(Reason::OptedOut.into());
    }
    let chosen = choose_template(event, recipient, mapping, config)?;
    let (template, parts) = usable_template(chosen, account, config)?;
    may_send_category(template, recipient)?;
    let context = Context { event, recipient, site_url: config.site.url.as_deref() };
    let locale = Locale { language: &template.language, zone: &config.site.zone() };
    let Rendered { header, body, buttons } = render::fill(parts, chosen, &context, &locale)?;
    still_useful(event, mapping, now)?;
    let (template, language) = (template.name.as_str(), &template.language);
    Ok(Outgoing { account, phone, template, language, header, body, buttons })
}

fn phone(recipient: &Person, config: &LiveConfig) -> Result<Phone, Skip> {
    let typed = recipient.phone.as_deref().ok_or(Reason::PhoneMissing)?;
    let country = config.site.country(recipient.country.as_deref());
    Phone::parse(typed, country).map_err(|_| Skip::new(Reason::PhoneInvalid, typed.trim()))
}

/// The language the recipient reads: the session's on events of the shop, else the person's own, else the country's,
/// else the site's.
fn reading_language(event: &Event, recipient: &Person, config: &LiveConfig) -> Language {
    let session = event.language.as_ref().filter(|_| event.kind().is_ecommerce());
    let own = session.or(recipient.language.as_ref()).cloned();
    let of_country = || recipient.country.as_deref().and_then(language::of_country);
    own.or_else(of_country).unwrap_or_else(|| config.site.default_language.clone())
}

/// The template for the language: the exact one, else its base language's, else the site's default.
fn choose_template<'a>(
    event: &Event,
    recipient: &Person,
    mapping: &'a Mapping,
    config: &LiveConfig,
) -> Result<&'a TemplateUse, Skip> {
    let wanted = reading_language(event, recipient, config);
    let by_base = || {
        let base = Language::parse(wanted.base()).ok()?;
        mapping.templates.get(&base)
    };
    let chosen = mapping.templates.get(&wanted).or_else(by_base);
    let chosen = chosen.or_else(|| mapping.templates.get(&config.site.default_language));
    chosen.ok_or_else(|| Skip::new(Reason::NoTemplateForLanguage, wanted.as_str()))
}

/// The template as it is listed now, with the parts to fill.
fn usable_template<'a>(
    chosen: &TemplateUse,
    account: &Account,
    config: &'a LiveConfig,
) -> Result<(&'a Template, &'a Parts), Skip> {
    let refused = |reason, why: &str| Skip::new(reason, format!("{} ({}): {why}", chosen.name, chosen.language));
    let template = config
        .template(&account.id, &chosen.name, &chosen.language)
        .ok_or_else(|| refused(Reason::TemplateNotApproved, "not in the account's list"))?;
    if let TemplateStatus::Other(status) = &template.status {
        return Err(refused(Reason::TemplateNotApproved, status));
    }
    if template.fingerprint != chosen.fingerprint {
        return Err(refused(Reason::TemplateChanged, "not the one the mapping was checked against"));
    }
    match &template.content {
        Content::Usable(parts) => Ok((template, parts)),
        Content::Unusable { why } => Err(refused(Reason::TemplateNotApproved, why)),
    }
}

fn may_send_category(template: &Template, recipient: &Person) -> Result<(), Skip> {
    match &template.category {
        Category::Utility => Ok(()),
        Category::Marketing if recipient.marketing_consent == Some(true) => Ok(()),
        Category::Marketing => Err(Skip::new(Reason::ConsentMissing, template.name.as_str())),
        Category::Other(category) => Err(Skip::new(Reason::CategoryRefused, category.as_str())),
    }
}

fn still_useful(event: &Event, mapping: &Mapping, now: Timestamp) -> Result<(), Skip> {
    let until = mapping.useful_until(event);
    if now <= until { Ok(()) } else { Err(Skip::new(Reason::Expired, until.to_string())) }
}

#[cfg(test)]
mod tests;
