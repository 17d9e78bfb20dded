//! A phone number and its contact data: suppressions, consent and reachability.

use domain::message::suppression::{ContactData, Lift, Lifted, Scope, Source, Suppression};
use domain::primitives::phone::Phone;
use domain::site::config::Site;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{Lang, Output, day, wrapped};

/// Parses a phone number by the rules of the site's country.
///
/// # Errors
/// [`Failure::Usage`] if it is not a valid number.
pub(crate) fn read(typed: &str, site: &Site) -> Result<Phone, Failure> {
    Phone::parse(typed, site.country(None)).map_err(|error| Failure::Usage(format!("the number {error}")))
}

/// Returns the contact data of a number as JSON.
pub(crate) fn document(phone: &Phone, contact: &str, known: &ContactData, output: Output) -> Value {
    json!({
        "phone": output.phone(phone.as_e164()), "contact": contact, "suppressions": known.suppressions,
        "lifted": known.lifts, "unreachable_until": known.unreachable_until, "marketing_consent": known.marketing_consent,
    })
}

/// Formats the contact data of a number as text.
pub(crate) fn words(phone: &Phone, known: &ContactData, now: Timestamp, (lang, output): (Lang, Output)) -> String {
    let mut lines: Vec<String> = known.suppressions.iter().map(|one| suppression_words(one, lang)).collect();
    if let Some(until) = known.unreachable_until.filter(|until| *until > now) {
        let unreachable =
            lang.of("non raggiungibile da WhatsApp, escluso fino al", "unreachable by WhatsApp, excluded until");
        lines.push(format!("{unreachable} {}", day(until)));
    }
    if let Some(consent) = known.marketing_consent {
        let of = lang.of(["consenso al marketing: ", "sì", "no"], ["consent to marketing: ", "yes", "no"]);
        let [name, yes, no] = of;
        lines.push(format!("{name}{}", if consent { yes } else { no }));
    }
    if lines.is_empty() {
        lines.push(lang.of("nessuna esclusione", "no suppressions").to_owned());
    }
    lines.extend(known.lifts.iter().map(|lift| lift_words(lift, lang)));
    let lines: String = lines.iter().map(|line| wrapped(line, 4)).collect();
    format!("{} {}\n{lines}", lang.of("Numero", "Number"), output.phone(phone.as_e164()))
}

fn suppression_words(suppression: &Suppression, lang: Lang) -> String {
    let Suppression { scope, source, since, reason } = suppression;
    let (scope, source) = (scope_words(*scope, lang), source_words(*source, lang));
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    format!("{scope} ({source}, {} {}){reason}", lang.of("dal", "since"), day(*since))
}

fn scope_words(scope: Scope, lang: Lang) -> &'static str {
    match scope {
        Scope::All => lang.of("escluso da tutti i messaggi", "all messages suppressed"),
        Scope::Marketing => lang.of("escluso dai messaggi di marketing", "marketing messages suppressed"),
    }
}

fn source_words(source: Source, lang: Lang) -> &'static str {
    match source {
        Source::Stop => lang.of("la persona ha scritto STOP", "the person wrote STOP"),
        Source::Preferences => lang.of("preferenze di WhatsApp", "WhatsApp preferences"),
        Source::Operator => lang.of("operatore", "operator"),
        Source::Import => lang.of("elenco importato", "imported list"),
    }
}

fn lift_words(lift: &Lift, lang: Lang) -> String {
    let Lift { lifted, at, by, reason } = lift;
    let what = match lifted {
        Lifted::Suppression { scope, source } => {
            format!("{} ({})", scope_words(*scope, lang), source_words(*source, lang))
        }
        Lifted::Unreachable => lang.of("non raggiungibile da WhatsApp", "unreachable by WhatsApp").to_owned(),
    };
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let at = day(*at);
    lang.of(format!("tolto il {at} da {by}: {what}{reason}"), format!("lifted on {at} by {by}: {what}{reason}"))
}
