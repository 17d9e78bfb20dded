//! What the shop configured: the site and its accounts.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::mapping::Mapping;
use crate::primitives::id::{AccountId, SiteId};
use crate::primitives::language::Language;
use crate::primitives::phone::Country;
use crate::template::Template;

/// A Passweb site, the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The site's id.
    pub id: SiteId,
    /// An inactive site skips every event.
    #[serde(default = "yes")]
    pub active: bool,
    /// A paused site keeps every message waiting.
    #[serde(default, skip_serializing_if = "is_false")]
    pub paused: bool,
    /// The home page: what `URL Sito` says on events of the customer area (R-128).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The language where nothing else says one (R-41).
    #[serde(default = "Language::italian")]
    pub default_language: Language,
    /// The country of phone numbers written without a code, ISO 3166.
    #[serde(default = "italy")]
    pub default_country: String,
    /// IANA time zone in which times are shown.
    #[serde(default = "rome")]
    pub time_zone: String,
    /// When a whole-day activity begins for its reminders, `09:00`.
    #[serde(default = "nine")]
    pub morning: jiff::civil::Time,
    /// Minutes from when a cart was left until its notice (R-57).
    #[serde(default = "three_hours")]
    pub cart_interval: u16,
    /// Minutes from when the first of a customer's carts was left until the notice at the latest, however often the cart
    /// changes in between.
    #[serde(default = "a_day")]
    pub cart_max_postponement: u16,
    /// Whether orders of marketplaces are notified (R-144).
    #[serde(default)]
    pub marketplace_orders: bool,
    /// Days the ledger keeps what it knows.
    #[serde(default = "ninety")]
    pub retention_days: u16,
    /// Days it is remembered what was told, so that it is not told again: from when it was told, or met again past half of
    /// that time.
    #[serde(default = "two_years")]
    pub remember_for: u16,
    /// The account of mappings that name none. Sites of earlier versions state none: then it is the first by id, until
    /// an account is written.
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
    /// A site with every setting at its default.
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

    /// The country of numbers without a code: the person's own, or the site's where their record has none. A country that
    /// is written as nobody knows it is no other's.
    #[must_use]
    pub fn country(&self, of_person: Option<&str>) -> Country {
        let written = of_person.unwrap_or(&self.default_country);
        Country::parse(written).unwrap_or(Country::UNKNOWN)
    }

    /// How long it is remembered what was told.
    #[must_use]
    pub fn remember_for(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.remember_for))
    }

    /// The zone times are shown in; UTC where the setting names none.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

/// An account on WA Smart Business: where to send and how the platform wants to be called. What a provider may change
/// although it speaks the Cloud API is a setting. The token is no part of it: it lives in the secret store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The account's id within its site.
    pub id: AccountId,
    /// An inactive account sends nothing.
    #[serde(default = "yes")]
    pub active: bool,
    /// The API's base with its version, `https://host/v23.0`.
    pub base_url: String,
    /// Meta's id of the sender number.
    pub phone_number_id: String,
    /// Whether the sender's id is part of the path (`/{id}/messages`) or not (`/messages`).
    #[serde(default = "yes")]
    pub phone_number_id_in_path: bool,
    /// Meta's id of the WhatsApp Business Account, which owns the templates.
    pub waba_id: String,
    /// The header the token goes into.
    #[serde(default = "authorization")]
    pub token_header: String,
    /// What stands before the token, `Bearer`; empty for the bare token.
    #[serde(default = "bearer")]
    pub token_scheme: String,
    /// Messages a second that Meta takes from the number, in and out: 20 for one shared with the WhatsApp Business app,
    /// 80 for others, 1,000 after the upgrade.
    #[serde(default = "twenty")]
    pub throughput: u16,
    /// Whether another site sent from the number before: what people said to the number then is looked up for each
    /// message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub came_later: bool,
}

/// Of a number's throughput so much is used for sending, in percent: what comes in counts too, and calls that left
/// evenly spaced arrive in bunches.
const THROUGHPUT_USED_PERCENT: i64 = 80;

impl Account {
    /// The pause between two sends of the account.
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

/// Everything a decision needs to know of a site: one query of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveConfig {
    /// The site.
    pub site: Site,
    /// Its accounts, by id.
    pub accounts: Vec<Account>,
    /// Its enabled mappings, by id.
    pub mappings: Vec<Mapping>,
    /// The templates of each account, as last synced.
    pub templates: Vec<(AccountId, Template)>,
    /// Templates that Meta refused since.
    pub holds: Vec<TemplateHold>,
}

/// A template that Meta refused to send, to be tried again later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateHold {
    /// The account.
    pub account: AccountId,
    /// The template's name.
    pub name: String,
    /// The template's language.
    pub language: Language,
    /// When it may be tried again. The hourly sync may know better by then.
    pub until: Timestamp,
    /// Meta's code.
    pub code: String,
}

impl LiveConfig {
    /// A mapping that is still enabled.
    #[must_use]
    pub fn mapping(&self, id: &crate::primitives::id::MappingId) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.id == *id && mapping.enabled)
    }

    /// The account a mapping sends through: the one it names, else the site's default.
    #[must_use]
    pub fn account(&self, mapping: &Mapping) -> Option<&Account> {
        self.account_or_default(mapping.account.as_ref())
    }

    /// The account of an id; without one, the site's default. A default account that is gone is replaced by no other.
    #[must_use]
    pub fn account_or_default(&self, id: Option<&AccountId>) -> Option<&Account> {
        let id = id.or_else(|| self.default_account())?;
        self.accounts.iter().find(|account| account.id == *id)
    }

    /// The account of mappings that name none: the one the site states; where it states none, the first.
    #[must_use]
    pub fn default_account(&self) -> Option<&AccountId> {
        self.site.default_account.as_ref().or_else(|| Some(&self.accounts.first()?.id))
    }

    /// The hold of a template that is not over yet.
    #[must_use]
    pub fn hold(&self, account: &AccountId, template: &Template, now: Timestamp) -> Option<&TemplateHold> {
        let is_it = |hold: &&TemplateHold| {
            hold.account == *account && hold.name == template.name && hold.language == template.language
        };
        self.holds.iter().filter(is_it).find(|hold| hold.until > now)
    }

    /// A template of an account.
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
