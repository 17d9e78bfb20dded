//! Activities of the agenda and their reminders.

use std::cell::RefCell;
use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::TimeZone;

use super::notify::whatsapp_ticked;
use super::read::{civil_date, optional_text, required_text};
use crate::event::person::Person;
use crate::primitives::id::ObjectId;
use crate::primitives::json::Reader;

/// Maximum number of reminders of an activity. Each assignee may have their own.
pub const REMINDERS_MAX: usize = 100;
/// Longest time between a reminder and its activity, in minutes: a year.
pub const MINUTES_BEFORE_MAX: u64 = 366 * 24 * 60;

/// An activity; one occurrence, if the activity is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Passweb's id of the occurrence.
    pub id: ObjectId,
    /// The series that the occurrence belongs to.
    pub series_id: Option<ObjectId>,
    /// The version, which grows with every change of the activity.
    pub version: Option<u64>,
    /// The subject, which may be empty.
    pub subject: String,
    /// The description.
    pub description: Option<String>,
    /// When the activity begins.
    pub starts: ActivityTime,
    /// When the activity ends.
    pub ends: Option<ActivityTime>,
    /// The time zone of the activity's times.
    pub zone: TimeZone,
    /// The current state, as text.
    pub state: String,
    /// The activity's page on the site.
    pub url: Option<String>,
}

/// The start or end of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityTime {
    /// A whole day ("Giorno Intero").
    Day(Date),
    /// An instant.
    At(Timestamp),
}

impl Activity {
    /// Reads an activity. `all_day` determines the format of its times. The start is checked against the time zone.
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
        // Only the start must match the time zone, because reminders count from it.
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

    /// Returns when the activity's reminders stop being useful: at its start, or at the end of its first day.
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

/// A configured reminder: a time before the activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// Passweb's id.
    pub id: ObjectId,
    /// How long before the activity it is due, in minutes.
    pub minutes_before: u64,
    /// Whether WhatsApp is ticked on the reminder.
    pub whatsapp: bool,
    /// The reminder's owner; `None` if it belongs to every assignee (C-2).
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

/// Why a text is not a valid time of an activity.
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

/// Valid years for the start and end of an activity: enough for any agenda, and safe from overflow in date arithmetic.
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
            // `Z` states only the instant. A numeric offset is deliberate: if it differs from the zone's offset, the
            // time or the zone is wrong.
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

/// Reads the reminders of an activity. Ids must be unique, because each reminder is one item of the schedule.
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
