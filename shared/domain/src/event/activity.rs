//! Activities of the agenda and their reminders.

use std::cell::RefCell;
use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::TimeZone;

use super::read::{civil_date, optional_text, required_text, whatsapp_ticked};
use crate::event::person::Person;
use crate::primitives::id::ObjectId;
use crate::primitives::json::Reader;

/// Reminders an activity may have: each assignee may have some of their own.
pub const REMINDERS_MAX: usize = 100;
/// Longest time before an activity a reminder may be due, in minutes: a year.
pub const MINUTES_BEFORE_MAX: u64 = 366 * 24 * 60;

/// An activity: one occurrence, where it is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Passweb's id of the occurrence.
    pub id: ObjectId,
    /// The series the occurrence belongs to.
    pub series_id: Option<ObjectId>,
    /// Grows with every change of the activity.
    pub version: Option<u64>,
    /// Its subject; may be empty.
    pub subject: String,
    /// Its description.
    pub description: Option<String>,
    /// When it begins.
    pub starts: ActivityTime,
    /// When it ends.
    pub ends: Option<ActivityTime>,
    /// The zone its times were meant in.
    pub zone: TimeZone,
    /// The state it is in, as text.
    pub state: String,
    /// Its page on the site.
    pub url: Option<String>,
}

/// A moment of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityTime {
    /// A whole day ("Giorno Intero").
    Day(Date),
    /// An instant.
    At(Timestamp),
}

impl Activity {
    /// Reads an activity. Its times are read by `all_day` and checked against its zone.
    pub(super) fn read(reader: &Reader<'_>) -> Option<Self> {
        reader.object()?;
        let id = reader.field("id").parsed(ObjectId::parse);
        let series_id = reader.field("series_id").optional(|field| field.parsed(ObjectId::parse));
        let version = reader.field("version").optional(Reader::count);
        // The subject may be empty: people save activities without one.
        let subject = reader.field("subject").text();
        let description = optional_text(reader, "description");
        let (all_day, zone) = (reader.field("all_day").boolean(), reader.field("time_zone").parsed(zone));
        let time = |field: &Reader<'_>, zone: Option<&TimeZone>| {
            let all_day = all_day?;
            field.parsed(|text| ActivityTime::parse(text, all_day, zone))
        };
        // Only the start must agree with the zone: reminders count from it.
        let starts = time(&reader.field("starts_at"), zone.as_ref().filter(|_| !reader.is_stored()));
        let ends = reader.field("ends_at").optional(|field| time(field, None));
        let (state, url) = (required_text(reader, "state"), optional_text(reader, "url"));
        Some(Self {
            id: id?,
            series_id: series_id?,
            version: version?,
            subject: subject?.to_owned(),
            description: description?,
            starts: starts?,
            ends: ends?,
            zone: zone?,
            state: state?,
            url: url?,
        })
    }

    /// When a reminder of it is of no more use: at its beginning, or at the end of its first day.
    #[must_use]
    pub fn begun_at(&self) -> Timestamp {
        match self.starts {
            ActivityTime::At(instant) => instant,
            ActivityTime::Day(day) => {
                let midnight = day.tomorrow().and_then(|next| next.to_zoned(self.zone.clone()));
                midnight.map_or(Timestamp::MAX, |midnight| midnight.timestamp())
            }
        }
    }
}

/// A reminder as it was set: a moment before the activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// Passweb's id.
    pub id: ObjectId,
    /// How long before the activity it is due, in minutes.
    pub minutes_before: u64,
    /// Whether WhatsApp was ticked on it.
    pub whatsapp: bool,
    /// Whose reminder it is; absent: every assignee's (C-2).
    pub owner: Option<Person>,
}

/// A reminder that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueReminder {
    /// Passweb's id.
    pub id: ObjectId,
    /// How long before the activity it is due, in minutes.
    pub minutes_before: u64,
}

/// Why a text is no time of an activity.
#[derive(Debug, thiserror::Error)]
enum TimeError {
    #[error("must be a date such as 2026-11-24, because all_day is true")]
    Day,
    #[error("must be a time with an offset such as 2026-11-24T15:30:00+01:00 (RFC 3339), because all_day is false")]
    Instant,
    #[error("has another offset than time_zone has at that time")]
    Offset,
    #[error("must lie between the years 2000 and 2200")]
    Range,
}

/// The years an activity may begin or end in: enough for any agenda, few enough for reckoning without overflow.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2200;

impl ActivityTime {
    fn parse(text: &str, all_day: bool, zone: Option<&TimeZone>) -> Result<Self, TimeError> {
        let (time, year) = if all_day {
            let day = civil_date(text).map_err(|_| TimeError::Day)?;
            (Self::Day(day), day.year())
        } else {
            let pieces = Pieces::parse(text).map_err(|_| TimeError::Instant)?;
            let instant: Timestamp = text.parse().map_err(|_| TimeError::Instant)?;
            let offset = pieces.offset().ok_or(TimeError::Instant)?;
            // `Z` names the moment alone. An offset in figures was reckoned by somebody: one that is not the zone's shows
            // that the moment or the zone is wrong.
            let contradicts = |zone: &TimeZone| match offset {
                PiecesOffset::Numeric(offset) => zone.to_offset(instant) != offset.offset(),
                _ => false,
            };
            if zone.is_some_and(contradicts) {
                return Err(TimeError::Offset);
            }
            (Self::At(instant), pieces.date().year())
        };
        if YEARS.contains(&year) { Ok(time) } else { Err(TimeError::Range) }
    }
}

fn zone(name: &str) -> Result<TimeZone, &'static str> {
    TimeZone::get(name).map_err(|_| "must be a time zone of the IANA database such as Europe/Rome")
}

/// Reads the reminders of an activity: none of them twice, since each is one item of the schedule.
pub(super) fn reminders(list: &Reader<'_>) -> Option<Vec<Reminder>> {
    let ids = RefCell::new(BTreeSet::new());
    list.list(REMINDERS_MAX, |reminder| {
        let (due, whatsapp) = (due_reminder(reminder), whatsapp_ticked(&reminder.field("notify")));
        let owner = reminder.field("owner").optional(Person::read);
        let due = due?;
        if !ids.borrow_mut().insert(due.id.clone()) && !reminder.is_stored() {
            reminder.field("id").fault("is the id of another reminder of the activity");
            return None;
        }
        Some(Reminder { id: due.id, minutes_before: due.minutes_before, whatsapp: whatsapp?, owner: owner? })
    })
}

/// Reads a reminder that is due.
pub(super) fn due_reminder(reminder: &Reader<'_>) -> Option<DueReminder> {
    reminder.object()?;
    let (id, minutes) = (reminder.field("id").parsed(ObjectId::parse), reminder.field("minutes_before"));
    let minutes_before = minutes.count().filter(|count| {
        let fits = *count <= MINUTES_BEFORE_MAX;
        if !fits {
            minutes.fault(format!("must be at most {MINUTES_BEFORE_MAX}, which is a year"));
        }
        fits
    });
    Some(DueReminder { id: id?, minutes_before: minutes_before? })
}
