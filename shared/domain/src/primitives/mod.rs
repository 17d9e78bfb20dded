//! Values that every other module uses: ids, keys, phone numbers, languages and words, lists, money, JSON.

pub mod cause;
pub mod country;
pub(crate) mod folded;
pub mod id;
pub mod json;
pub mod key;
pub mod language;
pub mod list;
pub mod local_time;
pub mod money;
pub mod phone;
pub mod trace;
pub mod words;
