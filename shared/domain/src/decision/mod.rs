//! The decision about one planned message: send it now with its rendered text, skip it, or wait.

pub mod cart;
pub mod context;
pub mod digest;
pub mod guards;
pub mod plan;
pub mod reminder;
pub mod render;

use jiff::{SignedDuration, Timestamp};

use crate::decision::context::DecisionContext;
use crate::decision::plan::PlannedMessage;
use crate::decision::reminder::contact_data_as_of;
use crate::decision::render::{Filled, FilledButton, FilledHeader, Locale, Rendered};
use crate::event::person::Person;
use crate::event::{Event, EventData};
use crate::mapping::{Mapping, TemplateUse};
use crate::message::reason::{Reason, Skip};
use crate::message::state::{WaitReason, Waiting};
use crate::message::suppression::{ContactData, Scope};
use crate::primitives::id::AccountId;
use crate::primitives::language::{self, Language};
use crate::primitives::phone::{Phone, PhoneError};
use crate::site::config::{Account, LiveConfig};
use crate::template::variable::Context;
use crate::template::{Category, Content, Parts, Template, TemplateStatus};

/// Interval between two checks of a mapping that paused itself, or of a template that Meta paused.
const LOOKED_AT_AGAIN: SignedDuration = SignedDuration::from_mins(15);

/// A message that may be sent, with everything the provider needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing<'a> {
    /// The account that sends it.
    pub account: &'a Account,
    /// The recipient's phone number.
    pub phone: Phone,
    /// The template's name.
    pub template: &'a str,
    /// The template's language.
    pub language: &'a Language,
    /// The filled header; `None` if the header contains nothing to fill.
    pub header: Option<FilledHeader>,
    /// The filled body.
    pub body: Filled,
    /// The filled buttons, in template order.
    pub buttons: Vec<FilledButton>,
    /// Whether Meta classifies the template as marketing, which requires consent.
    pub marketing: bool,
    /// When the message stops being useful.
    pub useful_until: Timestamp,
}

/// Why a message is not sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The message is never sent.
    Skip(Skip),
    /// The message may be sent later.
    Wait {
        /// The wait reason and the end of the wait.
        waiting: Waiting,
        /// When the message stops being useful.
        useful_until: Timestamp,
    },
}

impl From<Skip> for Halt {
    fn from(skip: Skip) -> Self {
        Self::Skip(skip)
    }
}

impl From<Reason> for Halt {
    fn from(reason: Reason) -> Self {
        Self::Skip(reason.into())
    }
}

/// Decides one message with the current mapping.
///
/// The order of the checks is a contract: the recorded reason is the first check that fails. `known` may lack the
/// recipient's contact data on the way to a send, because the claim checks the same items again. A skip is decided with
/// complete data, so that its reason is the first one.
///
/// # Errors
/// The reason not to send now, with the value that decided.
pub fn decide<'a>(
    event: &'a Event,
    message: &PlannedMessage,
    config: &'a LiveConfig,
    known: &DecisionContext,
    now: Timestamp,
) -> Result<Outgoing<'a>, Halt> {
    if !config.site.active {
        return Err(Reason::SiteInactive.into());
    }
    let mapping = config.mapping(&message.mapping).ok_or(Reason::MappingDisabled)?;
    let recipient = event.recipient(&message.recipient).ok_or(Reason::NoRecipient)?;
    let account = active_account(mapping, config)?;
    if !mapping.includes(recipient) {
        return Err(
            Skip::new(Reason::GroupNotIncluded, recipient.groups.as_deref().unwrap_or_default().join(", ")).into()
        );
    }
    let phone = phone(recipient, config)?;
    has_not_opted_out(event, recipient, &known.contact)?;
    may_be_written_to(&known.contact, now)?;
    let useful_until = useful_until(event, mapping, config, known);
    if let EventData::CartAbandoned { cart, .. } = &event.data {
        let due = cart::due_at(cart.abandoned_at, &known.cart, Some(mapping), &config.site);
        let notified_at = if known.send_now { now } else { now.max(due) };
        match known.resend_requested_at {
            // An operator who asks for a resend has already seen an earlier notice and a newer cart.
            Some(_) => cart::still_left(cart, &known.cart)?,
            None => cart::judge(cart, &known.cart, (&known.message, notified_at))?,
        }
        if now < due && known.resend_requested_at.is_none() && !known.send_now {
            return Err(wait(due, WaitReason::CartInterval, String::new(), useful_until));
        }
    }
    if let Some(at) = known.newer_at {
        return Err(Skip::new(Reason::Superseded, at.to_string()).into());
    }
    let chosen = choose_template(event, recipient, mapping, config)?;
    let (template, parts) = usable_template(chosen, mapping, account, config)?;
    may_send_category(template, recipient, &known.contact)?;
    let context = Context { event, recipient, site_url: config.site.url.as_deref(), files: known.files.as_ref() };
    let locale = Locale { language: &template.language, zone: &config.site.zone() };
    let Rendered { header, body, buttons } = render::fill(parts, chosen, &context, &locale)?;
    if now > useful_until {
        return Err(Skip::new(Reason::Expired, useful_until.to_string()).into());
    }
    if config.site.paused {
        return Err(wait(useful_until, WaitReason::SitePaused, String::new(), useful_until));
    }
    if let Some(hold) = config.hold(&account.id, template, now) {
        let detail = format!("{} ({}), {}", hold.name, hold.language, hold.code);
        return Err(wait(hold.until, WaitReason::TemplateHeld, detail, useful_until));
    }
    if template.status.is_paused() {
        let detail = format!("{} ({}), {}", template.name, template.language, String::from(template.status.clone()));
        return Err(look_again(WaitReason::TemplateHeld, detail, now, useful_until));
    }
    if let Some((until, why)) =
        not_before(event, mapping, config, known, (now, useful_until)).filter(|_| !known.send_now)
    {
        return Err(wait(until, why, String::new(), useful_until));
    }
    if let Some(volume_spike) = &mapping.volume_spike {
        return Err(look_again(WaitReason::Volume, volume_spike.to_string(), now, useful_until));
    }
    let marketing = template.category == Category::Marketing;
    let (template, language) = (template.name.as_str(), &template.language);
    Ok(Outgoing { account, phone, template, language, header, body, buttons, marketing, useful_until })
}

/// Returns the end of the wait that the mapping requires, with its reason.
///
/// If a hold ends in quiet hours that outlast the message's usefulness, the quiet hours are returned instead. The
/// message then expires immediately rather than waiting in vain.
fn not_before(
    event: &Event,
    mapping: &Mapping,
    config: &LiveConfig,
    known: &DecisionContext,
    (now, useful_until): (Timestamp, Timestamp),
) -> Option<(Timestamp, WaitReason)> {
    let held = held_until(event, mapping).or(known.collects_until).filter(|until| *until > now);
    let quiet = |from| Some((mapping.quiet_hours.as_ref()?.until(from, &config.site.zone())?, WaitReason::QuietHours));
    match held {
        Some(until) => quiet(until).filter(|(end, _)| *end > useful_until).or(Some((until, WaitReason::Hold))),
        None => quiet(now),
    }
}

/// Returns a wait, or a skip with `Reason::Expired` if the message is no longer useful when the wait ends.
#[must_use]
pub fn wait(until: Timestamp, why: WaitReason, detail: String, useful_until: Timestamp) -> Halt {
    if until > useful_until {
        return Skip::new(Reason::Expired, format!("{useful_until}, {why}")).into();
    }
    Halt::Wait { waiting: Waiting { until, why, detail }, useful_until }
}

/// Returns a wait whose end is not known. The check repeats for as long as the message is useful.
fn look_again(why: WaitReason, detail: String, now: Timestamp, useful_until: Timestamp) -> Halt {
    let until = now.saturating_add(LOOKED_AT_AGAIN).unwrap_or(useful_until).min(useful_until);
    wait(until, why, detail, useful_until)
}

/// Returns the end of the hold during which the event's state waits for a newer one.
///
/// `None` if the mapping has no `hold_for`, or if the event is not a change of state.
#[must_use]
pub fn held_until(event: &Event, mapping: &Mapping) -> Option<Timestamp> {
    let hold_for = mapping.hold_for?;
    let has_states = matches!(event.data, EventData::OrderStatusChanged { .. } | EventData::ActivityStatusChanged(_));
    has_states.then(|| event.occurred_at.saturating_add(hold_for.duration()).unwrap_or(event.occurred_at))
}

/// When the message stops being useful, counted from the event, the cart's due time or the operator's resend request.
fn useful_until(event: &Event, mapping: &Mapping, config: &LiveConfig, known: &DecisionContext) -> Timestamp {
    match (known.resend_requested_at, &event.data) {
        (Some(at), _) => at + mapping.useful_for().duration(),
        (None, EventData::CartAbandoned { cart, .. }) => {
            cart::useful_until(cart, &known.cart, Some(mapping), &config.site)
        }
        (None, _) => mapping.useful_until(event),
    }
}

/// Checks the field "Opt Out Whatsapp".
///
/// If the event does not state the field, a recorded opt-out applies, whatever its age. If the event states "no", only
/// a record that is at least as new as the event's data applies.
fn has_not_opted_out(event: &Event, recipient: &Person, known: &ContactData) -> Result<(), Skip> {
    let counts = |at: &Timestamp| recipient.whatsapp_opt_out.is_none() || *at >= contact_data_as_of(event);
    match known.opted_out_at.filter(counts) {
        _ if recipient.whatsapp_opt_out == Some(true) => Err(Reason::OptedOut.into()),
        Some(at) => Err(Skip::new(Reason::OptedOut, at.to_string())),
        None => Ok(()),
    }
}

/// Checks what forbids every message to the number: suppressions and unreachability.
fn may_be_written_to(known: &ContactData, now: Timestamp) -> Result<(), Skip> {
    if let Some(suppression) = known.suppression(Scope::All) {
        return Err(Skip::new(Reason::Suppressed, suppression.to_string()));
    }
    match known.unreachable_until {
        Some(until) if until > now => Err(Skip::new(Reason::Unreachable, until.to_string())),
        _ => Ok(()),
    }
}

/// Returns the account that the mapping sends through, if it is active.
fn active_account<'a>(mapping: &Mapping, config: &'a LiveConfig) -> Result<&'a Account, Skip> {
    let account = config.account(mapping).filter(|account| account.active);
    account.ok_or_else(|| {
        let id = mapping.account.as_ref().or_else(|| config.default_account());
        Skip::new(Reason::AccountInactive, id.map_or("", AccountId::as_str))
    })
}

/// Returns the number of a recipient, read by the rules of the person's country or else of the site's.
///
/// # Errors
/// The record has no number, or the number is not valid.
pub fn phone(recipient: &Person, config: &LiveConfig) -> Result<Phone, Skip> {
    let typed = recipient.phone.as_deref().ok_or(Reason::PhoneMissing)?;
    let country = config.site.country(recipient.country.as_deref());
    let typed = typed.trim();
    Phone::parse(typed, country).map_err(|error| match (error, &recipient.country) {
        (PhoneError::NoCountry, Some(country)) => {
            Skip::new(Reason::PhoneInvalid, format!("{typed}: no prefix, and no country is called {country}"))
        }
        _ => Skip::new(Reason::PhoneInvalid, typed),
    })
}

/// Returns the recipient's reading language.
///
/// The first that is present applies: the session's (shop events only), the person's, the country's, the site's.
#[must_use]
pub fn reading_language(event: &Event, recipient: &Person, config: &LiveConfig) -> Language {
    let session = event.language.as_ref().filter(|_| event.kind().is_ecommerce());
    let own = session.or(recipient.language.as_ref()).cloned();
    let of_country = || recipient.country.as_deref().and_then(language::of_country);
    own.or_else(of_country).unwrap_or_else(|| config.site.default_language.clone())
}

/// Chooses the template for the reading language: the exact one, the base language's, or the site default's.
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

/// Returns the template as currently listed, with the parts to fill.
///
/// A template that Meta paused is returned too, because its messages wait.
fn usable_template<'a>(
    chosen: &TemplateUse,
    mapping: &Mapping,
    account: &Account,
    config: &'a LiveConfig,
) -> Result<(&'a Template, &'a Parts), Skip> {
    let refused = |reason, why: &str| Skip::new(reason, format!("{} ({}): {why}", chosen.name, chosen.language));
    let template = config
        .template(&account.id, &chosen.name, &chosen.language)
        .ok_or_else(|| refused(Reason::TemplateNotApproved, "not in the account's list"))?;
    if let TemplateStatus::Other(status) = &template.status
        && !template.status.is_paused()
    {
        return Err(refused(Reason::TemplateNotApproved, status));
    }
    if let Some(review) = &mapping.needs_review {
        return Err(Skip::new(Reason::TemplateChanged, review.to_string()));
    }
    if template.fingerprint != chosen.fingerprint {
        return Err(refused(Reason::TemplateChanged, "not the one the mapping was checked against"));
    }
    // Templates for one-time passwords also contain unsupported buttons. The category is the more useful reason.
    if let Category::Other(category) = &template.category {
        return Err(Skip::new(Reason::CategoryRefused, category.as_str()));
    }
    match &template.content {
        Content::Usable(parts) => Ok((template, parts)),
        Content::Unusable { why } => Err(refused(Reason::TemplateNotUsable, &why.to_string())),
    }
}

/// Checks the template's category: marketing requires consent and no marketing suppression.
///
/// A consent that the event states takes precedence over the recorded one.
fn may_send_category(template: &Template, recipient: &Person, known: &ContactData) -> Result<(), Skip> {
    match &template.category {
        // `usable_template` refuses all other categories.
        Category::Utility | Category::Other(_) => return Ok(()),
        Category::Marketing => {}
    }
    if let Some(suppression) = known.suppression(Scope::Marketing) {
        return Err(Skip::new(Reason::Suppressed, suppression.to_string()));
    }
    match recipient.marketing_consent.or(known.marketing_consent) {
        Some(true) => Ok(()),
        _ => Err(Skip::new(Reason::ConsentMissing, template.name.as_str())),
    }
}

#[cfg(test)]
mod tests;
