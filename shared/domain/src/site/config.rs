//! The shop's configuration: the site and its accounts.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::event::person::Person;
use crate::mapping::Mapping;
use crate::primitives::id::{AccountId, SiteId};
use crate::primitives::key::ContactSecret;
use crate::primitives::language::Language;
use crate::primitives::phone::{Country, Phone};
use crate::template::Template;

/// A Passweb site: the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The site's id.
    pub id: SiteId,
    /// Whether the site is active. An inactive site skips every event.
    #[serde(default = "yes")]
    pub active: bool,
    /// Whether the site is paused. A paused site keeps every message waiting.
    #[serde(default, skip_serializing_if = "is_false")]
    pub paused: bool,
    /// The home page. On customer-area events, it is the value of `URL Sito` (R-128).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The language used when neither the event, the person nor the country determines one (R-41).
    #[serde(default = "Language::italian")]
    pub default_language: Language,
    /// The country of phone numbers written without a country code (ISO 3166).
    #[serde(default = "italy")]
    pub default_country: String,
    /// The IANA time zone in which times are shown.
    #[serde(default = "rome")]
    pub time_zone: String,
    /// When a whole-day activity begins for its reminders, `09:00`.
    #[serde(default = "nine")]
    pub morning: jiff::civil::Time,
    /// Minutes from when a cart was left until its notice (R-65).
    #[serde(default = "three_hours")]
    pub cart_interval: u16,
    /// Maximum minutes from when the first cart of a series was left until the notice, however often the cart changes
    /// in between.
    #[serde(default = "a_day")]
    pub cart_max_postponement: u16,
    /// Whether orders placed on marketplaces are notified (R-144).
    #[serde(default)]
    pub marketplace_orders: bool,
    /// Days that the ledger keeps its items.
    #[serde(default = "ninety")]
    pub retention_days: u16,
    /// Days that a dedup key or a latest-event item is kept, so that nothing is notified twice.
    ///
    /// They count from the notification. A repeated event in the second half of that period renews them.
    #[serde(default = "two_years")]
    pub remember_for: u16,
    /// The account of mappings that name none. Sites of earlier versions do not state it. The first account by id
    /// applies then, until an account is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_account: Option<AccountId>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

fn italy() -> String {
    "IT".to_owned()
}

fn rome() -> String {
    "Europe/Rome".to_owned()
}

fn nine() -> jiff::civil::Time {
    jiff::civil::time(9, 0, 0, 0)
}

fn three_hours() -> u16 {
    180
}

fn a_day() -> u16 {
    24 * 60
}

fn ninety() -> u16 {
    90
}

fn two_years() -> u16 {
    2 * 365
}

impl Site {
    /// Returns a site with every setting at its default.
    #[must_use]
    pub fn new(id: SiteId) -> Self {
        Self {
            id,
            active: true,
            paused: false,
            url: None,
            default_language: Language::italian(),
            default_country: italy(),
            time_zone: rome(),
            morning: nine(),
            cart_interval: three_hours(),
            cart_max_postponement: a_day(),
            marketplace_orders: false,
            retention_days: ninety(),
            remember_for: two_years(),
            default_account: None,
        }
    }

    /// Returns the country of numbers without a country code: the person's own, or the site's if their record has none.
    ///
    /// A country that cannot be parsed is `Country::UNKNOWN`. The site's country does not replace it.
    #[must_use]
    pub fn country(&self, of_person: Option<&str>) -> Country {
        let written = of_person.unwrap_or(&self.default_country);
        Country::parse(written).unwrap_or(Country::UNKNOWN)
    }

    /// How long dedup keys and latest-event items are kept.
    #[must_use]
    pub fn remember_for(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.remember_for))
    }

    /// The zone in which times are shown; UTC if the setting is not a known zone.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

impl ContactSecret {
    /// Returns the pseudonym of a person's number at a site; `None` without a valid number.
    #[must_use]
    pub fn contact_of(&self, site: &Site, person: &Person) -> Option<String> {
        let country = site.country(person.country.as_deref());
        let phone = Phone::parse(person.phone.as_deref()?, country).ok()?;
        Some(self.contact_key(&site.id, &phone))
    }
}

/// An account on WA Smart Business: the sender number and how to call the provider's API.
///
/// Everything that can differ between providers of the Cloud API is a setting. The access token is not included; it is
/// kept in the secret store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The account's id within its site.
    pub id: AccountId,
    /// Whether the account is active. An inactive account sends nothing.
    #[serde(default = "yes")]
    pub active: bool,
    /// The API's base URL with its version, `https://host/v23.0`.
    pub base_url: String,
    /// Meta's id of the sender number.
    pub phone_number_id: String,
    /// Whether the path contains the sender's id (`/{id}/messages`) or not (`/messages`).
    #[serde(default = "yes")]
    pub phone_number_id_in_path: bool,
    /// Meta's id of the WhatsApp Business Account, which owns the templates.
    pub waba_id: String,
    /// The HTTP header that carries the token.
    #[serde(default = "authorization")]
    pub token_header: String,
    /// The prefix of the token, `Bearer`; empty for the bare token.
    #[serde(default = "bearer")]
    pub token_scheme: String,
    /// Messages per second that Meta allows for the number, inbound and outbound.
    ///
    /// 20 for a number shared with the WhatsApp Business app, 80 for other numbers, 1,000 after the upgrade.
    #[serde(default = "twenty")]
    pub throughput: u16,
    /// Whether another site used the sender number before. Each message then looks up the opt-outs sent to the number
    /// at that time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub came_later: bool,
}

/// Percentage of a number's throughput used for sending. Inbound messages count too, and evenly spaced calls can arrive
/// in bursts.
const THROUGHPUT_USED_PERCENT: i64 = 80;

impl Account {
    /// Returns the interval between two sends of the account.
    #[must_use]
    pub fn pace(&self) -> SignedDuration {
        SignedDuration::from_micros(100_000_000 / (i64::from(self.throughput.max(1)) * THROUGHPUT_USED_PERCENT))
    }
}

fn twenty() -> u16 {
    20
}

fn authorization() -> String {
    "Authorization".to_owned()
}

fn bearer() -> String {
    "Bearer".to_owned()
}

/// Everything that a decision needs about a site, read with one query of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveConfig {
    /// The site.
    pub site: Site,
    /// Its accounts, ordered by id.
    pub accounts: Vec<Account>,
    /// Its enabled mappings, ordered by id.
    pub mappings: Vec<Mapping>,
    /// The templates of each account, as last synced.
    pub templates: Vec<(AccountId, Template)>,
    /// The templates that Meta refused since the last sync.
    pub holds: Vec<TemplateHold>,
}

/// A template that Meta refused to send. It is tried again later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateHold {
    /// The account.
    pub account: AccountId,
    /// The template's name.
    pub name: String,
    /// The template's language.
    pub language: Language,
    /// When it may be tried again. The hourly sync may have updated the template by then.
    pub until: Timestamp,
    /// Meta's error code.
    pub code: String,
}

impl LiveConfig {
    /// Returns a mapping, if it is still enabled.
    #[must_use]
    pub fn mapping(&self, id: &crate::primitives::id::MappingId) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.id == *id && mapping.enabled)
    }

    /// Returns the account that a mapping sends through: the one it names, or the site's default.
    #[must_use]
    pub fn account(&self, mapping: &Mapping) -> Option<&Account> {
        self.account_or_default(mapping.account.as_ref())
    }

    /// Returns the account with an id, or the site's default if no id is given. No other account replaces a default
    /// account that is gone.
    #[must_use]
    pub fn account_or_default(&self, id: Option<&AccountId>) -> Option<&Account> {
        let id = id.or_else(|| self.default_account())?;
        self.accounts.iter().find(|account| account.id == *id)
    }

    /// Returns the account of mappings that name none: the one that the site states, or the first.
    #[must_use]
    pub fn default_account(&self) -> Option<&AccountId> {
        self.site.default_account.as_ref().or_else(|| Some(&self.accounts.first()?.id))
    }

    /// Returns the hold of a template, if it is still in effect.
    #[must_use]
    pub fn hold(&self, account: &AccountId, template: &Template, now: Timestamp) -> Option<&TemplateHold> {
        let is_it = |hold: &&TemplateHold| {
            hold.account == *account && hold.name == template.name && hold.language == template.language
        };
        self.holds.iter().filter(is_it).find(|hold| hold.until > now)
    }

    /// Returns a template of an account.
    #[must_use]
    pub fn template(&self, account: &AccountId, name: &str, language: &Language) -> Option<&Template> {
        let is_it = |template: &Template| template.name == name && template.language == *language;
        self.templates
            .iter()
            .find(|(owner, template)| owner == account && is_it(template))
            .map(|(_, template)| template)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_needs_only_its_id() {
        let site: Site = serde_json::from_str(r#"{"id":"demo"}"#).unwrap();
        assert_eq!(site, Site::new(SiteId::parse("demo").unwrap()));
        assert_eq!(site.zone().iana_name(), Some("Europe/Rome"));
        assert!(serde_json::from_str::<Site>(r#"{"id":"demo","retention":1}"#).is_err());
    }

    #[test]
    fn sends_are_spaced_below_the_numbers_throughput() {
        let account = |throughput: u16| -> Account {
            let json = serde_json::json!({"id": "main", "base_url": "https://x/v23.0", "phone_number_id": "1",
                "waba_id": "2", "throughput": throughput});
            serde_json::from_value(json).unwrap()
        };
        assert_eq!(account(20).pace(), SignedDuration::from_micros(62_500));
        assert_eq!(account(80).pace(), SignedDuration::from_micros(15_625));
        assert_eq!(account(0).pace(), SignedDuration::from_micros(1_250_000));
    }

    #[test]
    fn a_number_is_read_by_the_rules_of_the_persons_country() {
        let site = Site::new(SiteId::parse("demo").unwrap());
        assert_eq!(site.country(Some("CH")), Country::parse("CH").unwrap());
        assert_eq!(site.country(Some("Svizzera")), Country::parse("CH").unwrap());
        assert_eq!(site.country(Some("Svizera")), Country::UNKNOWN);
        assert_eq!(site.country(None), Country::ITALY);
    }
}
