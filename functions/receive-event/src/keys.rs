//! Keys, kept for a while so that a callback costs no read.

use std::collections::HashMap;
use std::sync::Mutex;

use domain::credential::{PresentedKey, StoredKey};
use domain::id::SiteId;
use jiff::{SignedDuration, Timestamp};
use store::config::ConfigTable;

use crate::problem::Problem;

/// How long a key is believed. A revocation must bite within 60 s.
const KNOWN_FOR: SignedDuration = SignedDuration::from_secs(50);
/// How long the absence of a key is believed: short, so that a new key works at once, long enough that guessing costs
/// us no read per guess.
const UNKNOWN_FOR: SignedDuration = SignedDuration::from_secs(10);
/// Keys remembered at most; guessed ids must not fill the memory.
const REMEMBERED_MAX: usize = 1000;

type Remembered = HashMap<String, (Timestamp, Option<StoredKey>)>;

/// The keys of all sites.
#[derive(Debug)]
pub(crate) struct Keys {
    table: ConfigTable,
    remembered: Mutex<Remembered>,
}

impl Keys {
    pub(crate) fn new(table: ConfigTable) -> Self {
        Self { table, remembered: Mutex::default() }
    }

    /// The site a presented key speaks for.
    ///
    /// # Errors
    /// 401 if it opens nothing, 503 if that cannot be known now.
    pub(crate) async fn site_of(&self, presented: &PresentedKey, now: Timestamp) -> Result<SiteId, Problem> {
        let stored = match self.remembered(&presented.key_id, now) {
            Some(remembered) => remembered,
            None => {
                let stored = self.table.key(&presented.key_id).await.map_err(|error| Problem::no_store(&error))?;
                self.remember(presented.key_id.clone(), stored.clone(), now);
                stored
            }
        };
        let admitted = stored.filter(|stored| stored.admits(presented));
        admitted.map(|stored| stored.site).ok_or_else(|| Problem::unauthorized("The API key is not admitted."))
    }

    fn remembered(&self, key_id: &str, now: Timestamp) -> Option<Option<StoredKey>> {
        let remembered = self.remembered.lock().ok()?;
        let (since, stored) = remembered.get(key_id)?;
        let believed = if stored.is_some() { KNOWN_FOR } else { UNKNOWN_FOR };
        (now.duration_since(*since) < believed).then(|| stored.clone())
    }

    fn remember(&self, key_id: String, stored: Option<StoredKey>, now: Timestamp) {
        if let Ok(mut remembered) = self.remembered.lock() {
            if remembered.len() >= REMEMBERED_MAX {
                remembered.clear();
            }
            remembered.insert(key_id, (now, stored));
        }
    }
}
