//! Whether an event of the customer area may be notified on WhatsApp.

use crate::primitives::json::Reader;

/// Maximum number of channels in a list. Passweb has five.
pub(super) const CHANNELS_MAX: usize = 20;

/// The permissions of a customer-area event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Whether the user ticked WhatsApp on the object.
    pub whatsapp: bool,
    /// Whether the sender's group has "Gestione Whatsapp".
    pub sender_may_notify: bool,
}

impl Notify {
    /// Reads the ticked channels and the sender's permission, which are direct fields of `data`.
    pub(super) fn read(data: &Reader<'_>) -> Option<Self> {
        let (whatsapp, sender_may_notify) = (whatsapp_ticked(&data.field("notify")), sender_may_notify(data));
        Some(Self { whatsapp: whatsapp?, sender_may_notify: sender_may_notify? })
    }
}

/// Whether the sender may notify. An absent field permits it.
pub(super) fn sender_may_notify(data: &Reader<'_>) -> Option<bool> {
    data.field("sender_may_notify").or(true, Reader::boolean)
}

/// Whether WhatsApp is among the channels of a list.
pub(super) fn whatsapp_ticked(channels: &Reader<'_>) -> Option<bool> {
    let channels = channels.list(CHANNELS_MAX, |channel| channel.text().map(str::to_ascii_lowercase));
    Some(channels?.iter().any(|channel| channel == "whatsapp"))
}
