//! The store on the embedded emulator, for replays.

use aws_sdk_dynamodb::types::AttributeValue;
use local::emulators::{DataDir, Emulators};
use store::contacts::Contacts;
use store::ledger::{Claims, Ledger, Parking};
use store::schedule::Schedule;
use store::tables::{create_all, table_name};

const STACK: &str = "protocol";

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) claims: Claims,
    pub(crate) contacts: Contacts,
    pub(crate) schedule: Schedule,
    pub(crate) parking: Parking,
    emulators: Emulators,
}

impl World {
    pub(crate) async fn start() -> Self {
        let emulators = Emulators::start(DataDir::Memory).unwrap();
        let client = emulators.dynamodb();
        create_all(&client, STACK).await.unwrap();
        let table = |name| table_name(STACK, name);
        let ledger = Ledger::new(client.clone(), table("Ledger"));
        let schedule = Schedule::new(client.clone(), table("Schedule"));
        Self {
            claims: Claims::new(ledger.clone(), table("Contacts")),
            contacts: Contacts::new(client, table("Contacts")),
            parking: Parking::new(ledger.clone(), schedule.clone()),
            schedule,
            ledger,
            emulators,
        }
    }

    /// Returns an attribute of an item of `Contacts`.
    pub(crate) async fn of_contacts(&self, key: &str, attribute: &str) -> Option<String> {
        let request = self.emulators.dynamodb().get_item().table_name(table_name(STACK, "Contacts"));
        let request = request.key("pk", AttributeValue::S(key.to_owned())).consistent_read(true);
        let item = request.send().await.unwrap().item?;
        Some(item.get(attribute)?.as_s().unwrap().clone())
    }
}
