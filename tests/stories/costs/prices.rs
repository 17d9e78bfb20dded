//! The prices of docs/prices.json.

use serde_json::Value;

/// Returns a price in USD.
pub(crate) fn price(name: &str) -> f64 {
    let file = include_str!("../../../docs/prices.json");
    let prices: Value = serde_json::from_str(file).unwrap();
    prices["prices"][name]["usd"].as_f64().unwrap()
}
