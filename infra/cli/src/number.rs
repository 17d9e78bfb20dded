//! A phone number and its contact data: suppressions, consent and reachability.

use domain::message::suppression::{ContactData, Lift, Lifted, Suppression};
use domain::primitives::phone::Phone;
use domain::site::config::Site;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use texts::Texts;

use crate::failure::Failure;
use crate::output::{Output, wrapped};

/// Parses a phone number by the rules of the site's country.
///
/// # Errors
/// [`Failure::Usage`] if it is not a valid number.
pub(crate) fn read(typed: &str, site: &Site) -> Result<Phone, Failure> {
    Phone::parse(typed, site.country(None))
        .map_err(|error| Failure::usage(|texts| texts.wrong_number(texts.phone_error(error))))
}

/// Returns the contact data of a number as JSON.
pub(crate) fn document(phone: &Phone, contact: &str, known: &ContactData, output: Output) -> Value {
    json!({
        "phone": output.phone(phone.as_e164()), "contact": contact, "suppressions": known.suppressions,
        "lifted": known.lifts, "unreachable_until": known.unreachable_until, "marketing_consent": known.marketing_consent,
    })
}

/// Formats the contact data of a number as text.
pub(crate) fn words(phone: &Phone, known: &ContactData, now: Timestamp, site: &Site, output: Output) -> String {
    let texts = output.texts;
    let zone = site.zone();
    let mut lines: Vec<String> = known.suppressions.iter().map(|one| suppression_words(one, &zone, texts)).collect();
    if let Some(until) = known.unreachable_until.filter(|until| *until > now) {
        lines.push(texts.unreachable_until(texts.day(until, &zone)));
    }
    if let Some(consent) = known.marketing_consent {
        lines.push(if consent { texts.marketing_consent() } else { texts.no_marketing_consent() });
    }
    if lines.is_empty() {
        lines.push(texts.no_suppressions());
    }
    lines.extend(known.lifts.iter().map(|lift| lift_words(lift, &zone, texts)));
    let lines: String = lines.iter().map(|line| wrapped(line, 4)).collect();
    format!("{} {}\n{lines}", texts.number(), output.phone(phone.as_e164()))
}

fn suppression_words(suppression: &Suppression, zone: &TimeZone, texts: &Texts) -> String {
    let Suppression { scope, source, since, reason } = suppression;
    let (scope, source) = (texts.scope(*scope), texts.source(*source));
    let suppressed = texts.suppressed(scope, source, texts.day(*since, zone));
    if reason.is_empty() { suppressed } else { format!("{suppressed}: {reason}") }
}

fn lift_words(lift: &Lift, zone: &TimeZone, texts: &Texts) -> String {
    let Lift { lifted, at, by, reason } = lift;
    let what = match lifted {
        Lifted::Suppression { scope, source } => {
            format!("{} ({})", texts.scope(*scope), texts.source(*source))
        }
        Lifted::Unreachable => texts.unreachable(),
    };
    let lifted = texts.lifted(texts.day(*at, zone), by.as_str(), what);
    if reason.is_empty() { lifted } else { format!("{lifted}: {reason}") }
}
