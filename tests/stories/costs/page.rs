//! The generated tables of docs/costs.md.

use std::fs;

use kit::Bill;

use crate::counted::{Counted, SERVICES, float, refused_request};
use crate::prices::price;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/costs.md");
const VOLUMES: [u32; 3] = [1_000, 100_000, 1_000_000];
/// The minutes of a month of 30 days.
const MINUTES: f64 = 43_200.0;
/// Assumed duration of an idle sweep in seconds, and the memory of its function in GB.
const SWEEP_SECONDS: f64 = 0.1;
const SWEEP_MEMORY_GB: f64 = 0.5;
/// Lambda keeps five long polls of up to 20 s open for each of the three mappings, also if the queues are empty.
const IDLE_POLLS_OF_MINUTE: f64 = 3.0 * 5.0 * 3.0;
/// The metrics of all alarms. A test in tests/infra counts them in the template.
const ALARM_METRICS: usize = 38;
/// The metrics of an idle stack: each function's own metric that it writes without traffic.
const IDLE_METRICS: usize = 6;
/// The defaults of `RequestsPerSecond` and `EventsPerMinute`, and what they allow in a day.
const REQUESTS_OF_DAY: f64 = 100.0 * 86_400.0;
const EVENTS_OF_DAY: f64 = 6_000.0 * 1_440.0;
/// The secrets of a stack with one site.
const SECRETS: usize = 3;

/// The generated blocks of the page, by name.
pub(crate) struct Page(Vec<(&'static str, String)>);

impl Page {
    pub(crate) fn new([alone, in_batches]: [&Counted; 2], idle: &Bill) -> Self {
        Self(vec![
            ("units", units([alone, in_batches])),
            ("counts", counts([alone, in_batches])),
            ("fixed", fixed(idle)),
            ("costs", costs([alone, in_batches], idle)),
            ("attacks", attacks(alone)),
        ])
    }

    /// Fails if the page has other tables.
    pub(crate) fn compare(&self) {
        let page = fs::read_to_string(PATH).unwrap();
        for (name, table) in &self.0 {
            let [_, found, _] = parts(&page, name);
            assert_eq!(found.trim(), table, "the block `{name}` of docs/costs.md; BRIDGE_WRITE_COSTS=1 writes it");
        }
    }

    /// Replaces the tables of the page.
    pub(crate) fn write(&self) {
        let mut page = fs::read_to_string(PATH).unwrap();
        for (name, table) in &self.0 {
            let [before, _, after] = parts(&page, name);
            page = format!("{before}{table}\n{after}");
        }
        fs::write(PATH, page).unwrap();
    }
}

/// Splits the page at the comments around a block.
fn parts<'a>(page: &'a str, name: &str) -> [&'a str; 3] {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let start = page.find(&begin).unwrap() + begin.len();
    let stop = page.find(&end).unwrap();
    [&page[..start], &page[start..stop], &page[stop..]]
}

fn units(both: [&Counted; 2]) -> String {
    let mut lines = vec!["| write units of one message | alone | in batches of ten |\n|---|---|---|".to_owned()];
    let [alone, in_batches] = both.map(Counted::units);
    let of = |name: &str| in_batches.iter().find(|(other, _)| other == name).map_or(0.0, |(_, units)| *units);
    lines.extend(alone.iter().map(|(name, units)| format!("| {name} | {units:.2} | {:.2} |", of(name))));
    lines.join("\n")
}

fn counts(both: [&Counted; 2]) -> String {
    let mut lines = vec!["| for one message | alone | in batches of ten |\n|---|---|---|".to_owned()];
    let [alone, in_batches] = both.map(Counted::counts);
    let row = |((name, alone), (_, in_batches))| {
        let digits = if f64::max(alone, in_batches) < 100.0 { 2 } else { 0 };
        format!("| {name} | {alone:.digits$} | {in_batches:.digits$} |")
    };
    lines.extend(alone.into_iter().zip(in_batches).map(row));
    lines.join("\n")
}

/// Returns what a stack costs in a month without a message, by name.
fn of_idle(idle: &Bill) -> Vec<(&'static str, f64)> {
    let sweep = price("lambda_request") + SWEEP_SECONDS * SWEEP_MEMORY_GB * price("lambda_gb_second");
    vec![
        ("sweeps: function", MINUTES * sweep),
        ("sweeps: DynamoDB writes", MINUTES * idle.write_units() * price("write_unit")),
        ("sweeps: DynamoDB reads", MINUTES * idle.read_units() * price("read_unit")),
        ("polls of the queues", MINUTES * IDLE_POLLS_OF_MINUTE * price("sqs_request")),
        ("alarms", float(ALARM_METRICS) * price("alarm_metric_month")),
        ("metrics", float(IDLE_METRICS) * price("metric_month")),
        ("dashboard", price("dashboard_month")),
        ("secrets of one site", float(SECRETS) * price("secret_month")),
    ]
}

fn fixed(idle: &Bill) -> String {
    let mut lines = vec!["| without a message | USD a month |\n|---|---|".to_owned()];
    let items = of_idle(idle);
    lines.extend(items.iter().map(|(name, usd)| format!("| {name} | {usd:.2} |")));
    lines.push(format!("| **all** | **{:.2}** |", sum(&items)));
    lines.join("\n")
}

fn sum(items: &[(&str, f64)]) -> f64 {
    items.iter().map(|(_, usd)| usd).sum()
}

fn costs(both: [&Counted; 2], idle: &Bill) -> String {
    let head = "| USD a month | 1,000 | 100,000 | 1,000,000 | 1,000 in tens | 100,000 in tens | 1,000,000 in tens |";
    let mut lines = vec![format!("{head}\n|---|---|---|---|---|---|---|")];
    let costs = both.map(Counted::costs);
    let cells = |usd: [f64; 2]| {
        let cells = usd.iter().flat_map(|usd| VOLUMES.map(|volume| format!("{:.2}", usd * f64::from(volume))));
        cells.collect::<Vec<_>>().join(" | ")
    };
    for (index, service) in SERVICES.iter().enumerate() {
        lines.push(format!("| {service} | {} |", cells(costs.map(|costs| costs[index]))));
    }
    let messages = costs.map(|costs| costs.iter().sum::<f64>());
    lines.push(format!("| **messages** | {} |", cells(messages)));
    let all = messages.iter().flat_map(|usd| VOLUMES.map(|volume| usd * f64::from(volume) + sum(&of_idle(idle))));
    let all: Vec<String> = all.map(|usd| format!("**{usd:.2}**")).collect();
    lines.push(format!("| **with the fixed costs** | {} |", all.join(" | ")));
    lines.join("\n")
}

fn attacks(alone: &Counted) -> String {
    let messages: f64 = alone.costs().iter().sum();
    [
        "| attack at the default limits | USD a day |\n|---|---|".to_owned(),
        format!("| requests without a valid key | {:.0} |", REQUESTS_OF_DAY * refused_request()),
        format!("| events with a stolen key, if each sends a message | {:.0} |", EVENTS_OF_DAY * messages),
    ]
    .join("\n")
}
