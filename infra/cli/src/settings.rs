//! The settings of sites and accounts, as data for the commands and the documentation.

use domain::primitives::id::AccountId;
use domain::primitives::language::Language;
use domain::primitives::phone::Country;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use texts::Texts;

use crate::failure::{Failure, Sentence};
use crate::output::wrapped;

/// A setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The name, equal to that of the field.
    name: &'static str,
    kind: Kind,
    /// The default value: `-` for none, empty if the setting is required.
    default: &'static str,
    meaning: fn(&Texts) -> String,
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

const fn setting(name: &'static str, kind: Kind, default: &'static str, meaning: fn(&Texts) -> String) -> Setting {
    Setting { name, kind, default, meaning }
}

/// Maximum useful life of a message.
const WEEK_MINUTES: u16 = 7 * 24 * 60;

/// The settings of a site.
pub(crate) static SITE: &[Setting] = &[
    setting("active", Kind::Flag, "true", |texts| texts.setting_site_active()),
    setting("paused", Kind::Flag, "false", |texts| texts.setting_site_paused()),
    setting("url", Kind::Url, "-", |texts| texts.setting_site_url()),
    setting("default_language", Kind::Language, "it", |texts| texts.setting_site_default_language()),
    setting("default_country", Kind::Country, "IT", |texts| texts.setting_site_default_country()),
    setting("time_zone", Kind::Zone, "Europe/Rome", |texts| texts.setting_site_time_zone()),
    setting("morning", Kind::Time, "09:00", |texts| texts.setting_site_morning()),
    setting("cart_interval", Kind::Count { min: 1, max: WEEK_MINUTES }, "180", |texts| {
        texts.setting_site_cart_interval()
    }),
    setting("cart_max_postponement", Kind::Count { min: 1, max: WEEK_MINUTES }, "1440", |texts| {
        texts.setting_site_cart_max_postponement()
    }),
    setting("marketplace_orders", Kind::Flag, "false", |texts| texts.setting_site_marketplace_orders()),
    setting("retention_days", Kind::Count { min: 30, max: 3650 }, "90", |texts| texts.setting_site_retention_days()),
    setting("remember_for", Kind::Count { min: 90, max: 3650 }, "730", |texts| texts.setting_site_remember_for()),
    setting("default_account", Kind::Account, "-", |texts| texts.setting_site_default_account()),
];

/// The settings of an account.
pub(crate) static ACCOUNT: &[Setting] = &[
    setting("active", Kind::Flag, "true", |texts| texts.setting_account_active()),
    setting("base_url", Kind::Url, "", |texts| texts.setting_account_base_url()),
    setting("phone_number_id", Kind::Text { chars_max: 64 }, "", |texts| texts.setting_account_phone_number_id()),
    setting("phone_number_id_in_path", Kind::Flag, "true", |texts| texts.setting_account_phone_number_id_in_path()),
    setting("waba_id", Kind::Text { chars_max: 64 }, "", |texts| texts.setting_account_waba_id()),
    setting("token_header", Kind::Text { chars_max: 64 }, "Authorization", |texts| {
        texts.setting_account_token_header()
    }),
    setting("token_scheme", Kind::Text { chars_max: 64 }, "Bearer", |texts| texts.setting_account_token_scheme()),
    setting("throughput", Kind::Count { min: 1, max: 1000 }, "20", |texts| texts.setting_account_throughput()),
];

impl Setting {
    /// Returns the valid values.
    fn bounds(&self, texts: &Texts) -> String {
        match self.kind {
            Kind::Flag => texts.bounds_flag(),
            Kind::Text { chars_max } => texts.bounds_text(chars_max),
            Kind::Account => texts.bounds_account(),
            Kind::Url => texts.bounds_url(),
            Kind::Language => texts.bounds_language(),
            Kind::Country => texts.bounds_country(),
            Kind::Zone => texts.bounds_zone(),
            Kind::Time => texts.bounds_time(),
            Kind::Count { min, max } => texts.bounds_count(min, max),
        }
    }

    /// Whether an empty value removes the setting. Without a default account, mappings that name no account would use
    /// whichever account comes first.
    fn is_removable(&self) -> bool {
        self.default == "-" && !matches!(self.kind, Kind::Account)
    }

    /// Parses a value.
    fn read(&self, text: &str) -> Result<Value, Sentence> {
        let wrong = || Sentence::of(|texts| texts.setting_wrong(self.name, self.bounds(texts)));
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
                let names = names.join(", ");
                wrong.push(Sentence::of(|texts| texts.setting_unknown(pair.as_str(), names.as_str())));
            }
            Some((setting, "")) if setting.is_removable() => drop(fields.remove(setting.name)),
            Some((setting, value)) => match setting.read(value) {
                Ok(value) => drop(fields.insert(setting.name.to_owned(), value)),
                Err(error) => wrong.push(error),
            },
        }
    }
    let missing = settings.iter().filter(|setting| setting.default.is_empty() && !fields.contains_key(setting.name));
    wrong.extend(missing.map(|setting| Sentence::of(|texts| texts.setting_missing(setting.name))));
    if wrong.is_empty() { Ok(()) } else { Err(Failure::Usage(Sentence::lines(&wrong))) }
}

/// Formats the settings with their values, each followed by its description.
pub(crate) fn shown(fields: &Value, settings: &[Setting], texts: &Texts) -> String {
    let one = |setting: &Setting| {
        let value = match fields.get(setting.name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => setting.default.to_owned(),
        };
        format!("{} = {value}\n{}", setting.name, wrapped(&(setting.meaning)(texts), 4))
    };
    settings.iter().map(one).collect()
}

#[cfg(test)]
mod tests;
