//! The simulator's state, including the records that its control API shows.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    catalogue::Catalogue,
    course::{Mode, Status},
    faults::Faults,
    limits::Limits,
    send::Rendered,
    settings::{SeedRefused, Settings},
    webhook::{Outbox, envelope::Subject},
};

/// A simulator's settings and state, shared by its connections.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

struct Inner {
    settings: Settings,
    outbox: Outbox,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> Result<Self, SeedRefused> {
        let state = State {
            templates: Catalogue::seeded(&settings.templates)?,
            messages: Vec::new(),
            requests: Vec::new(),
            ticks: Vec::new(),
            inbound: Vec::new(),
            mode: Mode::default(),
            faults: Faults::default(),
            limits: Limits::default(),
            ids: Ids::default(),
            resets: 0,
        };
        let outbox = Outbox::new(&settings);
        Ok(Self(Arc::new(Inner { settings, outbox, state: Mutex::new(state) })))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0.settings.clock)()
    }

    /// Locks the state. The lock is never held across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // The control API must keep working after a panic elsewhere, because the state is still the best evidence.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Restores the initial state: seeded templates, no messages, no faults, unused limits, normal statuses, and no
    /// pending webhooks.
    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        self.0.outbox.clear();
        // The seeds were valid when the simulator started.
        if let Ok(templates) = Catalogue::seeded(&self.0.settings.templates) {
            state.templates = templates;
        }
        state.messages.clear();
        state.requests.clear();
        state.ticks.clear();
        state.inbound.clear();
        state.mode = Mode::default();
        state.faults = Faults::default();
        state.limits = Limits::default();
        state.resets += 1;
    }
}

/// The mutable state of a running simulator.
pub(crate) struct State {
    pub(crate) templates: Catalogue,
    pub(crate) messages: Vec<Message>,
    pub(crate) requests: Vec<Request>,
    /// The statuses that messages have reached, in the order they were raised.
    pub(crate) ticks: Vec<Tick>,
    /// The messages from recipients.
    pub(crate) inbound: Vec<InboundMessage>,
    pub(crate) mode: Mode,
    pub(crate) faults: Faults,
    pub(crate) limits: Limits,
    pub(crate) ids: Ids,
    /// The number of resets. The phone starts again when it changes.
    pub(crate) resets: u64,
}

/// An accepted send.
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) to: String,
    pub(crate) wa_id: String,
    pub(crate) template: TemplateRef,
    pub(crate) category: String,
    pub(crate) rendered: Rendered,
    /// The request as received.
    pub(crate) body: Value,
    pub(crate) callback_data: Option<String>,
    pub(crate) received_at: Timestamp,
}

impl Message {
    /// Returns the data that the message's statuses contain.
    pub(crate) fn subject(&self) -> Subject {
        Subject {
            id: self.id.clone(),
            wa_id: self.wa_id.clone(),
            category: self.category.clone(),
            callback_data: self.callback_data.clone(),
        }
    }
}

/// The template of a message.
#[derive(Serialize)]
pub(crate) struct TemplateRef {
    pub(crate) name: String,
    pub(crate) language: String,
}

/// A send request, whatever its outcome.
pub(crate) struct Request {
    pub(crate) to: Option<String>,
    pub(crate) template: Option<String>,
    /// The HTTP status of the answer. `None` if the connection was cut.
    pub(crate) status: Option<u16>,
    /// The error code of the answer, if any.
    pub(crate) code: Option<i64>,
    pub(crate) accepted: bool,
    /// The refusal as text, for the phone.
    pub(crate) details: Option<String>,
    pub(crate) received_at: Timestamp,
}

/// A status that a message has reached, for the phone.
pub(crate) struct Tick {
    /// The message's id.
    pub(crate) id: String,
    pub(crate) status: Status,
}

/// A message from a phone to the sender.
pub(crate) struct InboundMessage {
    pub(crate) id: String,
    pub(crate) wa_id: String,
    pub(crate) text: String,
    pub(crate) received_at: Timestamp,
}

/// Generates message ids and trace ids that are unique across runs, because the bridge's ledger outlives a simulator.
#[derive(Default)]
pub(crate) struct Ids {
    // Seeded by the system. The ids are not secret, so being unpredictable is sufficient.
    run: RandomState,
    count: u64,
}

impl Ids {
    /// Returns a new message id in Meta's format: base64 with the digits of the number in it.
    pub(crate) fn wamid(&mut self, wa_id: &str) -> String {
        let (number, unique) = (wa_id.as_bytes(), STANDARD_NO_PAD.encode(self.unique()));
        let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        let mut bytes = vec![0x1c, 0x18, length(number)];
        bytes.extend(number);
        bytes.extend([0x15, 0x02, 0x00, 0x11, 0x18, length(unique.as_bytes())]);
        bytes.extend(unique.as_bytes());
        bytes.push(0);
        format!("wamid.{}", STANDARD.encode(bytes))
    }

    /// Returns a new trace id.
    pub(crate) fn trace(&mut self) -> String {
        format!("A{}", STANDARD_NO_PAD.encode(self.unique()))
    }

    /// Returns an id that distinguishes this run of the simulator from all others.
    pub(crate) fn run(&self) -> u64 {
        self.run.hash_one(0_u64)
    }

    fn unique(&mut self) -> Vec<u8> {
        self.count += 1;
        let mut bytes = self.run.hash_one(self.count).to_be_bytes().to_vec();
        bytes.extend(self.count.to_be_bytes());
        bytes
    }
}
