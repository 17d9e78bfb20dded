//! The settings of sites and accounts, as data for the commands and the documentation.

use domain::primitives::id::AccountId;
use domain::primitives::language::Language;
use domain::primitives::phone::Country;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::output::{Lang, wrapped};

/// A setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The name, equal to that of the field.
    name: &'static str,
    kind: Kind,
    /// The default value: `-` for none, empty if the setting is required.
    default: &'static str,
    italian: &'static str,
    english: &'static str,
}

/// The type and range of a setting's value.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Flag,
    Text { chars_max: usize },
    Account,
    Url,
    Language,
    Country,
    Zone,
    Time,
    Count { min: u16, max: u16 },
}

const fn setting(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    italian: &'static str,
    english: &'static str,
) -> Setting {
    Setting { name, kind, default, italian, english }
}

/// Maximum useful life of a message.
const WEEK_MINUTES: u16 = 7 * 24 * 60;

/// The settings of a site.
pub(crate) static SITE: &[Setting] = &[
    setting(
        "active",
        Kind::Flag,
        "true",
        "Un sito non attivo scarta ogni evento.",
        "An inactive site skips every event.",
    ),
    setting(
        "paused",
        Kind::Flag,
        "false",
        "Un sito in pausa trattiene ogni messaggio finché è utile.",
        "A paused site keeps every message waiting until it expires.",
    ),
    setting(
        "url",
        Kind::Url,
        "-",
        "L'indirizzo del sito: la variabile URL Sito negli eventi dell'area riservata.",
        "The site's address: the variable site.url on events of the customer area.",
    ),
    setting(
        "default_language",
        Kind::Language,
        "it",
        "La lingua di chi non ne ha un'altra, e del template di riserva.",
        "The language of people without one, and of the fallback template.",
    ),
    setting(
        "default_country",
        Kind::Country,
        "IT",
        "Il paese dei numeri scritti senza prefisso internazionale.",
        "The country of phone numbers without an international prefix.",
    ),
    setting(
        "time_zone",
        Kind::Zone,
        "Europe/Rome",
        "Il fuso in cui si scrivono gli orari.",
        "The time zone of times in messages.",
    ),
    setting(
        "morning",
        Kind::Time,
        "09:00",
        "Quando comincia un'attività di un giorno intero, per i suoi promemoria.",
        "The start of a whole-day activity, for its reminders.",
    ),
    setting(
        "cart_interval",
        Kind::Count { min: 1, max: WEEK_MINUTES },
        "180",
        "Dopo quanti minuti dall'abbandono si avvisa di un carrello.",
        "Minutes from the abandonment of a cart to its notice.",
    ),
    setting(
        "cart_max_postponement",
        Kind::Count { min: 1, max: WEEK_MINUTES },
        "1440",
        "Al più tardi dopo quanti minuti dal primo abbandono, anche se il carrello cambia ancora.",
        "Most minutes from the first abandonment to the notice, even if the cart changes again.",
    ),
    setting(
        "marketplace_orders",
        Kind::Flag,
        "false",
        "Se avvisare anche degli ordini dei marketplace.",
        "Whether marketplace orders are notified too.",
    ),
    setting(
        "retention_days",
        Kind::Count { min: 30, max: 3650 },
        "90",
        "Per quanti giorni il registro conserva eventi e messaggi.",
        "How many days the ledger keeps events and messages.",
    ),
    setting(
        "remember_for",
        Kind::Count { min: 90, max: 3650 },
        "730",
        "Per quanti giorni si ricorda che cosa è già stato notificato, per non ripeterlo.",
        "Days for which a notification is remembered, so that it is not repeated.",
    ),
    setting(
        "default_account",
        Kind::Account,
        "-",
        "L'account delle azioni che non ne indicano uno; il primo che si aggiunge, finché non lo si cambia qui.",
        "The account of mappings that name none. The first added account, until it is changed here.",
    ),
];

/// The settings of an account.
pub(crate) static ACCOUNT: &[Setting] = &[
    setting("active", Kind::Flag, "true", "Un account non attivo non invia.", "An inactive account sends nothing."),
    setting(
        "base_url",
        Kind::Url,
        "",
        "L'indirizzo dell'API con la versione, https://host/v23.0.",
        "The API's address with its version, https://host/v23.0.",
    ),
    setting(
        "phone_number_id",
        Kind::Text { chars_max: 64 },
        "",
        "L'id Meta del numero mittente.",
        "Meta's id of the sender number.",
    ),
    setting(
        "phone_number_id_in_path",
        Kind::Flag,
        "true",
        "Se l'id del mittente fa parte del percorso (/{id}/messages).",
        "Whether the sender's id is part of the path (/{id}/messages).",
    ),
    setting(
        "waba_id",
        Kind::Text { chars_max: 64 },
        "",
        "L'id Meta del WhatsApp Business Account, che possiede i template.",
        "Meta's id of the WhatsApp Business Account, which owns the templates.",
    ),
    setting(
        "token_header",
        Kind::Text { chars_max: 64 },
        "Authorization",
        "L'intestazione HTTP del token.",
        "The HTTP header of the token.",
    ),
    setting(
        "token_scheme",
        Kind::Text { chars_max: 64 },
        "Bearer",
        "Che cosa precede il token; vuoto per il solo token.",
        "The scheme before the token; empty for the token alone.",
    ),
    setting(
        "throughput",
        Kind::Count { min: 1, max: 1000 },
        "20",
        "I messaggi al secondo che Meta ammette per il numero, in entrata e in uscita.",
        "Messages per second that Meta allows for the number, in and out.",
    ),
];

impl Setting {
    /// Returns the description.
    fn meaning(&self, lang: Lang) -> &'static str {
        lang.of(self.italian, self.english)
    }

    /// Returns the valid values.
    fn bounds(&self) -> String {
        match self.kind {
            Kind::Flag => "true, false".to_owned(),
            Kind::Text { chars_max } => format!("≤ {chars_max} characters"),
            Kind::Account => "id of an account".to_owned(),
            Kind::Url => "http(s) URL".to_owned(),
            Kind::Language => "language code: it, en_US".to_owned(),
            Kind::Country => "ISO 3166 code: IT".to_owned(),
            Kind::Zone => "IANA zone".to_owned(),
            Kind::Time => "time of day: 09:00".to_owned(),
            Kind::Count { min, max } => format!("{min} to {max}"),
        }
    }

    /// Whether an empty value removes the setting. Without a default account, mappings that name no account would use
    /// whichever account comes first.
    fn is_removable(&self) -> bool {
        self.default == "-" && !matches!(self.kind, Kind::Account)
    }

    /// Parses a value.
    fn read(&self, text: &str) -> Result<Value, String> {
        let wrong = || format!("{} must be: {}", self.name, self.bounds());
        let kept = |fits: bool| if fits { Ok(json!(text)) } else { Err(wrong()) };
        match self.kind {
            Kind::Flag => text.parse::<bool>().map(Value::from).map_err(|_| wrong()),
            Kind::Text { chars_max } => kept(text.chars().count() <= chars_max && !text.chars().any(char::is_control)),
            Kind::Account => kept(AccountId::parse(text).is_ok()),
            Kind::Url => {
                let url = url::Url::parse(text).map_err(|_| wrong())?;
                kept(matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty())
            }
            Kind::Language => Language::parse(text).map(|language| json!(language)).map_err(|_| wrong()),
            Kind::Country => kept(text.len() == 2 && Country::parse(text).is_some()),
            Kind::Zone => kept(TimeZone::get(text).is_ok()),
            Kind::Time => text.parse::<Time>().map(|time| json!(time)).map_err(|_| wrong()),
            Kind::Count { min, max } => match text.parse::<u16>() {
                Ok(count) if (min..=max).contains(&count) => Ok(json!(count)),
                _ => Err(wrong()),
            },
        }
    }
}

/// Applies `NAME=VALUE` pairs to the fields of a site or an account.
///
/// # Errors
/// [`Failure::Usage`] with every invalid pair and every missing required setting.
pub(crate) fn assign(fields: &mut Map<String, Value>, settings: &[Setting], pairs: &[String]) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for pair in pairs {
        let found = pair.split_once('=').and_then(|(name, value)| {
            settings.iter().find(|setting| setting.name == name).map(|setting| (setting, value))
        });
        match found {
            None => {
                let names: Vec<_> = settings.iter().map(|setting| setting.name).collect();
                wrong.push(format!("{pair} sets nothing; there are: {}", names.join(", ")));
            }
            Some((setting, "")) if setting.is_removable() => drop(fields.remove(setting.name)),
            Some((setting, value)) => match setting.read(value) {
                Ok(value) => drop(fields.insert(setting.name.to_owned(), value)),
                Err(error) => wrong.push(error),
            },
        }
    }
    let missing = settings.iter().filter(|setting| setting.default.is_empty() && !fields.contains_key(setting.name));
    wrong.extend(missing.map(|setting| format!("{} must be set", setting.name)));
    if wrong.is_empty() { Ok(()) } else { Err(Failure::Usage(wrong.join("\n"))) }
}

/// Formats the settings with their values, each followed by its description.
pub(crate) fn shown(fields: &Value, settings: &[Setting], lang: Lang) -> String {
    let one = |setting: &Setting| {
        let value = match fields.get(setting.name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => setting.default.to_owned(),
        };
        format!("{} = {value}\n{}", setting.name, wrapped(setting.meaning(lang), 4))
    };
    settings.iter().map(one).collect()
}

#[cfg(test)]
mod tests;
